// The pool of a client, over hosts of the simulator: time is virtual, and every run is the same run.

import { describe, expect, it } from 'vitest';
import type { NetError } from '../../src/base/errors.ts';
import {
  ClientPool,
  HttpServerStream,
  type PoolOptions,
  type RequestInit,
  type ServerStreamOptions,
} from '../../src/http/index.ts';
import { pair } from '../../src/sim/index.ts';
import { bytesOf, textOf } from './tr.ts';

/** A request's fate. */
interface Fate {
  status: number;
  body: string;
  ended: string;
  starts: number;
  abort(): void;
}

/** A client and a server, 20 ms apart, and the loop that owns both. */
class World {
  readonly net: ReturnType<typeof pair> = pair({ seed: 3, impairments: { delay: 20 } });
  readonly servers: Set<HttpServerStream> = new Set();
  readonly pool: ClientPool;
  /** Targets in the order in which the server saw them. */
  seen: string[] = [];
  accepted = 0;
  /** Answers that are held back. */
  held: (() => void)[] = [];
  hold = false;

  constructor(server: Partial<ServerStreamOptions> = {}, client: Partial<PoolOptions> = {}) {
    this.net.server.listen({ port: 80 }, (stream) => {
      this.accepted++;
      const connection: HttpServerStream = new HttpServerStream(stream, {
        onRequest: (request, response) => {
          this.seen.push(`${request.method} ${request.target}`);
          const answer = (): void => response.end(bytesOf(request.target));
          if (this.hold) this.held.push(answer);
          else answer();
        },
        onClose: () => this.servers.delete(connection),
        ...server,
      });
      this.servers.add(connection);
    });
    const connect: PoolOptions['connect'] = () =>
      this.net.client.connect({ address: this.net.serverAddress, port: 80 });
    this.pool = new ClientPool({ connect, ...client });
  }

  ask(target: string, init: Partial<RequestInit> = {}): Fate {
    const fate: Fate = { status: 0, body: '', ended: '', starts: 0, abort: () => {} };
    const asked = this.pool.request(
      'o',
      { target, headers: { Host: 'a' }, ...init },
      {
        onStart: () => fate.starts++,
        onResponse: (response) => {
          fate.status = response.status;
        },
        onData: (bytes, from, to) => {
          fate.body += textOf(bytes.subarray(from, to));
        },
        onEnd: () => {
          fate.ended += 'end';
        },
        onError: (error) => {
          fate.ended += `error ${(error as NetError).code ?? (error as { fault?: string }).fault}`;
        },
      },
    );
    fate.abort = () => asked.abort();
    return fate;
  }

  /** Lets time pass, a millisecond at a time. */
  pass(ms: number): void {
    const { network } = this.net;
    const end = network.now + ms;
    while (network.now < end) {
      network.run({ until: Math.min(end, network.now + 1) });
      for (const server of [...this.servers]) server.timersFire(network.now);
      this.pool.timersFire(network.now);
    }
  }
}

