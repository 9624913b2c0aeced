// Where writes end and what leaves together: records, promises of more, PSH, super-segments, room to write.

import { describe, expect, test } from 'vitest';
import type { Profile } from '../../src/base/profile.ts';
import { WRITE_ENDS, WRITE_MORE } from '../../src/base/stream.ts';
import { Host, type HostOptions, superSegments } from '../../src/host/index.ts';
import { type App, listening, Peer } from '../rfc/peer.ts';

const MSS = 1000;

/** What makes a sender plan in super-segments as Linux does. */
const BURSTS: Partial<Profile> = {
  pushBursts: true,
  superSegment: 65_215,
  superSegmentDivisor: 3,
  pieceOverhead: 1280,
  countSegments: true,
  nagleMinshall: true,
  growWhenHalfUsed: true,
  sillyWindowOverride: 0,
};

/** An open connection whose handshake took `rtt` ms. */
function open(profile: Partial<Profile> = {}, rtt = 0, ws = 7, win = 257): { p: Peer; a: App } {
  const p = new Peer({ profile });
  const a = listening(p);
  p.send(`S 0 win=65535 mss=${MSS} ws=${ws}`);
  p.out();
  p.advance(rtt);
  p.send(`. 1 ack=1 win=${win}`);
  p.out();
  return { p, a };
}

function write(a: App, octets: number, flags = 0): number {
  return a.connection!.send(new Uint8Array(octets), 0, octets, flags);
}

/** `flags seq:len` of each line. */
function brief(lines: readonly string[]): string[] {
  return lines.map((l) => l.replace(/ ack=.*/, ''));
}

describe('a profile with super-segments', () => {
  test('is refused in one sentence by a host that was made without them', () => {
    const make = (more: Partial<HostOptions>): Host => new Host({ key: new Uint8Array(16), profile: BURSTS, ...more });
    expect(() => make({})).toThrow(
      expect.objectContaining({
        name: 'StateError',
        message: "this host was made without `superSegments` of 'synfin': new Host({ superSegments, ... })",
      }),
    );
    expect(make({ superSegments }).superSegments).toBe(superSegments);
    // One that has no use for them does not plan by them.
    expect(make({ superSegments, profile: {} }).superSegments).toBe(null);
  });
});

describe('records (MSG_EOR)', () => {
  test('what is written behind the end of a record shares no segment with it', () => {
    const { p, a } = open();
    write(a, 12_300, WRITE_ENDS);
    write(a, 400, WRITE_ENDS);
    write(a, 500);
    p.out();
    a.connection!.setNoDelay(true);
    p.send('. 1 ack=10001 win=257');
    expect(brief(p.out())).toEqual(['. 10001:1000', '. 11001:1000', 'P. 12001:300', 'P. 12301:400', 'P. 12701:500']);
  });

  test('a record is closed also when it goes out before the next is written', () => {
    const { p, a } = open();
    write(a, 300, WRITE_ENDS);
    expect(brief(p.out())).toEqual(['P. 1:300']);
    a.connection!.setNoDelay(true);
    write(a, 200);
    expect(brief(p.out())).toEqual(['P. 301:200']);
  });

  test('a small record that is not the last is not held back by Nagle', () => {
    const { p, a } = open();
    write(a, 100);
    p.out();
    write(a, 50, WRITE_ENDS);
    write(a, 60);
    expect(brief(p.out())).toEqual(['P. 101:50']);
  });

  test('records sent again stay apart', () => {
    const { p, a } = open(BURSTS);
    write(a, 400, WRITE_ENDS);
    write(a, 400, WRITE_ENDS);
    a.connection!.setNoDelay(true);
    expect(brief(p.out())).toEqual(['P. 1:400', 'P. 401:400']);
    const again = p.advance(1100).map((l) => l.replace(/^@\d+ /, ''));
    expect(brief(again)[0]).toBe('P. 1:400');
    p.send('. 1 ack=401 win=257');
    expect(brief(p.out())).toEqual(['P. 401:400']);
  });

  test('many records in a row, more than the first memory for them', () => {
    const { p, a } = open({ initialWindow: 100 });
    write(a, 1000);
    p.out();
    for (let k = 0; k < 40; k++) write(a, 10 + k, WRITE_ENDS);
    const lengths = p.out().map((l) => Number(/:(\d+)/.exec(l)![1]));
    // The last one waits: it is small, and the end of the queue.
    expect(lengths).toEqual(Array.from({ length: 39 }, (_, k) => 10 + k));
  });
});

