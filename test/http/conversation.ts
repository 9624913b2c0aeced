// Whole conversations with either end of a connection, whatever way the octets are cut: `tr.ts` for exchanges.

import { expect } from 'vitest';
import type { ByteStream } from '../../src/base/stream.ts';
import { type ClientStreamOptions, HttpClientStream, type RequestInit } from '../../src/http/client.ts';
import { HttpError } from '../../src/http/errors.ts';
import type { ServerRequest, ServerResponse } from '../../src/http/exchange.ts';
import { HttpServerStream, type ServerStreamOptions } from '../../src/http/server.ts';
import { MemoryPair, type MemoryStream } from './memory-stream.ts';
import { bytesOf, cuts, textOf } from './tr.ts';

export type OnRequest = (request: ServerRequest, response: ServerResponse) => void;

/** Reads everything that can be read. */
export function drain(stream: ByteStream): string {
  let text = '';
  while (stream.readable > 0) {
    const view = stream.peek();
    text += textOf(view);
    stream.consume(view.length);
  }
  return text;
}

/** Puts text into a stream that has room for it. */
export function put(stream: ByteStream, text: string): void {
  const bytes = bytesOf(text);
  expect(stream.send(bytes, 0, bytes.length)).toBe(bytes.length);
}

/** What a server made of octets. */
export interface ServerOutcome {
  /** Everything it answered. */
  got: string;
  /** Every request that reached the handler: method, target, content and trailers. */
  seen: string[];
  /** Faults and other errors it was told of. */
  errors: string[];
  /** Whether it ended its direction or the connection. */
  ended: boolean;
}

/** Answers 200 with `ok` once the request is complete. */
export const ok: OnRequest = (request, response) => {
  request.onEnd = () => response.end(bytesOf('ok'));
};

function serve(
  text: string,
  cut: number[],
  onRequest: OnRequest,
  options: Partial<ServerStreamOptions>,
): ServerOutcome {
  const pair = new MemoryPair();
  const outcome: ServerOutcome = { got: '', seen: [], errors: [], ended: false };
  const read = (): void => {
    outcome.got += drain(pair.a);
    if (pair.a.ended) outcome.ended = true;
  };
  pair.a.handler = {
    onReadable: read,
    onClose: () => {
      outcome.ended = true;
    },
  };
  new HttpServerStream(pair.b, {
    onRequest(request, response) {
      let content = '';
      const at = outcome.seen.push('') - 1;
      const note = (): void => {
        const trailers = [...request.trailers].map(([name, value]) => ` ${name}=${value}`).join('');
        outcome.seen[at] = `${request.method} ${request.target} ${content}${trailers}`;
      };
      note();
      onRequest(request, response);
      const { onData, onEnd } = request;
      request.onData = (bytes, from, to) => {
        content += textOf(bytes.subarray(from, to));
        onData?.(bytes, from, to);
      };
      request.onEnd = () => {
        note();
        onEnd?.();
      };
    },
    onError: (error) => outcome.errors.push(error instanceof HttpError ? error.fault : String(error)),
    ...options,
  });
  let at = 0;
  for (const n of cut) {
    put(pair.a, text.slice(at, at + n));
    at += n;
    pair.run();
    if (outcome.ended) break;
  }
  return outcome;
}

/** What a server makes of `text`, the same in every way of cutting it. */
export function trServer(
  text: string,
  onRequest: OnRequest = ok,
  options: Partial<ServerStreamOptions> = {},
): ServerOutcome {
  const whole = serve(text, [text.length], onRequest, options);
  for (const cut of cuts(text.length)) {
    const outcome = serve(text, cut, onRequest, options);
    if (JSON.stringify(outcome) !== JSON.stringify(whole)) expect({ cut, ...outcome }).toEqual({ cut, ...whole });
  }
  return whole;
}

/** What a client made of an answer. */
export interface ClientOutcome {
  /** What it sent. */
  sent: string;
  /** Interim and final heads, `end` or `error` and why. */
  events: string[];
  /** Fields of the final response. */
  fields: [string, string][];
  body: string;
  trailers: [string, string][];
  /** Whether it may carry another request. */
  reusable: boolean;
  /** Whether it ended its direction or the connection. */
  ended: boolean;
}

/** What goes with an answer. */
export interface AnswerOptions extends ClientStreamOptions {
  /** The server ends its direction behind the answer. */
  readonly fin?: boolean;
  /** Called with a stream that was handed over. */
  readonly take?: (stream: ByteStream) => void;
}

function ask(init: Partial<RequestInit>, text: string, cut: number[], options: AnswerOptions): ClientOutcome {
  const pair = new MemoryPair();
  const client = new HttpClientStream(pair.a, options);
  const outcome: ClientOutcome = {
    ...{ sent: '', events: [], fields: [], body: '', trailers: [] },
    ...{ reusable: false, ended: false },
  };
  const far: MemoryStream = pair.b;
  far.handler = {
    onReadable: () => {
      outcome.sent += drain(far);
      if (far.ended) outcome.ended = true;
    },
    onClose: () => {
      outcome.ended = true;
    },
  };
  const { take } = options;
  client.request(
    { target: '/', headers: { Host: 'a' }, ...init },
    {
      onInformational: (status) => outcome.events.push(`info ${status}`),
      onResponse: (response) => {
        outcome.events.push(`${response.status} ${response.reason}`);
        outcome.fields = [...response.headers];
        const look = response;
        outcome.trailers = [];
        trailersOf = () => [...look.trailers];
      },
      onData: (bytes, from, to) => {
        outcome.body += textOf(bytes.subarray(from, to));
      },
      onEnd: () => {
        outcome.events.push('end');
        outcome.trailers = trailersOf();
      },
      onError: (error) => outcome.events.push(`error ${error instanceof HttpError ? error.fault : error.code}`),
      ...(take !== undefined && {
        onHandOver: (response, stream) => {
          outcome.events.push(`handed over ${response.status}`);
          take(stream);
        },
      }),
    },
  );
  pair.run();
  let at = 0;
  for (const n of cut) {
    if (far.closed) break;
    put(far, text.slice(at, at + n));
    at += n;
    pair.run();
  }
  if (options.fin === true && !far.closed) far.shutdown();
  pair.run();
  outcome.reusable = client.reusable;
  return outcome;
}

let trailersOf: () => [string, string][] = () => [];

/** What a client makes of the answer `text` to its request, the same in every way of cutting it. */
export function trClient(init: Partial<RequestInit>, text: string, options: AnswerOptions = {}): ClientOutcome {
  const whole = ask(init, text, [text.length], options);
  for (const cut of cuts(text.length)) {
    const outcome = ask(init, text, cut, options);
    if (JSON.stringify(outcome) !== JSON.stringify(whole)) expect({ cut, ...outcome }).toEqual({ cut, ...whole });
  }
  return whole;
}
