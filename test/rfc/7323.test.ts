// RFC 7323: timestamps, round-trip times from them, and protection against old duplicates (PAWS).

import { describe, expect, test } from 'vitest';
import { established, Peer, synSent } from './peer.ts';

const DAY = 86_400_000;

function stamped(profile = {}): Peer {
  const p = new Peer({ profile });
  p.showOptions = true;
  return p;
}

describe('agreeing on timestamps (§3.2)', () => {
  test('SYN-SENT: the SYN offers them with an echo of zero, in the usual order of options', () => {
    const p = stamped();
    p.host.connect({ address: '10.0.0.2', port: 4000 });
    expect(p.out()).toEqual(['S 0 mss=1460 ws=4 sackOK ts=1000:0']);
  });

  test('every later segment carries them, and a full one has 12 octets less of text (RFC 6691)', () => {
    const p = stamped();
    const a = synSent(p);
    p.send('S. 0 ack=1 mss=1000 ts=500:1000');
    expect(p.out()).toEqual(['. 1 ack=1 ts=1000:500']);
    a.connection.send(new Uint8Array(2000), 0, 2000);
    expect(p.out()).toEqual(['. 1:988 ack=1 ts=1000:500', '. 989:988 ack=1 ts=1000:500']);
  });

  test('a peer without them gets none', () => {
    const p = stamped();
    const a = synSent(p);
    p.send('S. 0 ack=1 mss=1000');
    expect(p.out()).toEqual(['. 1 ack=1']);
    a.connection.send(new Uint8Array(1000), 0, 1000);
    expect(p.out()).toEqual(['P. 1:1000 ack=1']);
  });

  test('two connections do not show the same clock (§5.4)', () => {
    const p = stamped();
    p.host.connect({ address: '10.0.0.2', port: 4000 });
    p.host.connect({ address: '10.0.0.2', port: 4001 });
    const offsets = p.host.connections().map((c) => c.snd.tsOffset);
    expect(offsets[0]).not.toBe(offsets[1]);
  });
});

describe('what is echoed (§4.3)', () => {
  test('the timestamp of the segment that the acknowledgement point touched first', () => {
    const p = stamped();
    established(p, { syn: 'ts=100:0', ack: 'ts=101:1000' });
    p.send('. 1:10 ack=1 ts=200:1000');
    p.send('. 11:10 ack=1 ts=300:1000');
    expect(p.advance(100)).toEqual(['@40 . 1 ack=21 ts=1040:200']);
  });

  test('a segment ahead of a hole does not move it; the one that fills the hole does', () => {
    const p = stamped();
    established(p, { syn: 'ts=100:0', ack: 'ts=101:1000' });
    p.send('. 101:100 ack=1 ts=300:1000');
    expect(p.out()).toEqual(['. 1 ack=1 ts=1000:101']);
    p.send('. 1:100 ack=1 ts=400:1000');
    expect(p.out()).toEqual(['. 1 ack=201 ts=1000:400']);
  });

  test('a segment outside of the window cannot poison it (CVE-2005-0356)', () => {
    const p = stamped();
    const a = established(p, { syn: 'ts=100:0', ack: 'ts=101:1000' });
    p.send('. 900001:10 ack=1 ts=2000000000:1000');
    expect(a.connection!.rcv.tsRecent).toBe(101);
  });
});

describe('old duplicates (§5.3)', () => {
  test('ESTABLISHED: an older timestamp earns an ACK and nothing is taken', () => {
    const p = stamped();
    const a = established(p, { syn: 'ts=100:0', ack: 'ts=101:1000' });
    p.send('. 1:10 ack=1 ts=100:1000');
    expect(p.out()).toEqual(['. 1 ack=1 ts=1000:101']);
    expect(a.read).toEqual([]);
    expect(p.drops('tcp-old-timestamp')).toBe(1);
  });

  test('ESTABLISHED: a RST is not held to it', () => {
    const p = stamped();
    const a = established(p, { syn: 'ts=100:0', ack: 'ts=101:1000' });
    p.send('R 1 ts=1:0');
    expect(a.log).toEqual(['accept', 'closed ECONNRESET']);
  });

  test('timestamps that wrap are newer (trap 31)', () => {
    const p = stamped();
    const a = established(p, { syn: 'ts=2147483647:0', ack: 'ts=2147483647:1000' });
    p.send('. 1:10 ack=1 ts=-2147483640:1000');
    expect(a.read.length).toBe(10);
  });

  test('after 24 days idle the kept timestamp proves nothing (§5.5)', () => {
    const p = stamped();
    const a = established(p, { syn: 'ts=100:0', ack: 'ts=101:1000' });
    p.advance(25 * DAY);
    p.send('. 1:10 ack=1 ts=1:1000');
    expect(a.read.length).toBe(10);
  });

  test('a segment without the option is dropped once agreed; the ACK of a handshake is not (trap 33)', () => {
    const p = stamped();
    const a = established(p, { syn: 'ts=100:0' });
    p.send('. 1:10 ack=1');
    expect(a.read).toEqual([]);
    expect(p.drops('tcp-no-timestamp')).toBe(1);
    p.send('. 1:10 ack=1 ts=102:1000');
    expect(a.read.length).toBe(10);
  });

  test('the policy that Linux has takes it', () => {
    const p = stamped({ timestampsRequired: false });
    const a = established(p, { syn: 'ts=100:0' });
    p.send('. 1:10 ack=1');
    expect(a.read.length).toBe(10);
  });
});

describe('round-trip times (§4)', () => {
  test('what was sent again is measured by the echo: Karn’s rule can rest', () => {
    const p = stamped({ tailLossProbe: false });
    const a = synSent(p);
    p.advance(50);
    p.send('S. 0 ack=1 mss=1000 ts=500:1000');
    p.out();
    expect(a.connection.rtt.latest).toBe(50);
    a.connection.send(new Uint8Array(100), 0, 100);
    p.out();
    const lines = p.advance(250);
    expect(lines.length).toBe(1);
    const resentAt = Number(lines[0]!.match(/ts=(\d+):/)![1]);
    p.advance(30);
    p.send(`. 1 ack=101 ts=600:${resentAt}`);
    expect(a.connection.rtt.latest).toBe(p.now - resentAt);
    expect(a.connection.rtt.backoff).toBe(0);
  });
});
