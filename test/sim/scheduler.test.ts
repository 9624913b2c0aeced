import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../src/sim/clock.ts';
import { type Scheduled, Scheduler } from '../../src/sim/scheduler.ts';

interface Item extends Scheduled {
  name: number;
}

const item = (name: number): Item => ({ at: 0, order: 0, name });

describe('Scheduler', () => {
  it('gives items by time, and those of one time in the order of scheduling', () => {
    fc.assert(
      // Few distinct times, so that ties are the rule.
      fc.property(fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant('pop' as const))), (script) => {
        const scheduler = new Scheduler<Item>();
        let naive: { at: number; name: number }[] = [];
        script.forEach((step, name) => {
          if (step === 'pop') {
            naive = [...naive].sort((a, b) => a.at - b.at || a.name - b.name);
            const expected = naive.shift();
            expect(scheduler.nextAt).toBe(expected?.at ?? Number.POSITIVE_INFINITY);
            expect(scheduler.peek()?.name).toBe(expected?.name);
            expect(scheduler.pop()?.name).toBe(expected?.name);
          } else {
            naive.push({ at: step, name });
            scheduler.push(item(name), step);
          }
          expect(scheduler.size).toBe(naive.length);
        });
      }),
      { seed: 4711, numRuns: 300 },
    );
  });

  it('refuses a time that is not a number', () => {
    expect(() => new Scheduler<Item>().push(item(1), Number.NaN)).toThrow(RangeError);
  });
});

describe('VirtualClock', () => {
  it('moves forward, stands still, and refuses to go back', () => {
    const clock = new VirtualClock();
    clock.advanceTo(1.5);
    clock.advanceTo(1.5);
    expect(clock.now).toBe(1.5);
    expect(() => clock.advanceTo(1.25)).toThrow(RangeError);
    expect(() => clock.advanceTo(Number.NaN)).toThrow(RangeError);
  });
});