describe('more follows (MSG_MORE)', () => {
  test('a small write waits for the rest, whatever Nagle says, and then they leave together', () => {
    const { p, a } = open();
    a.connection!.setNoDelay(true);
    write(a, 40, WRITE_MORE);
    expect(p.out()).toEqual([]);
    write(a, 60);
    expect(brief(p.out())).toEqual(['P. 1:100']);
  });

  test('nothing follows: the small segment goes out after a retransmission timeout at most, with PSH where bursts are pushed', () => {
    const { p, a } = open(BURSTS);
    write(a, 40, WRITE_MORE);
    expect(p.advance(199)).toEqual([]);
    expect(brief(p.advance(2))).toEqual(['@1 P. 1:40']);
  });

  test('full segments leave; an acknowledgement lets the rest go, without PSH because the write did not end', () => {
    const { p, a } = open(BURSTS);
    write(a, 1000);
    p.out();
    write(a, 150, WRITE_MORE);
    expect(p.out()).toEqual([]);
    p.send('. 1 ack=1001 win=257');
    expect(brief(p.out())).toEqual(['. 1001:150']);
  });

  test('setting no-delay lets it go at once', () => {
    const { p, a } = open();
    write(a, 40, WRITE_MORE);
    a.connection!.setNoDelay(true);
    expect(brief(p.out())).toEqual(['. 1:40']);
  });

  test('setting no-delay lets go what a cork holds, and no more than was written by then', () => {
    const { p, a } = open();
    a.connection!.setCork(true);
    write(a, 40);
    a.connection!.setNoDelay(true);
    expect(brief(p.out())).toEqual(['P. 1:40']);
    write(a, 50);
    expect(p.out()).toEqual([]);
  });
});

describe('PSH', () => {
  test('by default it marks the end of what was written', () => {
    const { p, a } = open();
    a.connection!.setNoDelay(true);
    write(a, 2500);
    expect(brief(p.out())).toEqual(['. 1:1000', '. 1001:1000', 'P. 2001:500']);
  });

  test('a piece ends where a write filled it: half of the largest window', () => {
    const { p, a } = open({ ...BURSTS, pushBursts: false, initialWindow: 30 }, 0, 0, 10_000);
    write(a, 12_000);
    const pushed = p.out().filter((l) => l.startsWith('P'));
    // 65535 was offered in the SYN: half of it is more than was written.
    expect(brief(pushed)).toEqual([]);
    p.send('. 1 ack=10001 win=10000');
    expect(brief(p.out()).at(-1)).toBe('P. 11001:1000');
  });

  test('segments that leave together end with it', () => {
    const { p, a } = open(BURSTS);
    write(a, 20_000);
    // Half of the window at a time.
    expect(brief(p.out()).map((l) => l.startsWith('P'))).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0, 1].map((n) => n === 1));
  });

  test('on a long path the rate makes them two at a time, and one alone has none', () => {
    const { p, a } = open(BURSTS, 100);
    const { connection } = a;
    write(a, 4000);
    write(a, 3000, WRITE_MORE);
    expect(connection!.flightSize).toBe(0);
    expect(brief(p.out()).map((l) => l.startsWith('P'))).toEqual([false, true, false, true, false, true, false]);
  });

  test('it does not come back on a part of what left together: only the end of a write keeps it', () => {
    const { p, a } = open(BURSTS, 100);
    write(a, 4000);
    p.out();
    const again = p.advance(1000).map((l) => l.replace(/^@\d+ /, ''));
    expect(brief(again)[0]).toBe('. 1:1000');
  });
});

describe('waiting for a larger super-segment', () => {
  /** Ten segments are out for 100 ms; two acknowledgements come in the same moment. */
  function twoAcks(profile: Partial<Profile>): string[][] {
    const { p, a } = open({ ...BURSTS, ...profile }, 100);
    write(a, 60_000);
    p.out();
    p.advance(100);
    p.send('. 1 ack=1001 win=257');
    const first = brief(p.out());
    p.send('. 1 ack=2001 win=257');
    return [first, brief(p.out())];
  }

  test('a little room just after the last burst is left to grow', () => {
    const [first, second] = twoAcks({ superSegmentLeast: 4 });
    expect(first).toHaveLength(2);
    expect(second).toHaveLength(0);
  });

  test('a profile may send at once', () => {
    const [, second] = twoAcks({ superSegmentLeast: 4, superSegmentDivisor: 0 });
    expect(second).toHaveLength(2);
  });
});

