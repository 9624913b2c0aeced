// RFC 7413, TCP fast open: cookies, text on a SYN, and what falls back to the ordinary way.

import { describe, expect, test } from 'vitest';
import type { Profile } from '../../src/base/profile.ts';
import { Host, type ListenOptions } from '../../src/host/index.ts';
import { type App, app, octets, Peer, type PeerOptions } from './peer.ts';

const COOKIE = '0102030405060708';

/** The host listens on port 80 with fast open. */
function fastListening(p: Peer, options: Partial<ListenOptions> = {}, reads = true): App {
  const a = app({ reads });
  a.listener = p.host.listen({ port: 80, fastOpen: 8, ...options }, (c) => {
    a.log.push(`accept ${c.state}`);
    a.attach(c);
  });
  return a;
}

/** The cookie that the host grants to the peer. */
function granted(p: Peer): string {
  p.peerPort = 3999;
  p.send('S 0 mss=1000 fo=');
  const cookie = /fo=(\w+)/.exec(p.out()[0] ?? '')?.[1] ?? '';
  p.send('R 1');
  p.peerPort = 4000;
  p.now += 10;
  return cookie;
}

/** A fresh script on the same host: its next connection has an ISS of its own. */
function freshIss(p: Peer): void {
  p.forgetIss();
}

/** A host that listens with fast open, and the cookie that its next peer comes with. */
function primed(options: Partial<ListenOptions> = {}): { p: Peer; a: App; cookie: string } {
  const p = new Peer();
  const a = fastListening(p, options);
  const cookie = granted(p);
  freshIss(p);
  return { p, a, cookie };
}

/** The host connects to port 4000 with fast open and sends `size` octets at once. */
function fastConnect(p: Peer, size: number): App {
  const a = app();
  freshIss(p);
  const c = p.host.connect({ address: '10.0.0.2', port: 4000, fastOpen: true });
  a.attach(c);
  p.hostPort = c.localPort;
  if (size > 0) c.send(Uint8Array.from(octets(1, 1 + size)), 0, size);
  return a;
}

/** A host that has a cookie of the peer, with an MSS of 1000. */
function withCookie(options: PeerOptions = {}): Peer {
  const p = new Peer(options);
  const a = fastConnect(p, 0);
  expect(p.out()).toEqual(['S 0 mss=1460 ws=4 fo=']);
  p.send(`S. 0 ack=1 mss=1000 fo=${COOKIE}`);
  p.out();
  a.connection!.abort();
  p.out();
  return p;
}

