// Runs a case whole, octet by octet and cut at every point: no outcome may depend on how octets arrive.

import { expect } from 'vitest';
import { ChunkDecoder } from '../../src/http/chunked.ts';
import { type HeadKind, HeadParser } from '../../src/http/head.ts';
import { DEFAULT_LIMITS, type HttpLimits, type HttpPolicy, STRICT } from '../../src/http/policy.ts';

/** Octets of a latin-1 text. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

/** The latin-1 text of octets. */
export function textOf(bytes: Uint8Array): string {
  let text = '';
  for (const b of bytes) text += String.fromCharCode(b);
  return text;
}

/** Every way in which `tr` cuts `n` octets: whole, single octets, each split into two. */
export function cuts(n: number): number[][] {
  const all = [[n], new Array<number>(n).fill(1)];
  for (let i = 1; i < n; i++) all.push([i, n - i]);
  return all;
}

/** Outcome of a parsed head, comparable. */
export interface HeadOutcome {
  result: string;
  fault: string;
  start: string;
  fields: [string, string][];
  /** Octets left behind the head. */
  rest: number;
}

function parseHead(kind: HeadKind, bytes: Uint8Array, cut: number[], limits: HttpLimits, policy: HttpPolicy) {
  const parser = new HeadParser(kind, limits, policy);
  let at = 0;
  for (const n of cut) {
    // A copy with noise around it: offsets that are wrong by one read the noise.
    const chunk = new Uint8Array(n + 6).fill(0x58);
    chunk.set(bytes.subarray(at, at + n), 3);
    const taken = parser.feed(chunk, 3, 3 + n);
    if (taken < 0 || taken > n) throw new Error(`took ${taken} of ${n}`);
    at += taken;
    chunk.fill(0);
    if (parser.result !== 'more') break;
    if (taken !== n) throw new Error('took less than everything and wants more');
  }
  const done = parser.result === 'done';
  const { method, target, minor, form, status, reason } = parser;
  const start = kind === 'request' ? `${method} ${target} 1.${minor} ${form}` : `1.${minor} ${status} ${reason}`;
  const outcome: HeadOutcome = {
    result: parser.result,
    fault: parser.fault,
    start: done ? start : '',
    fields: done ? [...parser.fields] : [],
    rest: done ? bytes.length - at : -1,
  };
  return outcome;
}

/** The outcome of parsing `text` as a head, the same in every way of cutting it. */
export function trHead(
  kind: HeadKind,
  text: string,
  limits: Partial<HttpLimits> = {},
  policy: Partial<HttpPolicy> = {},
): HeadOutcome {
  const bytes = bytesOf(text);
  const l = { ...DEFAULT_LIMITS, ...limits };
  const p = { ...STRICT, ...policy };
  const whole = parseHead(kind, bytes, [bytes.length], l, p);
  for (const cut of cuts(bytes.length)) {
    const outcome = parseHead(kind, bytes, cut, l, p);
    if (JSON.stringify(outcome) !== JSON.stringify(whole)) expect({ cut, ...outcome }).toEqual({ cut, ...whole });
  }
  return whole;
}

/** Outcome of a decoded body. */
export interface ChunkOutcome {
  result: string;
  fault: string;
  data: string;
  trailers: [string, string][];
  rest: number;
}

function decode(bytes: Uint8Array, cut: number[], limits: HttpLimits): ChunkOutcome {
  const decoder = new ChunkDecoder(limits);
  let data = '';
  let at = 0;
  let result = 'more';
  for (const n of cut) {
    const chunk = new Uint8Array(n + 2);
    chunk.set(bytes.subarray(at, at + n), 1);
    let i = 1;
    do {
      result = decoder.step(chunk, i, n + 1);
      if (result === 'data') data += textOf(chunk.subarray(decoder.dataFrom, decoder.dataTo));
      i = decoder.at;
    } while (result === 'data');
    at += i - 1;
    if (result !== 'more') break;
  }
  const done = result === 'done';
  return {
    result,
    fault: decoder.fault,
    data: result === 'fault' ? '' : data,
    trailers: done ? [...decoder.trailers] : [],
    rest: done ? bytes.length - at : -1,
  };
}

/** The outcome of decoding `text` as a chunked body, the same in every way of cutting it. */
export function trChunks(text: string, limits: Partial<HttpLimits> = {}): ChunkOutcome {
  const bytes = bytesOf(text);
  const l = { ...DEFAULT_LIMITS, ...limits };
  const whole = decode(bytes, [bytes.length], l);
  for (const cut of cuts(bytes.length)) {
    const outcome = decode(bytes, cut, l);
    if (JSON.stringify(outcome) !== JSON.stringify(whole)) expect({ cut, ...outcome }).toEqual({ cut, ...whole });
  }
  return whole;
}
