// The scoreboard against a naive one, which keeps a flag for every octet.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AGAIN, Delivery, EVER_AGAIN, LOST, SACKED, Scoreboard, TRAIN_END } from '../../src/tcp/scoreboard.ts';

const MSS = 10;

/** One entry per octet in flight, oldest first. */
interface Octet {
  sacked: boolean;
  lost: boolean;
  again: boolean;
}

class Naive {
  octets: Octet[] = [];

  count(test: (o: Octet) => boolean): number {
    return this.octets.filter(test).length;
  }
}

type Step =
  | { kind: 'send'; octets: number }
  | { kind: 'ack'; part: number }
  | { kind: 'sack'; from: number; to: number }
  | { kind: 'lose'; which: number }
  | { kind: 'again' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('send' as const), octets: fc.integer({ min: 1, max: 45 }) }),
  fc.record({ kind: fc.constant('ack' as const), part: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({
    kind: fc.constant('sack' as const),
    from: fc.double({ min: 0, max: 1, noNaN: true }),
    to: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({ kind: fc.constant('lose' as const), which: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ kind: fc.constant('again' as const) }),
);

test('agrees with a flag per octet, across the wrap of sequence numbers', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.boolean(), (steps, wraps) => {
      const start = wraps ? 0x7fff_fff0 : 5;
      const board = new Scoreboard();
      board.fack = start;
      const naive = new Naive();
      const delivery = new Delivery();
      let una = start;
      let nxt = start;
      let now = 0;
      for (const s of steps) {
        now++;
        delivery.reset(board.fack);
        const flight = (nxt - una) | 0;
        const arrivedBefore = naive.count((o) => o.sacked);
        switch (s.kind) {
          case 'send':
            board.sent(nxt, (nxt + s.octets) | 0, MSS, { now });
            for (let i = 0; i < s.octets; i++) naive.octets.push({ sacked: false, lost: false, again: false });
            nxt = (nxt + s.octets) | 0;
            break;
          case 'ack': {
            const n = Math.floor(s.part * flight);
            const fresh = naive.octets.slice(0, n).filter((o) => !o.sacked).length;
            una = (una + n) | 0;
            naive.octets.splice(0, n);
            board.acknowledge(una, delivery);
            expect(delivery.octets).toBe(fresh);
            break;
          }
          case 'sack': {
            const a = Math.floor(Math.min(s.from, s.to) * flight);
            const b = Math.floor(Math.max(s.from, s.to) * flight);
            // Only whole records count; which octets those are is read off the board itself.
            for (let i = 0; i < board.count; i++) {
              const from = (board.from(i) - una) | 0;
              const to = (board.to(i) - una) | 0;
              if (from < a || to > b) continue;
              for (let k = from; k < to; k++) naive.octets[k] = { sacked: true, lost: false, again: false };
            }
            board.sack((una + a) | 0, (una + b) | 0, delivery);
            expect(delivery.sacked).toBe(naive.count((o) => o.sacked) - arrivedBefore);
            break;
          }
          case 'lose': {
            if (board.count === 0) break;
            const i = Math.min(Math.floor(s.which * board.count), board.count - 1);
            const from = (board.from(i) - una) | 0;
            const to = (board.to(i) - una) | 0;
            const has = (board.flags(i) & SACKED) !== 0;
            expect(board.markLost(i)).toBe(!has);
            if (!has) for (let k = from; k < to; k++) naive.octets[k] = { sacked: false, lost: true, again: false };
            break;
          }
          case 'again': {
            const i = board.firstLost();
            const first = naive.octets.findIndex((o) => o.lost && !o.again);
            expect(i < 0 ? -1 : (board.from(i) - una) | 0).toBe(first);
            if (i < 0) break;
            const to = (board.to(i) - una) | 0;
            for (let k = first; k < to; k++) naive.octets[k]!.again = true;
            board.sentAgain(i, board.to(i), now);
            expect(board.flags(i) & (LOST | AGAIN | EVER_AGAIN)).toBe(LOST | AGAIN | EVER_AGAIN);
            break;
          }
        }
        expect(naive.octets.length).toBe((nxt - una) | 0);
        expect(board.sackedOctets).toBe(naive.count((o) => o.sacked));
        expect(board.lostOctets).toBe(naive.count((o) => o.lost));
        expect(board.againOctets).toBe(naive.count((o) => o.again));
        expect(board.pipe((nxt - una) | 0)).toBe(naive.count((o) => !o.sacked && (!o.lost || o.again)));
      }
    }),
    { numRuns: 400, seed: 2018 },
  );
});