describe('the race between a request and the close of an idle connection', () => {
  /** Asks once, then again so long after the answer that request and close may cross. */
  function race(
    after: number,
    init: Partial<RequestInit>,
    server: Partial<ServerStreamOptions>,
  ): { world: World; fate: Fate } {
    const world = new World({ timeouts: { idle: 1000, grace: 500 }, ...server }, { keep: 100_000 });
    const first = world.ask('/1');
    while (first.ended === '') world.pass(1);
    world.pass(after);
    const fate = world.ask('/2', init);
    world.pass(500);
    return { world, fate };
  }
  const around = Array.from({ length: 120 }, (_, i) => 930 + i);

  it('never shows to who may repeat: every request is answered, seen once, and sent at most twice', () => {
    let repeated = 0;
    let reused = 0;
    for (const after of around) {
      const { world, fate } = race(after, {}, {});
      expect([after, fate.status, fate.body, fate.ended]).toEqual([after, 200, '/2', 'end']);
      expect(world.seen).toEqual(['GET /1', 'GET /2']);
      if (fate.starts === 2) repeated++;
      else if (world.accepted === 1) reused++;
    }
    // The close was under way for some 40 ms; before that the connection is used, after that it is known to be gone.
    expect([repeated > 20 && repeated < 60, reused > 10, around.length - repeated - reused > 10]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('repeats content that is at hand, with a method that may be repeated', () => {
    for (const after of around) {
      const { world, fate } = race(after, { method: 'PUT', body: bytesOf('x') }, {});
      expect([fate.status, world.seen]).toEqual([200, ['GET /1', 'PUT /2']]);
    }
  });

  it('repeats no POST: it is answered once or fails, and never seen twice', () => {
    const fates = new Set<string>();
    for (const after of around) {
      const { world, fate } = race(after, { method: 'POST', body: bytesOf('x') }, {});
      fates.add(fate.ended);
      expect(fate.starts).toBe(1);
      expect(world.seen.filter((line) => line === 'POST /2').length).toBe(fate.ended === 'end' ? 1 : 0);
    }
    expect([...fates].sort()).toEqual(['end', 'error ECONNRESET']);
  });

  it('does not happen at all with a server that says how long it keeps connections', () => {
    for (const after of around) {
      const { world, fate } = race(
        after,
        { method: 'POST', body: bytesOf('x') },
        { advertise: true, timeouts: { idle: 2000 } },
      );
      expect([fate.ended, fate.starts, world.seen.length]).toEqual(['end', 1, 2]);
    }
  });

  it('replays exactly', () => {
    const digest = (): string => race(975, {}, {}).world.net.network.digest;
    expect(digest()).toBe(digest());
  });
});

describe('a kept connection', () => {
  it('carries one request after the other', () => {
    const world = new World();
    for (const target of ['/1', '/2', '/3']) {
      expect(world.ask(target).ended).toBe('');
      world.pass(200);
    }
    expect([world.seen.length, world.accepted]).toEqual([3, 1]);
  });
  it.each([
    ['timeout=5', 3999, 4002],
    ['max=9, timeout = "5"', 3999, 4002],
    ['max=9', 2999, 3002],
    ['timeout=x', 2999, 3002],
    ['timeout=1', 0, 1],
  ])('is given up after %s, less the margin', (field, kept, gone) => {
    for (const [after, accepted] of [
      [kept, 1],
      [gone, 2],
    ] as const) {
      if (after === 0) continue;
      const answer: ServerStreamOptions['onRequest'] = (_request, response) => {
        response.writeHead(200, { 'Keep-Alive': field });
        response.end();
      };
      const world = new World({ onRequest: answer }, { keep: 3000 });
      const first = world.ask('/1');
      while (first.ended === '') world.pass(1);
      world.pass(after);
      world.ask('/2');
      world.pass(200);
      expect([after, world.accepted]).toEqual([after, accepted]);
    }
  });
  it('is dropped as soon as the server ends it', () => {
    const world = new World();
    world.ask('/1');
    world.pass(200);
    for (const server of world.servers) server.close();
    world.pass(100);
    expect(world.pool.connections).toBe(0);
  });
  it('is not repeated on when an octet of an answer has come', () => {
    let n = 0;
    const world = new World({
      onRequest: (_request, response) => {
        n++;
        if (n === 1) response.end();
        else {
          response.flushHeaders();
          world.held.push(() => response.abort());
        }
      },
    });
    world.ask('/1');
    world.pass(200);
    const fate = world.ask('/2');
    world.pass(100);
    world.held[0]!();
    world.pass(200);
    expect([n, fate.starts, fate.ended.startsWith('error')]).toEqual([2, 1, true]);
  });
});

describe('limits', () => {
  it('of connections of an origin: more requests wait in line, and come in order', () => {
    const world = new World({}, { perOrigin: 2 });
    world.hold = true;
    const fates = Array.from({ length: 6 }, (_, i) => world.ask(`/${i}`));
    world.pass(200);
    expect([world.accepted, world.seen.length, world.pool.waiting]).toEqual([2, 2, 4]);
    while (world.held.length > 0) {
      world.held.shift()!();
      world.pass(200);
    }
    expect(fates.map((fate) => fate.body)).toEqual(['/0', '/1', '/2', '/3', '/4', '/5']);
    expect([world.accepted, world.seen.length]).toEqual([2, 6]);
  });
  it('of idle connections', () => {
    const world = new World({}, { keepIdle: 1 });
    const fates = [world.ask('/1'), world.ask('/2'), world.ask('/3')];
    world.pass(500);
    expect([fates.map((fate) => fate.ended), world.pool.connections]).toEqual([['end', 'end', 'end'], 1]);
  });
  it('of a connection that is not answered: ETIMEDOUT, and the next in line fails by itself', () => {
    const nowhere = pair({ impairments: { delay: 10, loss: 1 } });
    const world = new World(
      {},
      {
        connect: () => nowhere.client.connect({ address: nowhere.serverAddress, port: 80 }),
        connectTimeout: 300,
        perOrigin: 1,
      },
    );
    const fates = [world.ask('/1'), world.ask('/2')];
    world.pass(302);
    expect(fates.map((fate) => fate.ended)).toEqual(['error ETIMEDOUT', '']);
    world.pass(302);
    expect(fates[1]!.ended).toBe('error ETIMEDOUT');
  });
});

describe('giving up', () => {
  it('leaves the line, or takes the connection along', () => {
    const world = new World({}, { perOrigin: 1 });
    world.hold = true;
    const [first, second, third] = [world.ask('/1'), world.ask('/2'), world.ask('/3')];
    world.pass(100);
    second.abort();
    first.abort();
    world.pass(200);
    expect([first.ended, second.ended, third.ended]).toEqual([
      'error incomplete-message',
      'error incomplete-message',
      '',
    ]);
    for (const answer of world.held) answer();
    world.pass(200);
    expect([third.ended, world.accepted, world.seen]).toEqual(['end', 2, ['GET /1', 'GET /3']]);
  });
  it('closes what is idle, and later what becomes idle', () => {
    const world = new World();
    world.ask('/1');
    world.pass(200);
    world.hold = true;
    const fate = world.ask('/2');
    world.pass(100);
    world.pool.close();
    for (const answer of world.held) answer();
    world.pass(300);
    expect([fate.ended, world.pool.connections]).toEqual(['end', 0]);
  });
});

describe('Expect: 100-continue', () => {
  it('sends the content after a second when the server keeps silent', () => {
    let content = 0;
    const world = new World({
      onRequest: (request, response) => {
        // A server that does not know the expectation waits for the content and says nothing.
        request.pause();
        held = () => {
          request.onData = (_bytes, from, to) => {
            content += to - from;
          };
          request.onEnd = () => response.end(bytesOf('ok'));
          request.resume();
        };
      },
    });
    let held = (): void => {};
    const headers = { Host: 'a', Expect: '100-continue' };
    const fate = world.ask('/1', { method: 'PUT', headers, body: bytesOf('hello') });
    world.pass(1030);
    const before = world.net.client.now;
    expect([before, content]).toEqual([1030, 0]);
    world.pass(200);
    held();
    world.pass(200);
    expect([fate.status, fate.body, content]).toEqual([200, 'ok', 5]);
  });
});