describe('a listener with fast open', () => {
  test('answers an empty option with a cookie of 8 octets, and text beside it waits for the handshake (§4.1.2)', () => {
    const p = new Peer();
    const a = fastListening(p);
    p.send('S 0:10 mss=1000 fo=');
    expect(p.out()).toEqual([expect.stringMatching(/^S\. 0 ack=1 mss=1460 fo=[0-9a-f]{16}$/)]);
    expect(a.log).toEqual([]);
  });

  test('gives one cookie to an address, whatever the port, and another where the key differs (§4.1.2)', () => {
    const cookies = [7, 7, 8].map((key) => {
      const p = new Peer({ key });
      fastListening(p);
      return granted(p);
    });
    expect(cookies[0]).toHaveLength(16);
    expect(cookies[1]).toBe(cookies[0]);
    expect(cookies[2]).not.toBe(cookies[0]);
  });

  test('with a good cookie takes the text, acknowledges it, and hands the connection over in SYN-RECEIVED (§4.2)', () => {
    const { p, a, cookie } = primed();
    p.send(`S 0:10 mss=1000 fo=${cookie}`, Uint8Array.from(octets(1, 11)));
    expect(p.out()).toEqual(['S. 0 ack=11 mss=1460']);
    expect(a.log).toEqual(['accept SYN-RECEIVED']);
    expect(a.read).toEqual(octets(1, 11));
    p.send('. 11 ack=1');
    expect(a.connection!.state).toBe('ESTABLISHED');
    expect(a.log).toEqual(['accept SYN-RECEIVED']);
    p.send('P. 11:5 ack=1');
    expect(a.read).toEqual(octets(1, 16));
  });

  test('sends text before the peer has acknowledged its SYN, small segments as well (§4.2)', () => {
    const { p, a, cookie } = primed();
    p.send(`S 0:10 mss=1000 fo=${cookie}`);
    p.out();
    const c = a.connection!;
    c.send(new Uint8Array(300), 0, 300);
    expect(p.out()).toEqual(['P. 1:300 ack=11']);
    c.send(new Uint8Array(1000), 0, 1000);
    expect(p.out()).toEqual(['P. 301:1000 ack=11']);
    expect(c.state).toBe('SYN-RECEIVED');
    p.send('. 11 ack=1301');
    expect([c.state, c.queued]).toEqual(['ESTABLISHED', 0]);
  });

  test('holds back its FIN until the SYN is acknowledged (RFC 9293 §3.10.4)', () => {
    const { p, a, cookie } = primed();
    p.send(`S 0:10 mss=1000 fo=${cookie}`);
    p.out();
    a.connection!.send(new Uint8Array(5), 0, 5);
    a.connection!.shutdown();
    expect(p.out()).toEqual(['P. 1:5 ack=11']);
    p.send('. 11 ack=6');
    expect(p.out()).toEqual(['F. 6 ack=11']);
    expect(a.connection!.state).toBe('FIN-WAIT-1');
  });

  test('with a wrong cookie acknowledges the SYN alone and grants the right one (§4.1.2)', () => {
    const { p, a, cookie } = primed();
    const wrong = cookie.slice(0, 14) + (cookie.endsWith('00') ? '01' : '00');
    p.send(`S 0:10 mss=1000 fo=${wrong}`);
    expect(p.out()).toEqual([`S. 0 ack=1 mss=1460 fo=${cookie}`]);
    p.send('. 1:10 ack=1');
    expect(a.log).toEqual(['accept ESTABLISHED']);
    expect(a.read).toEqual(octets(1, 11));
  });

  test('answers a repeated SYN with the SYN,ACK, and its text is read once (§4.2)', () => {
    const { p, a, cookie } = primed();
    for (let n = 0; n < 2; n++) {
      p.send(`S 0:10 mss=1000 fo=${cookie}`, Uint8Array.from(octets(1, 11)));
      expect(p.out()).toEqual(['S. 0 ack=11 mss=1460']);
    }
    expect(a.read).toEqual(octets(1, 11));
    expect(a.log).toEqual(['accept SYN-RECEIVED']);
  });

  test('repeats the SYN,ACK alone when nothing is heard, and text after it once the SYN is acknowledged', () => {
    const { p, a, cookie } = primed();
    p.send(`S 0:10 mss=1000 fo=${cookie}`);
    p.out();
    a.connection!.send(new Uint8Array(5), 0, 5);
    p.out();
    expect(p.advance(1000)).toEqual(['@1000 S. 0 ack=11 mss=1460']);
    p.send('. 11 ack=1');
    expect(a.connection!.state).toBe('ESTABLISHED');
    expect(p.advance(3000)).toContainEqual(expect.stringContaining('P. 1:5 ack=11'));
  });

  test('goes the ordinary way beyond its limit of pending openings, until one of them is heard (§5.1)', () => {
    const { p, a, cookie } = primed({ fastOpen: 1 });
    p.send(`S 0:10 mss=1000 fo=${cookie}`);
    expect(p.out()).toEqual(['S. 0 ack=11 mss=1460']);
    p.peerPort = 4001;
    p.send(`S 0:10 mss=1000 fo=${cookie}`);
    expect(p.out()).toEqual([expect.stringMatching(/^S\. -?\d+ ack=1 mss=1460$/)]);
    p.peerPort = 4000;
    p.send('. 11 ack=1');
    p.peerPort = 4002;
    p.send(`S 0:10 mss=1000 fo=${cookie}`);
    expect(p.out()).toEqual([expect.stringMatching(/^S\. -?\d+ ack=11 mss=1460$/)]);
    expect(a.log).toEqual(['accept SYN-RECEIVED', 'accept SYN-RECEIVED']);
  });

  test('counts an opening that was reset as pending for a minute (§5.1)', () => {
    const p = new Peer();
    const a = fastListening(p, { fastOpen: 1 });
    const cookie = granted(p);
    p.send(`S 0:10 mss=1000 fo=${cookie}`);
    p.send('R 11');
    expect(a.log).toEqual(['accept SYN-RECEIVED', 'closed ECONNRESET']);
    p.out();
    p.peerPort = 4001;
    p.send(`S 0:10 mss=1000 fo=${cookie}`);
    expect(p.out()).toEqual([expect.stringContaining(' ack=1 ')]);
    p.advance(60_000);
    p.peerPort = 4002;
    p.send(`S 0:10 mss=1000 fo=${cookie}`);
    expect(p.out()).toEqual([expect.stringContaining(' ack=11 ')]);
  });

  test('keeps an opening among those that wait for the program, where it takes the room of one and needs no other', () => {
    const { p, a, cookie } = primed({ backlog: 1 });
    a.listener!.pause();
    p.send(`S 0:10 mss=1000 fo=${cookie}`);
    expect(p.out()).toEqual(['S. 0 ack=11 mss=1460']);
    expect([a.listener!.full, a.listener!.pending]).toEqual([true, 1]);
    p.send('. 11 ack=1');
    expect(p.drops('accept-queue-full')).toBe(0);
    a.listener!.resume();
    p.out();
    expect(a.log).toEqual(['accept ESTABLISHED']);
    expect(a.read).toEqual(octets(0, 10));
  });

  test('lets a SYN cookie go before: text is not taken under pressure (RFC 4987 §3.6)', () => {
    const p = new Peer();
    fastListening(p);
    const cookie = granted(p);
    const q = new Peer({ profile: { synCookies: 'always' } });
    const a = fastListening(q);
    q.send(`S 0:10 mss=1000 fo=${cookie}`);
    expect(q.out()).toEqual(['S. 0 ack=1 mss=1460']);
    expect(a.log).toEqual([]);
  });

  test.each([-1, Number.NaN])('is refused with a limit that is none: %s', (fastOpen) => {
    const p = new Peer();
    expect(() => p.host.listen({ port: 80, fastOpen }, () => undefined)).toThrow(RangeError);
  });

  test('takes neither text nor asks where it is off, which it is by default', () => {
    const p = new Peer();
    const a = app();
    p.host.listen({ port: 80 }, () => a.log.push('accept'));
    p.send('S 0:10 mss=1000 fo=');
    expect(p.out()).toEqual(['S. 0 ack=1 mss=1460']);
    expect(a.log).toEqual([]);
  });

  test('is on for every listener with bit 2 of the profile field, and needs no cookie with bit 0x200', () => {
    const p = new Peer({ profile: { fastOpen: 0x202 } });
    const a = app();
    p.host.listen({ port: 80 }, () => a.log.push('accept'));
    p.send('S 0:10 mss=1000');
    expect(p.out()).toEqual(['S. 0 ack=11 mss=1460']);
    expect(a.log).toEqual(['accept']);
  });

  test.each(['010203', '0102030405', '0102030405060708090a0b0c0d0e0f101112'])(
    'does not see an option with a cookie of a size that is none: %s (§4.1.1)',
    (cookie) => {
      const p = new Peer();
      fastListening(p);
      p.send(`S 0:10 mss=1000 fo=${cookie}`);
      expect(p.out()).toEqual(['S. 0 ack=1 mss=1460']);
    },
  );
});

