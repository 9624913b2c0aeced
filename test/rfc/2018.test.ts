// RFC 2018 and RFC 2883: selective acknowledgement, both ways, and reports of what came twice.

import { describe, expect, test } from 'vitest';
import { established, octets, Peer, synSent } from './peer.ts';

function sackPeer(profile = {}): Peer {
  const p = new Peer({ profile: { timestamps: false, ...profile } });
  p.showOptions = true;
  return p;
}

describe('agreeing on it', () => {
  test('SYN-SENT: the SYN permits SACK', () => {
    const p = sackPeer();
    p.host.connect({ address: '10.0.0.2', port: 4000 });
    expect(p.out()).toEqual(['S 0 mss=1460 ws=4 sackOK']);
  });

  test('LISTEN: the SYN,ACK permits it only when the SYN did (§2)', () => {
    const p = sackPeer();
    p.host.listen({ port: 80 }, () => {});
    p.send('S 0 mss=1460');
    expect(p.out()).toEqual(['S. 0 ack=1 mss=1460']);
    p.peerPort++;
    p.send('S 0 mss=1460 sackOK');
    expect(p.out().map((l) => l.replace(/^S\. -?\d+/, 'S.'))).toEqual(['S. ack=1 mss=1460 sackOK']);
  });

  test('a peer that did not permit it gets no blocks', () => {
    const p = sackPeer();
    established(p);
    p.send('. 101:100 ack=1');
    expect(p.out()).toEqual(['. 1 ack=1']);
  });
});

describe('telling the peer', () => {
  test('the first block holds the segment that came last, then the ones before (§4)', () => {
    const p = sackPeer();
    established(p, { syn: 'sackOK' });
    p.send('. 101:100 ack=1');
    expect(p.out()).toEqual(['. 1 ack=1 sack=101-201']);
    p.send('. 301:100 ack=1');
    expect(p.out()).toEqual(['. 1 ack=1 sack=301-401,101-201']);
    p.send('. 501:100 ack=1');
    expect(p.out()).toEqual(['. 1 ack=1 sack=501-601,301-401,101-201']);
    p.send('. 201:100 ack=1');
    expect(p.out()).toEqual(['. 1 ack=1 sack=101-401,501-601']);
  });

  test('filling the hole ends it', () => {
    const p = sackPeer();
    const a = established(p, { syn: 'sackOK' });
    p.send('. 101:100 ack=1');
    p.out();
    p.send('. 1:100 ack=1');
    expect(p.out()).toEqual(['. 1 ack=201']);
    expect(a.read).toEqual(octets(1, 201));
  });

  test('four blocks at most, three beside timestamps (§3)', () => {
    for (const [syn, ts, most] of [
      ['sackOK', '', 4],
      ['sackOK ts=7:0', 'ts=8:1', 3],
    ] as const) {
      const p = sackPeer({ timestamps: true });
      established(p, { syn, ack: ts });
      for (let k = 0; k < 6; k++) p.send(`. ${101 + 200 * k}:100 ack=1 ${ts}`);
      const last = p.out().at(-1)!;
      expect(last.split('sack=')[1]!.split(',').length).toBe(most);
    }
  });

  test('text on its way waits behind the report: on a segment with text it would be no duplicate', () => {
    const p = sackPeer();
    const a = established(p, { syn: 'sackOK' });
    a.connection!.setNoDelay(true);
    p.send('. 101:100 ack=1');
    p.out();
    a.connection!.send(new Uint8Array(1000), 0, 1000);
    p.send('. 301:100 ack=1');
    expect(p.out()).toEqual(['. 1 ack=1 sack=301-401,101-201', 'P. 1:1000 ack=1']);
  });

  test('a small segment with text carries the blocks along', () => {
    const p = sackPeer();
    const a = established(p, { syn: 'sackOK' });
    p.send('. 101:100 ack=1');
    p.out();
    a.connection!.send(new Uint8Array(10), 0, 10);
    expect(p.out()).toEqual(['P. 1:10 ack=1 sack=101-201']);
  });
});

describe('what came twice (RFC 2883 §4)', () => {
  test('a whole repetition of what was acknowledged', () => {
    const p = sackPeer();
    established(p, { syn: 'sackOK' });
    p.send('. 1:100 ack=1');
    p.advance(100);
    p.send('. 1:100 ack=1');
    expect(p.out()).toEqual(['. 1 ack=101 sack=1-101']);
    p.send('. 1:100 ack=1');
    expect(p.out()).toEqual(['. 1 ack=101 sack=1-101']);
  });

  test('a repetition of what is out of order: first the report, then the block it lies in', () => {
    const p = sackPeer();
    established(p, { syn: 'sackOK' });
    p.send('. 101:300 ack=1');
    p.out();
    p.send('. 201:100 ack=1');
    expect(p.out()).toEqual(['. 1 ack=1 sack=201-301,101-401']);
    p.send('. 501:100 ack=1');
    expect(p.out()).toEqual(['. 1 ack=1 sack=501-601,101-401']);
  });
});

describe('believing the peer', () => {
  function flying(p: Peer): ReturnType<typeof synSent> {
    const a = synSent(p);
    p.advance(100);
    p.send('S. 0 ack=1 mss=1000 sackOK');
    p.out();
    a.connection.send(new Uint8Array(10_000), 0, 10_000);
    expect(p.out().length).toBe(10);
    p.advance(10);
    return a;
  }

  test('only what is missing is sent again', () => {
    const p = sackPeer();
    flying(p);
    p.send('. 1 ack=1 sack=1001-2001');
    p.send('. 1 ack=1 sack=3001-4001,1001-2001');
    expect(p.out()).toEqual([]);
    p.send('. 1 ack=1 sack=3001-5001,1001-2001');
    expect(p.out()).toEqual(['. 1:1000 ack=1']);
    p.send('. 1 ack=1 sack=3001-8001,1001-2001');
    expect(p.out()).toEqual(['. 2001:1000 ack=1']);
  });

  test('blocks outside of what is in flight are ignored, and so are empty and inverted ones', () => {
    const p = sackPeer();
    const a = flying(p);
    for (const block of ['20001-30001', '5001-4001', '4001-4001', '-5000--4000', '9001-20001']) {
      p.send(`. 1 ack=1 sack=${block}`);
    }
    expect(p.out()).toEqual([]);
    expect(a.connection.board!.sackedOctets).toBe(0);
  });

  test('a peer that forgets what it reported gets everything again after the timeout (§8)', () => {
    const p = sackPeer({ tailLossProbe: false });
    const a = flying(p);
    p.send('. 1 ack=1001 sack=2001-11001');
    p.advance(5);
    p.send('. 1 ack=2001');
    p.out();
    const again = new Set<string>();
    for (const line of p.advance(60_000)) again.add(line.replace(/^@\d+ /, '').split(' ')[1]!);
    expect(again.has('2001:1000')).toBe(true);
    for (let ack = 3001; ack <= 10_001; ack += 1000) p.send(`. 1 ack=${ack}`);
    p.out();
    expect(a.connection.unsent).toBe(0);
  });

  test('100,000 alternating blocks stay cheap and bounded: the board holds what is in flight, no more', () => {
    const p = sackPeer();
    const a = flying(p);
    for (let k = 0; k < 100_000; k++) p.send(`. 1 ack=1 sack=${1001 + (k % 9) * 1000}-${1002 + (k % 9) * 1000}`);
    expect(a.connection.board!.count).toBe(10);
    expect(a.connection.board!.sackedOctets).toBe(0);
  });
});