describe('bursts of segments that are planned on their own', () => {
  /** A hundred segments are out for 10 ms, a window of which is acknowledged two by two; `pause` ms after each. */
  function acked(profile: Partial<Profile>, pause: number): string[][] {
    const { p, a } = open({ initialWindow: 100, sendBuffer: 400_000, ...profile }, 10, 7, 8000);
    write(a, 300_000);
    expect(p.out()).toHaveLength(100);
    p.advance(10);
    return [1, 2, 3, 4, 5].map((n) => {
      p.send(`. 1 ack=${2000 * n + 1} win=8000`);
      const sent = brief(p.out());
      return [...sent, ...brief(p.advance(pause))];
    });
  }

  test('wait until eight may leave together, while acknowledgements come thick and fast', () => {
    const bursts = acked({}, 0);
    expect(bursts.map((burst) => burst.length)).toEqual([4, 0, 8, 0, 8]);
    expect(bursts[2]!.every((segment) => /^\. \d+:1000$/.test(segment))).toBe(true);
  });

  test('wait for nothing when the last burst left a millisecond ago', () => {
    expect(acked({}, 1).map((burst) => burst.length)).toEqual([4, 4, 4, 4, 4]);
  });

  test('are as large as a profile has them, and wait only when it says so', () => {
    expect(acked({ burstMost: 6 }, 0).map((burst) => burst.length)).toEqual([4, 0, 6, 6, 0]);
    expect(acked({ burstMost: 4 }, 0).map((burst) => burst.length)).toEqual([4, 4, 4, 4, 4]);
    expect(acked({ superSegmentDivisor: 0 }, 0).map((burst) => burst.length)).toEqual([4, 4, 4, 4, 4]);
  });

  test('leave a small end of the queue to Nagle', () => {
    const { p, a } = open({ initialWindow: 100 }, 10, 7, 8000);
    write(a, 3300);
    expect(brief(p.out())).toEqual(['. 1:1000', '. 1001:1000', '. 2001:1000']);
    p.send('. 1 ack=3001 win=8000');
    expect(brief(p.out())).toEqual(['P. 3001:300']);
  });
});

describe('room to write', () => {
  test('a write is taken in whole pieces while there is any room, each with what it costs', () => {
    const { a } = open({ ...BURSTS, sendBuffer: 50_000 });
    a.connection!.setSendBuffer(40_000);
    // Half of 65535: pieces of 32 segments; the second begins below the limit.
    expect(write(a, 100_000)).toBe(10_000 + 32_000);
    expect(write(a, 1)).toBe(0);
  });

  test('a send buffer that was set holds exactly so much by default', () => {
    const { a } = open();
    a.connection!.setSendBuffer(5000);
    expect(write(a, 100_000)).toBe(5000);
    expect(() => a.connection!.setSendBuffer(0)).toThrow(RangeError);
  });

  test('the low-water mark stops a program that writes ahead of what is sent, and tells it at half of it', () => {
    const { p, a } = open({}, 0, 0, 3000);
    const { connection } = a;
    connection!.setNotSentLowWater(4000);
    expect(write(a, 100_000)).toBe(4000);
    expect(connection!.writable).toBe(0);
    p.advance(1);
    // Three went out, and one is less than two.
    expect(a.log).toEqual(['accept', 'writable']);
    expect(write(a, 100_000)).toBe(3000);
    p.advance(1);
    p.send('. 1 ack=2001 win=3000');
    p.advance(1);
    expect(connection!.unsent).toBe(2000);
    expect(a.log).toEqual(['accept', 'writable']);
    p.send('. 1 ack=3001 win=3000');
    p.advance(1);
    expect(a.log).toEqual(['accept', 'writable', 'writable']);
  });

  test('a mark of a profile is that of its connections; what is none is refused', () => {
    const { a } = open({ notSentLowWater: 700 });
    expect(a.connection!.writable).toBe(700);
    a.connection!.setNotSentLowWater(-1);
    expect(a.connection!.writable).toBeGreaterThan(100_000);
    expect(() => a.connection!.setNotSentLowWater(0)).toThrow(RangeError);
  });

  test('a buffer that held the program back grows with the window, and the program hears of it at a third', () => {
    const { p, a } = open({ ...BURSTS, sendBuffer: 20_000, sendBufferMax: 4_000_000 }, 0, 7, 257);
    const { connection } = a;
    const first = write(a, 200_000);
    expect(first).toBeLessThan(200_000);
    p.out();
    for (let n = 1; !a.log.includes('writable') && n < 10; n++) {
      p.send(`. 1 ack=${1 + 10_000 * n} win=2000`);
      p.out();
    }
    expect(a.log).toContain('writable');
    expect(connection!.rare.sendGrown).toBeGreaterThan(20_000);
  });
});
