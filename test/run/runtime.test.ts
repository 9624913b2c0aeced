import { describe, expect, it, vi } from 'vitest';
import { NetError } from '../../src/base/errors.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { afterIo, createRuntime, LONGEST_DELAY, type Runtime, randomKey, systemClock } from '../../src/run/index.ts';
import { FakeClock, FakeHost, type FakeInterface, FakeLink } from './fakes.ts';

function start(): { host: FakeHost; clock: FakeClock; link: FakeLink; runtime: Runtime<FakeInterface> } {
  const host = new FakeHost();
  const clock = new FakeClock();
  const runtime = createRuntime({ host, clock });
  const link = new FakeLink();
  runtime.attach(link, { addresses: ['10.0.0.1/24'], gateways: ['10.0.0.254'], name: 'up' });
  clock.flush();
  host.diary.length = 0;
  link.pumps = 0;
  return { host, clock, link, runtime };
}

describe('runtime', () => {
  it('gives the host an interface with what the link says', () => {
    const { host } = start();
    expect(host.options).toEqual({
      medium: 'ip',
      mtu: 1500,
      mac: null,
      caps: { txChecksum: false, tso: 0 },
      addresses: ['10.0.0.1/24'],
      gateways: ['10.0.0.254'],
      name: 'up',
    });
  });

  it('a turn takes inputs, then events, then packets out, with one time for the batch', () => {
    const { host, clock, link } = start();
    clock.time = 1234.5;
    host.events.push(() => {
      host.diary.push('event');
      host.command('up', 1);
    });
    link.incoming(1, 2);
    expect(host.diary).toEqual(['receive up 1 at 1234.5', 'receive up 2 at 1234.5', 'event', 'transmit up at 1234.5']);
  });

  it('reads the clock once for a few packets and their answers, and again after many', () => {
    const { host, clock, link } = start();
    clock.takes = 1;
    host.events.push(() => host.command('up', 1));
    link.incoming(...Array.from({ length: 8 }, (_, n) => n));
    expect(host.diary.filter((line) => line.endsWith('at 1001')).length).toBe(9);
    host.diary.length = 0;
    host.events.push(() => host.command('up', 1));
    link.incoming(...Array.from({ length: 9 }, (_, n) => n));
    const [first, last] = [host.diary[0]!, host.diary.at(-1)!].map((line) => Number(line.split('at ')[1]));
    expect(last).toBe(first! + 1);
  });

  it('delivers until nothing is left before it pumps', () => {
    const { host, link } = start();
    host.events.push(() => host.events.push(() => host.diary.push(`second, pumps ${link.pumps}`)));
    link.incoming(1);
    expect(host.diary.at(-1)).toBe('second, pumps 0');
  });

  it('wakes once for many commands, soon and not at once', () => {
    const { host, clock, link } = start();
    host.command('up', 1);
    host.command('up', 1);
    expect(link.sent).toBe(0);
    expect(clock.soonList.length).toBe(1);
    clock.flush();
    expect([link.sent, link.pumps]).toEqual([2, 1]);
  });

  it('reads the clock once for the commands before a turn, and again for those after it', () => {
    const { host, clock } = start();
    clock.takes = 1;
    const readings = (run: () => void): number => {
      const before = clock.time;
      run();
      return clock.time - before;
    };
    const twice = (): void => {
      host.command('up', 1);
      host.command('up', 1);
    };
    expect(readings(twice)).toBe(1);
    clock.flush();
    expect(readings(twice)).toBe(1);
  });

  it('a command inside a turn makes that turn longer and schedules nothing', () => {
    const { host, clock, link, runtime } = start();
    host.events.push(() => {
      host.command('up', 1);
      runtime.turn();
    });
    link.incoming(1);
    expect([link.sent, clock.soonList.length]).toEqual([1, 0]);
  });

  it('fires timers when they are due and not before, and sleeps until the next', () => {
    const { host, clock, runtime } = start();
    host.deadline = 1050.25;
    runtime.turn();
    expect(clock.timers.map((timer) => timer.delay)).toEqual([51]);
    clock.advance(49);
    expect(host.diary).toEqual([]);
    clock.advance(10);
    expect(host.diary).toEqual(['timers at 1051']);
    expect(clock.timers).toEqual([]);
  });

  it('leaves a timer that fires too early alone, and moves one that fires too late', () => {
    const { host, clock, runtime } = start();
    host.deadline = 1100;
    runtime.turn();
    host.deadline = 1200;
    runtime.turn();
    runtime.turn();
    expect(clock.set).toBe(1);
    host.deadline = 1020;
    runtime.turn();
    expect([clock.set, clock.timers.length]).toEqual([2, 1]);
    host.deadline = 1500;
    expect(clock.advance(600)).toBe(2);
    expect(host.diary).toEqual(['timers at 1500']);
  });

  it('sets no timer again for the same deadline, whatever the rounding', () => {
    const { host, clock, runtime } = start();
    host.deadline = 1000.3;
    for (let i = 0; i < 5; i++) runtime.turn();
    expect(clock.set).toBe(1);
  });

  it('a deadline weeks away does not fire at once (trap 58)', () => {
    const { host, clock, runtime } = start();
    host.deadline = 1000 + 10 * LONGEST_DELAY;
    runtime.turn();
    expect(clock.timers[0]!.delay).toBe(LONGEST_DELAY);
    expect(clock.advance(9.5 * LONGEST_DELAY)).toBe(9);
    expect(host.diary).toEqual([]);
    clock.advance(LONGEST_DELAY);
    expect(host.diary.length).toBe(1);
  });

  it('does not spin while a link is full, and goes on when it has room', () => {
    const { host, clock, link } = start();
    link.room = 1;
    host.command('up', 3);
    clock.flush();
    expect(link.sent).toBe(1);
    expect(clock.advance(100)).toBe(0);
    host.deadline = clock.time + 5;
    host.command('up', 0);
    clock.flush();
    clock.advance(10);
    expect(host.diary.at(-1)).toBe(`timers at ${clock.time - 5}`);
    expect(link.sent).toBe(1);
    link.room = 5;
    link.port!.writable();
    expect(link.sent).toBe(3);
    expect(clock.timers).toEqual([]);
  });

  it('a handler that throws stops neither the other handlers nor the packets; the error comes out afterwards', () => {
    const { host, clock, link } = start();
    const bang = new Error('bang');
    host.events.push(
      () => {
        throw bang;
      },
      () => host.command('up', 2),
    );
    expect(() => link.incoming(1)).not.toThrow();
    expect(link.sent).toBe(2);
    expect(() => clock.flush()).toThrow(bang);
    link.incoming(2);
    expect(host.diary.at(-1)).toBe('receive up 2 at 1000');
  });

  it('endless work inside a turn leaves the event loop its chance', () => {
    const { host, clock, link } = start();
    let budget = 0;
    host.deliver = () => {
      host.onWake?.();
      return ++budget % 2 === 0;
    };
    link.incoming(1);
    expect(link.pumps).toBeLessThan(1000);
    expect(clock.timers.length).toBe(1);
  });

  it('an interface that goes down closes its link and tells the host', () => {
    const { host, clock, link } = start();
    link.port!.down(new NetError('ENETDOWN', 'read'));
    link.port!.down(new NetError('ENETDOWN', 'read'));
    expect(host.diary).toEqual(['down up ENETDOWN']);
    expect(link.closed).toBe(1);
    host.interfaces[0]!.output = 1;
    link.pump();
    expect(link.sent).toBe(0);
    clock.flush();
    expect(link.pumps).toBe(1);
  });

  it('attaches nothing when the link does not open', () => {
    const { host, runtime } = start();
    const link = new FakeLink();
    link.open = () => {
      throw new Error('no such device');
    };
    expect(() => runtime.attach(link, { addresses: [], name: 'bad' })).toThrow('no such device');
    expect(host.diary).toEqual(['down bad ENETDOWN']);
  });

  it('closing tells the program, sends the last packets, closes the links and stays silent', () => {
    const { host, clock, link, runtime } = start();
    host.deadline = 5000;
    host.interfaces[0]!.output = 1;
    runtime.close();
    runtime.close();
    expect(host.diary).toEqual(['close', 'told of the end', 'transmit up at 1000']);
    expect([link.closed, clock.timers.length, host.onWake]).toEqual([1, 0, null]);
    link.incoming(1);
    runtime.turn();
    expect(host.diary.length).toBe(3);
    expect(() => runtime.attach(new FakeLink(), { addresses: [] })).toThrow('closed');
  });

  it('closing from inside a handler ends with that turn', () => {
    const { host, link, runtime } = start();
    host.events.push(() => {
      host.interfaces[0]!.output = 1;
      runtime.close();
    });
    link.incoming(1);
    expect(host.diary.slice(1)).toEqual(['close', 'told of the end', 'transmit up at 1000']);
    expect(link.closed).toBe(1);
  });

  it('pending deadlines hold the process unless told otherwise', () => {
    const { host, clock, runtime } = start();
    host.deadline = 1100;
    runtime.turn();
    expect(clock.timers[0]!.hold).toBe(true);
    runtime.unref();
    expect(clock.timers[0]!.hold).toBe(false);
    host.deadline = 1010;
    runtime.turn();
    expect(clock.timers[0]!.hold).toBe(false);
    runtime.ref();
    expect(clock.timers[0]!.hold).toBe(true);
  });
});

