// How long and how much a server lets its clients: timeouts, progress, limits and closing, with time told by hand.

import { describe, expect, it } from 'vitest';
import type { ServerRequest } from '../../src/http/exchange.ts';
import { HttpServerStream, type ServerStreamOptions } from '../../src/http/server.ts';
import { drain, type OnRequest, ok, put } from './conversation.ts';
import { MemoryPair, type MemoryPairOptions } from './memory-stream.ts';
import { bytesOf } from './tr.ts';

const HOST = 'Host: a\r\n';
const GET = `GET / HTTP/1.1\r\n${HOST}\r\n`;

/** A server whose clock stands until it is moved. */
class Slow {
  readonly pair: MemoryPair;
  readonly server: HttpServerStream;
  now = 1000;
  got = '';
  over = false;
  reading = true;

  constructor(onRequest: OnRequest, options: Partial<ServerStreamOptions> = {}, pair: MemoryPairOptions = {}) {
    this.pair = new MemoryPair(pair);
    this.pair.a.handler = {
      onReadable: () => {
        if (this.reading) this.got += drain(this.pair.a);
      },
      onClose: () => {
        this.over = true;
      },
    };
    this.server = new HttpServerStream(this.pair.b, { onRequest, onError: () => {}, ...options });
    this.pass(0);
  }

  send(text: string): void {
    put(this.pair.a, text);
    this.pass(0);
  }

  /** Lets time pass, and what is due at its end happen. */
  pass(ms: number): void {
    this.pair.run();
    this.now += ms;
    this.server.timersFire(this.now);
    this.pair.run();
  }

  get status(): string {
    return this.got.slice(9, 12);
  }
}

describe('a client that is slow', () => {
  it('with its head gets 408 in time, whatever it trickles', () => {
    const slow = new Slow(ok, { timeouts: { head: 100 } });
    for (let i = 0; i < 9; i++) {
      slow.send('X');
      slow.pass(10);
    }
    expect(slow.got).toBe('');
    slow.pass(10);
    expect([slow.status, slow.pair.a.ended]).toEqual(['408', true]);
  });

  it('with its content gets 408 when the time for all of it is over', () => {
    const aborts: string[] = [];
    const slow = new Slow(
      (request) => {
        request.onData = () => {};
        request.onAbort = (error) => aborts.push(String((error as { fault?: string }).fault));
      },
      { timeouts: { body: 100, stall: 1000 } },
    );
    slow.send(`POST / HTTP/1.1\r\n${HOST}Content-Length: 9999\r\n\r\n`);
    for (let i = 0; i < 9; i++) {
      slow.send('x'.repeat(100));
      slow.pass(10);
    }
    expect(slow.got).toBe('');
    slow.pass(10);
    expect([slow.status, aborts]).toEqual(['408', ['body-timeout']]);
  });

  it('gets 408 when it sends less than is asked in the time for progress, and not when it sends as much', () => {
    for (const [octets, status] of [
      [9, '408'],
      [10, ''],
    ] as const) {
      const options = { timeouts: { stall: 100 }, progress: 10 };
      const slow = new Slow((request) => {
        request.onData = () => {};
      }, options);
      slow.send(`POST / HTTP/1.1\r\n${HOST}Content-Length: 9999\r\n\r\n`);
      for (let i = 0; i < 5; i++) {
        slow.pass(40);
        slow.send('x'.repeat(octets));
        slow.pass(50);
        if (slow.over || slow.got !== '') break;
      }
      expect(slow.status).toBe(status);
    }
  });

  it('is not blamed while the handler pauses', () => {
    let request!: ServerRequest;
    const slow = new Slow(
      (asked, response) => {
        request = asked;
        asked.pause();
        asked.onData = () => {};
        asked.onEnd = () => response.end(bytesOf('ok'));
      },
      { timeouts: { body: 100, stall: 100 } },
    );
    slow.send(`POST / HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\n`);
    slow.pass(1_000_000);
    request.resume();
    slow.pass(99);
    slow.send('hi');
    expect(slow.status).toBe('200');
  });

  it('to read an answer loses its connection; one that reads as much as is asked does not', () => {
    for (const [octets, over] of [
      [4, true],
      [600, false],
    ] as const) {
      const slow = new Slow(
        (_request, response) => response.end(new Uint8Array(100_000)),
        { timeouts: { stall: 100 }, progress: 10 },
        { capacity: 1000 },
      );
      slow.reading = false;
      slow.send(GET);
      for (let i = 0; i < 6 && !slow.over; i++) {
        slow.pair.a.consume(Math.min(octets, slow.pair.a.readable));
        slow.pass(50);
      }
      expect(slow.over).toBe(over);
    }
  });

  it('with content that nobody wants does not keep the connection', () => {
    const slow = new Slow(
      (request, response) => {
        request.pause();
        response.end(bytesOf('ok'));
      },
      { timeouts: { body: 100 } },
    );
    slow.send(`POST / HTTP/1.1\r\n${HOST}Content-Length: 9999\r\n\r\n`);
    slow.pass(100);
    expect([slow.status, slow.pair.a.ended]).toEqual(['200', true]);
  });
});

