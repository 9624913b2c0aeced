import { describe, expect, it } from 'vitest';
import type { State } from '../../src/base/state.ts';
import { type ConnectionView, InvariantChecker } from '../../src/sim/invariants.ts';
import { Network } from '../../src/sim/network.ts';

/** A connection as the checker sees it, whose every number a test can set. */
class Numbers implements ConnectionView {
  id = 1;
  state: State = 'ESTABLISHED';
  snd = { iss: 100, una: 101, nxt: 101, wnd: 1000, maxWnd: 1000 };
  rcv = { irs: 500, nxt: 501, adv: 1501, finished: false };
  readable = 0;
  delivered = 0;
  flightSize = 0;
  unsent = 0;
  armed = false;
  get timers(): { earliest: number } {
    return { earliest: this.armed ? 5 : Number.POSITIVE_INFINITY };
  }
}

function setUp(c = new Numbers()) {
  const host = {
    name: 'h',
    list: [c] as Numbers[],
    timersArmed: 0,
    ports: { inUse: 0 },
    chunks: { inUse: 0 },
    connections: () => host.list,
  };
  const checker = new InvariantChecker([host]);
  checker.check();
  return { c, host, checker };
}

describe('InvariantChecker', () => {
  it('is content with a connection that does nothing wrong, and counts its checks', () => {
    const { c, checker } = setUp();
    Object.assign(c.rcv, { nxt: 511, adv: 1511 });
    c.readable = 4;
    c.delivered = 6;
    Object.assign(c.snd, { nxt: 1101 });
    c.flightSize = 1000;
    c.armed = true;
    checker.check();
    expect(checker.checks).toBe(2);
  });

  const broken: [string, RegExp, (c: Numbers) => void][] = [
    ['RCV.NXT that goes back', /RCV.NXT went back/, (c) => Object.assign(c.rcv, { nxt: 500 })],
    ['a window edge that goes back', /edge went back/, (c) => Object.assign(c.rcv, { adv: 1500 })],
    ['octets that were lost', /lost or invented/, (c) => Object.assign(c.rcv, { nxt: 502 })],
    ['octets that were invented', /lost or invented/, (c) => Object.assign(c, { readable: 1 })],
    [
      'a FIN that is counted as data',
      /lost or invented/,
      (c) => Object.assign(c.rcv, { nxt: 502, finished: true }) && c.readable++,
    ],
    ['SND.UNA beyond SND.NXT', /SND.UNA is beyond/, (c) => Object.assign(c.snd, { una: 102 })],
    ['SND.UNA that goes back', /SND.UNA went back/, (c) => Object.assign(c.snd, { una: 100 })],
    [
      'data beyond the window',
      /beyond the window/,
      (c) => Object.assign(c.snd, { nxt: 1102 }) && Object.assign(c, { flightSize: 1001, armed: true }),
    ],
    ['data in flight without a timer', /no timer/, (c) => Object.assign(c.snd, { nxt: 102 }) && c.flightSize++ === 0],
    ['a zero window without a timer', /waits for a window/, (c) => Object.assign(c.snd, { wnd: 0 }) && c.unsent++],
    [
      'a timer of a closed connection',
      /closed with a timer/,
      (c) => Object.assign(c, { state: 'CLOSED', armed: true }),
    ],
    ['octets kept by a closed connection', /octets to send/, (c) => Object.assign(c, { state: 'CLOSED', unsent: 1 })],
  ];
  for (const [what, message, breakIt] of broken) {
    it(`finds ${what}`, () => {
      const { c, checker } = setUp();
      breakIt(c);
      expect(() => checker.check()).toThrow(message);
      expect(() => checker.check()).toThrow(/^h connection 1 /);
    });
  }

  it('compares in sequence space', () => {
    const c = new Numbers();
    c.rcv = { irs: 0x7ffffff0, nxt: -0x7ffffff0 | 0, adv: -0x7fffff00 | 0, finished: false };
    c.readable = 0x1f;
    c.snd = { iss: 0x7ffffff0, una: 0x7ffffff1, nxt: -0x7ffffff0 | 0, wnd: 1000, maxWnd: 1000 };
    c.flightSize = 0x1f;
    c.armed = true;
    const fresh = setUp(c).checker;
    fresh.check();
    c.snd.una = c.snd.nxt;
    c.flightSize = 0;
    fresh.check();
    c.snd.una = 0x7ffffff1;
    expect(() => fresh.check()).toThrow(/SND.UNA went back/);
  });

  it('lets SYN and FIN go beyond the window, and nothing else', () => {
    const { c, checker } = setUp();
    Object.assign(c.snd, { wnd: 0, maxWnd: 0, iss: 101, nxt: 102 });
    Object.assign(c, { flightSize: 1, armed: true, state: 'SYN-RECEIVED' });
    checker.check();
    c.snd.una = 102;
    c.snd.nxt = 103;
    c.state = 'FIN-WAIT-1';
    checker.check();
    c.state = 'ESTABLISHED';
    expect(() => checker.check()).toThrow(/beyond the window/);
  });

  it('checks a connection that has left its host once more, in its last state', () => {
    const { c, host, checker } = setUp();
    host.list = [];
    c.state = 'CLOSED';
    c.armed = true;
    expect(() => checker.check()).toThrow(/closed with a timer/);
    c.armed = false;
    checker.check();
    c.armed = true;
    checker.check();
  });

  it('finds what is left after the end: a connection, a timer, a port, memory', () => {
    const network = new Network({ seed: 1 });
    const { host, checker } = setUp();
    expect(() => checker.released(network)).toThrow(/still exists/);
    host.list[0]!.state = 'CLOSED';
    host.list = [];
    checker.released(network);
    host.timersArmed = 1;
    expect(() => checker.released(network)).toThrow(/1 timers of connections are left/);
    host.timersArmed = 0;
    host.ports.inUse = 2;
    expect(() => checker.released(network)).toThrow(/2 ports/);
    host.ports.inUse = 0;
    host.chunks.inUse = 3;
    expect(() => checker.released(network)).toThrow(/3 chunks of memory/);
  });
});