describe('a connection that asks for fast open', () => {
  test('asks for a cookie when it has none; its text follows the handshake (§4.1.3)', () => {
    const p = new Peer();
    const a = fastConnect(p, 10);
    expect(p.out()).toEqual(['S 0 mss=1460 ws=4 fo=']);
    p.send(`S. 0 ack=1 mss=1000 fo=${COOKIE}`);
    expect(p.out()).toEqual(['P. 1:10 ack=1']);
    expect(a.log).toEqual(['open']);
  });

  test('sends the cookie and its text on the next SYN to that address, and neither again when all is taken (§4.1.3)', () => {
    const p = withCookie();
    const a = fastConnect(p, 10);
    expect(p.out()).toEqual([`S 0:10 mss=1460 ws=4 fo=${COOKIE}`]);
    p.send('S. 0 ack=11 mss=1000');
    expect(p.out()).toEqual(['. 11 ack=1']);
    expect([a.connection!.queued, a.connection!.retransmissions]).toEqual([0, 0]);
    expect(octets(1, 11)).toEqual(octets(0, 10).map((k) => p.payload.get(k)));
  });

  test('puts no more on a SYN than the MSS of last time has room for beside a full header of options (§4.1.3.1)', () => {
    const p = withCookie();
    const a = fastConnect(p, 2000);
    expect(p.out()).toEqual([`S 0:960 mss=1460 ws=4 fo=${COOKIE}`]);
    p.send('S. 0 ack=961 mss=1000');
    expect(p.out()).toEqual(['. 961:1000 ack=1']);
    p.send('. 1 ack=1961');
    expect(p.out()).toEqual(['P. 1961:40 ack=1']);
    expect(a.connection!.retransmissions).toBe(0);
  });

  test('sends text again that the SYN,ACK does not acknowledge, and the connection opens all the same (§4.1.3)', () => {
    const p = withCookie();
    const a = fastConnect(p, 2000);
    p.out();
    p.send('S. 0 ack=1 mss=500');
    expect(p.out()).toEqual(['. 1:500 ack=1', '. 501:460 ack=1', '. 961:500 ack=1', '. 1461:500 ack=1']);
    p.send('. 1 ack=1961');
    expect(p.out()).toEqual(['P. 1961:40 ack=1']);
    p.send('. 1 ack=2001');
    expect([a.connection!.state, a.connection!.queued]).toEqual(['ESTABLISHED', 0]);
    expect(p.advance(10_000)).toEqual([]);
  });

  test('takes a fresh cookie from a SYN,ACK that refuses the old one (§4.1.3)', () => {
    const p = withCookie();
    fastConnect(p, 10);
    p.out();
    p.send('S. 0 ack=1 mss=1000 fo=aabbccdd');
    p.out();
    fastConnect(p, 10);
    expect(p.out()).toEqual(['S 0:10 mss=1460 ws=4 fo=aabbccdd']);
  });

  test('repeats an unanswered SYN without text and cookie, and pauses fast open with that peer (§4.1.3.1)', () => {
    const p = withCookie({ profile: { fastOpenPause: 60_000 } });
    const a = fastConnect(p, 10);
    p.out();
    expect(p.advance(1000)).toEqual(['@1000 S 0 mss=1460 ws=4']);
    p.send('S. 0 ack=1 mss=1000');
    expect(p.out()).toEqual(['P. 1:10 ack=1']);
    p.send('. 1 ack=11');
    a.connection!.abort();
    p.out();
    fastConnect(p, 10);
    expect(p.out()).toEqual(['S 0 mss=1460 ws=4']);
    p.advance(60_000);
    fastConnect(p, 10);
    expect(p.out()).toEqual([`S 0:10 mss=1460 ws=4 fo=${COOKIE}`]);
  });

  test('repeats a SYN without text and cookie also where there is no pause', () => {
    const p = withCookie({ profile: { fastOpenPause: 0 } });
    fastConnect(p, 10);
    p.out();
    expect(p.advance(1000)).toEqual(['@1000 S 0 mss=1460 ws=4']);
  });

  test('tries a SYN without text after a reset, and believes the second one (§7.1)', () => {
    const p = withCookie();
    const a = fastConnect(p, 10);
    p.out();
    p.send('R. 0 ack=11');
    expect(p.out()).toEqual(['S 0 mss=1460 ws=4']);
    expect(a.log).toEqual([]);
    p.send('R. 0 ack=1');
    expect(a.log).toEqual(['closed ECONNREFUSED']);
  });

  test('that meets the peer opening at the same time sends its text again after the handshake', () => {
    const p = withCookie();
    const a = fastConnect(p, 10);
    p.out();
    p.send('S 0 mss=1000');
    expect(p.out()).toEqual(['S. 0 ack=1 mss=1460']);
    p.send('S. 0 ack=1 mss=1000');
    expect(p.out()).toEqual(['P. 1:10 ack=1']);
    expect(a.connection!.state).toBe('ESTABLISHED');
    p.send('. 1 ack=11');
    expect(a.connection!.queued).toBe(0);
  });

  test('sends text without a cookie with bit 4 of the profile field', () => {
    const p = new Peer({ profile: { fastOpen: 5 } });
    fastConnect(p, 10);
    expect(p.out()).toEqual(['S 0:10 mss=1460 ws=4']);
  });

  test('is any connection with bit 1 of the profile field, and none by default', () => {
    for (const [fastOpen, syn] of [
      [1, 'S 0 mss=1460 ws=4 fo='],
      [0, 'S 0 mss=1460 ws=4'],
    ] as const) {
      const p = new Peer({ profile: { fastOpen } });
      p.host.connect({ address: '10.0.0.2', port: 4000 });
      expect(p.out()).toEqual([syn]);
    }
  });
});