describe('an idle connection', () => {
  it('is closed after the idle time', () => {
    const slow = new Slow(ok, { timeouts: { idle: 5000 } });
    slow.send(GET);
    slow.pass(4999);
    expect(slow.pair.a.ended).toBe(false);
    slow.pass(1);
    expect([slow.pair.a.ended, slow.got.match(/HTTP/g)!.length]).toEqual([true, 1]);
  });
  it('is advertised and kept a little longer than it says', () => {
    const slow = new Slow(ok, { timeouts: { idle: 5999, grace: 500 }, advertise: true });
    slow.send(GET);
    expect(slow.got).toContain('\r\nKeep-Alive: timeout=5\r\nConnection: keep-alive\r\n');
    slow.pass(6498);
    expect(slow.pair.a.ended).toBe(false);
    slow.pass(1);
    expect(slow.pair.a.ended).toBe(true);
  });
  it('whose last answer says close advertises nothing', () => {
    const slow = new Slow(ok, { advertise: true, limits: { requests: 1 } });
    slow.send(GET);
    expect([slow.got.includes('Keep-Alive'), slow.pair.a.ended]).toEqual([false, true]);
  });
});

describe('closing gracefully', () => {
  it('ends an idle connection at once', () => {
    const slow = new Slow(ok);
    slow.send(GET);
    slow.server.close();
    slow.pass(0);
    expect(slow.pair.a.ended).toBe(true);
  });
  it('finishes the request that has begun, says close, and refuses the next', () => {
    for (const before of [0, 5, GET.length]) {
      const answers: (() => void)[] = [];
      const slow = new Slow((_request, response) => answers.push(() => response.end(bytesOf('ok'))));
      if (before > 0) slow.send(GET.slice(0, before));
      slow.server.close();
      if (before > 0) slow.send(GET.slice(before) + GET);
      for (const answer of answers) answer();
      slow.pass(0);
      const expected = before === 0 ? '' : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';
      expect([slow.got, slow.pair.a.ended]).toEqual([expected, true]);
    }
  });
  it('does not wait for ever for the head that has begun', () => {
    const slow = new Slow(ok, { timeouts: { head: 100 } });
    slow.send('GET /');
    slow.server.close();
    slow.pass(100);
    expect([slow.status, slow.pair.a.ended]).toEqual(['408', true]);
  });
});

describe('handing over', () => {
  it('waits until the head has left, however little room there is', () => {
    const got: string[] = [];
    const slow = new Slow(
      (_request, response) =>
        response.handOver(200, { X: 'y'.repeat(100) }, (stream) => {
          stream.handler = {};
          put(stream, 'T');
        }),
      {},
      { capacity: 40 },
    );
    for (const octet of `CONNECT b:1 HTTP/1.1\r\n${HOST}\r\n`) slow.send(octet);
    got.push(slow.got);
    expect(slow.got).toBe(`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(100)}\r\n\r\nT`);
  });
  it('ends what the owner has to look after: onClose is called and nothing is due', () => {
    let closed = 0;
    const slow = new Slow((_request, response) => response.handOver(200, null, () => {}), { onClose: () => closed++ });
    slow.send(`CONNECT b:1 HTTP/1.1\r\n${HOST}\r\n`);
    expect([closed, slow.server.nextDeadline(slow.now), slow.pair.b.handler]).toEqual([
      1,
      Number.POSITIVE_INFINITY,
      null,
    ]);
    slow.pass(1_000_000);
    expect(slow.over).toBe(false);
  });
  it('takes nothing when the client has gone before its content was complete', () => {
    let taken = false;
    const aborts: unknown[] = [];
    const slow = new Slow((request, response) => {
      request.onAbort = (error) => aborts.push(error);
      response.handOver(101, { Upgrade: 'b' }, () => {
        taken = true;
      });
    });
    slow.send(`POST / HTTP/1.1\r\n${HOST}Connection: upgrade\r\nUpgrade: b\r\nContent-Length: 9\r\n\r\n`);
    slow.pair.a.abort();
    slow.pass(0);
    expect([taken, aborts.length]).toEqual([false, 1]);
  });
});