describe('the platform', () => {
  it('two runtimes talk over a pipe on the real clock', async () => {
    const [a, b] = [new FakeHost(), new FakeHost()];
    const pipe = createPipe({ schedule: afterIo });
    const near = createRuntime({ host: a });
    const far = createRuntime({ host: b });
    near.attach(pipe.a, { addresses: [], name: 'a' });
    far.attach(pipe.b, { addresses: [], name: 'b' });
    const told = new Promise<void>((resolve) => {
      b.deadline = near.now() + 5;
      b.onTimers = () => b.command('b', 1);
      a.receive = () => resolve();
    });
    far.turn();
    await told;
    near.close();
    far.close();
  });

  it('the clock goes forward and timers can be let go', async () => {
    const clock = systemClock();
    const before = clock.now();
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(resolve, 1);
      clock.holdTimer(timer, false);
      clock.holdTimer(timer, true);
    });
    expect(clock.now()).toBeGreaterThan(before);
  });

  it('soon is on a stack of its own, in order, before the event loop goes on', async () => {
    const clock = systemClock();
    const order: string[] = [];
    const later = new Promise((resolve) => setImmediate(resolve)).then(() => order.push('event loop'));
    clock.soon(() => {
      order.push('first');
      clock.soon(() => order.push('from the first'));
    });
    clock.soon(() => order.push('second'));
    order.push('caller');
    await later;
    expect(order).toEqual(['caller', 'first', 'second', 'from the first', 'event loop']);
  });

  it('what is thrown in soon is an uncaught error, and keeps nothing from running', async () => {
    const clock = systemClock();
    const kept = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    try {
      const caught = new Promise((resolve) =>
        process.once('uncaughtException', (error, origin) => resolve([error, origin])),
      );
      const ran = vi.fn();
      const error = new Error('thrown');
      clock.soon(() => {
        throw error;
      });
      clock.soon(ran);
      expect(await caught).toEqual([error, 'uncaughtException']);
      expect(ran).toHaveBeenCalledOnce();
    } finally {
      for (const listener of kept) process.on('uncaughtException', listener);
    }
  });

  it('afterIo works without setImmediate, in order', async () => {
    const platform = globalThis as { setImmediate?: unknown };
    const { setImmediate } = platform;
    platform.setImmediate = undefined;
    try {
      // The platform's functions are taken when the module is loaded.
      vi.resetModules();
      const { afterIo: ofMessages } = await import('../../src/run/clock.ts');
      const order: number[] = [];
      await new Promise<void>((resolve) => {
        ofMessages(() => order.push(1));
        ofMessages(() => order.push(2));
        ofMessages(resolve);
      });
      expect(order).toEqual([1, 2]);
    } finally {
      platform.setImmediate = setImmediate;
    }
  });

  it('makes keys that differ', () => {
    expect(randomKey().length).toBe(32);
    expect(randomKey(16)).not.toEqual(randomKey(16));
  });
});