describe('a host that was made without fast open', () => {
  const host = (profile: Partial<Profile> = {}): Host => {
    const made = new Host({ key: new Uint8Array(16), profile });
    made.addInterface({ medium: 'ip', mtu: 1500, addresses: ['10.0.0.1/24'] });
    return made;
  };
  const refusal = expect.objectContaining({
    name: 'StateError',
    message: "this host was made without `fastOpen` of 'synfin': new Host({ fastOpen, ... })",
  });
  const to = { address: '10.0.0.2', port: 4000 };

  test('says so to who asks for it, and leaves nothing behind', () => {
    const h = host();
    expect(() => h.connect({ ...to, fastOpen: true })).toThrow(refusal);
    expect(() => h.listen({ port: 80, fastOpen: 8 }, () => {})).toThrow(refusal);
    expect([h.connectionCount, h.portsInUse]).toEqual([0, 0]);
    // The port was not bound.
    h.listen({ port: 80 }, () => {});
  });

  test('says so where the profile asks for it', () => {
    const h = host({ fastOpen: 3 });
    expect(() => h.connect(to)).toThrow(refusal);
    expect(() => h.listen({ port: 80 }, () => {})).toThrow(refusal);
  });

  test('takes what asks for none', () => {
    const h = host();
    h.listen({ port: 80, fastOpen: 0 }, () => {});
    expect(h.connect({ ...to, fastOpen: false }).state).toBe('SYN-SENT');
  });
});

describe('both ends together', () => {
  test('the second conversation of a host with itself is over one way: text is read before the client is open', () => {
    const p = new Peer();
    const log: string[] = [];
    p.host.listen({ port: 80, fastOpen: 8 }, (c) => {
      log.push('accept');
      c.handler = {
        onReadable: () => {
          log.push(`server reads ${c.readable}`);
          c.consume(c.readable);
          c.send(new Uint8Array(2000), 0, 2000);
          c.shutdown();
        },
      };
    });
    for (let n = 0; n < 2; n++) {
      const c = p.host.connect({ address: '10.0.0.1', port: 80, fastOpen: true });
      c.handler = { onOpen: () => log.push('client is open') };
      c.send(new Uint8Array(700), 0, 700);
      c.shutdown();
      p.advance(1000);
      expect(c.readable).toBe(2000);
      c.consume(2000);
      expect([c.ended, c.state, c.retransmissions]).toEqual([true, 'TIME-WAIT', 0]);
    }
    expect(log).toEqual([
      'client is open',
      'accept',
      'server reads 700',
      'accept',
      'server reads 700',
      'client is open',
    ]);
  });
});