test('what is acknowledged at once counts as it does record by record', () => {
  let acknowledged = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), fc.nat(20), fc.boolean(), (steps, clock, inside) => {
      const boards = [new Scoreboard(), new Scoreboard()] as const;
      const deliveries = [new Delivery(), new Delivery()] as const;
      const start = 0x7fff_fe00;
      let nxt = start;
      for (const [i, board] of boards.entries()) {
        board.fack = start;
        nxt = start;
        let now = 0;
        for (const s of steps) {
          // Several steps share a moment, as segments of one burst do.
          now += clock === 0 ? 1 : now % clock === 0 ? 0.5 : 0;
          const at = (part: number): number => (start + Math.floor(((nxt - start) | 0) * part)) | 0;
          if (s.kind === 'send') {
            board.sent(nxt, (nxt + 10 * s.octets) | 0, MSS, { now }, s.octets & TRAIN_END);
            nxt = (nxt + 10 * s.octets) | 0;
          } else if (s.kind === 'sack' && s.from < s.to) {
            board.sack(at(s.from), at(s.to), deliveries[i]!);
          } else if (s.kind === 'lose' && board.count > 0) {
            board.markLost(Math.min(Math.floor(s.which * board.count), board.count - 1));
          } else if (s.kind === 'again' && board.firstLost() >= 0) {
            board.sentAgain(board.firstLost(), board.to(board.firstLost()), now);
          }
        }
        board.firstLost();
        deliveries[i]!.reset(board.fack);
      }
      const ends: number[] = [];
      for (let i = 0; i < boards[1].count; i++) ends.push(boards[1].to(i));
      const last = ends[Math.floor(ends.length * 0.8)];
      if (last === undefined) return;
      const una = inside ? (last - 3) | 0 : last;
      for (const end of ends) if (((end - una) | 0) < 0) boards[1].acknowledge(end, deliveries[1]);
      boards[1].acknowledge(una, deliveries[1]);
      boards[0].acknowledge(una, deliveries[0]);
      acknowledged += deliveries[0].segments;
      expect(boards[0].count).toBe(ends.filter((end) => ((end - una) | 0) > 0).length);
      expect(deliveries[0]).toEqual(deliveries[1]);
      const all = (board: Scoreboard) => [
        [board.count, board.sackedOctets, board.lostOctets, board.againOctets, board.fack, board.trains],
        [board.sackedCount, board.lostCount, board.againCount, board.firstLost()],
        Array.from({ length: board.count }, (_, i) => [board.from(i), board.to(i), board.sentAt(i), board.flags(i)]),
      ];
      expect(all(boards[0])).toEqual(all(boards[1]));
    }),
    { seed: 5, numRuns: 300 },
  );
  expect(acknowledged).toBeGreaterThan(10_000);
});

test('a record sent again in part is split: the rest is still lost', () => {
  const board = new Scoreboard();
  board.sent(0, 10, MSS, { now: 1 });
  board.markLost(0);
  board.sentAgain(0, 4, 2);
  expect([board.count, board.to(0), board.from(1), board.againOctets, board.lostOctets]).toEqual([2, 4, 4, 4, 10]);
  expect(board.firstLost()).toBe(1);
});

test('a FIN rides on the last segment; a super-segment has a record for each segment in it', () => {
  const board = new Scoreboard();
  board.sent(0, 3 * MSS + 1, MSS, { now: 1 });
  expect(Array.from({ length: board.count }, (_, i) => board.to(i))).toEqual([10, 20, 31]);
});

test('the records of a super-segment go round the ends of the ring, at any place of it', () => {
  for (let gone = 0; gone < 16; gone++) {
    const board = new Scoreboard();
    board.sent(0, gone * MSS, MSS, { now: 1 });
    board.acknowledge((gone - 1) * MSS, new Delivery());
    board.sent(gone * MSS, (gone + 13) * MSS + 4, MSS, { now: 2.5 }, TRAIN_END);
    const records = Array.from({ length: board.count }, (_, i) => [board.from(i), board.to(i), board.sentAt(i)]);
    const from = gone === 0 ? 0 : gone - 1;
    const expected = Array.from({ length: gone + 14 - from }, (_, k) => {
      const n = from + k;
      return [n * MSS, n === gone + 13 ? n * MSS + 4 : (n + 1) * MSS, n < gone ? 1 : 2.5];
    });
    expect(records.slice(gone === 0 ? 1 : 0)).toEqual(expected);
    expect([board.flags(board.count - 1), board.flags(board.count - 2)]).toEqual([TRAIN_END, 0]);
  }
});

test('what the receiver takes back is in flight again (RFC 2018 §8)', () => {
  const board = new Scoreboard();
  board.sent(0, 20, MSS, { now: 1 });
  board.sack(10, 20, new Delivery());
  board.renege();
  expect([board.sackedOctets, board.sackedCount, board.pipe(20)]).toEqual([0, 0, 20]);
});
