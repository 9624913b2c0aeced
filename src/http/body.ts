// Reading a body from a stream by its framing: spans of the stream's own octets, one at a time.

import type { ByteStream } from '../base/stream.ts';
import { ChunkDecoder } from './chunked.ts';
import type { HttpFault } from './errors.ts';
import { HeaderList } from './fields.ts';
import type { BodyKind, Framing } from './framing.ts';
import type { HttpLimits, HttpPolicy } from './policy.ts';

/** What `step` came to: a span to deliver, nothing to read now, the end of the body, or a fault. */
export type BodyResult = 'data' | 'empty' | 'done' | 'fault';

const NOTHING = new Uint8Array(0);

/** Reads one body after the other; `begin` for each, then `step` and `release` until it ends. */
export class BodyReader {
  readonly #limits: HttpLimits;
  readonly #policy: HttpPolicy;
  /** Made when the first chunked body arrives. */
  #decoder: ChunkDecoder | null = null;
  #kind: BodyKind = 'none';
  #left = 0;
  #total = 0;
  #take = 0;
  /** After `'data'`: the span `bytes[from, to)`, valid until `release`. */
  bytes: Uint8Array = NOTHING;
  from = 0;
  to = 0;
  /** Why, after `'fault'`. */
  fault: HttpFault | '' = '';
  /** The trailer fields of a chunked body that has ended; an empty list otherwise. */
  trailers: HeaderList = new HeaderList();

  constructor(limits: HttpLimits, policy: HttpPolicy) {
    this.#limits = limits;
    this.#policy = policy;
  }

  /** Starts the body that `framing` describes. */
  begin(framing: Framing): void {
    this.#kind = framing.kind;
    this.#left = framing.length;
    this.#total = 0;
    this.fault = '';
    if (this.trailers.length > 0) this.trailers = new HeaderList();
    if (framing.kind !== 'chunked') return;
    if (this.#decoder === null) this.#decoder = new ChunkDecoder(this.#limits, this.#policy);
    this.#decoder.reset();
  }

  /** Whether nothing of the body is left to read, without having to look. */
  get complete(): boolean {
    return this.#kind === 'none' || (this.#kind === 'length' && this.#left === 0);
  }

  /** Looks at what can be read of the body now. After `'data'`, `release` must follow. */
  step(stream: ByteStream): BodyResult {
    for (;;) {
      if (this.complete) return 'done';
      const span = stream.peek();
      if (span.length === 0) {
        if (!stream.ended) return 'empty';
        if (this.#kind === 'close' || this.#kind === 'tunnel') return 'done';
        // RFC 9112 §8: the stream ended before the message did.
        return this.#fail('incomplete-message');
      }
      if (this.#kind !== 'chunked') {
        const n = this.#kind === 'length' ? Math.min(this.#left, span.length) : span.length;
        this.#left -= n;
        return this.#span(span, 0, n, n);
      }
      const decoder = this.#decoder!;
      const result = decoder.step(span, 0, span.length);
      if (result === 'data') return this.#span(span, decoder.dataFrom, decoder.dataTo, decoder.at);
      stream.consume(decoder.at);
      if (decoder.fault !== '') return this.#fail(decoder.fault);
      if (result === 'more') continue;
      this.trailers = decoder.trailers;
      return 'done';
    }
  }

  /** Gives the span of the last `'data'` back to the stream. */
  release(stream: ByteStream): void {
    this.bytes = NOTHING;
    stream.consume(this.#take);
  }

  #span(span: Uint8Array, from: number, to: number, take: number): BodyResult {
    this.#total += to - from;
    if (this.#total > this.#limits.body) return this.#fail('body-too-large');
    this.bytes = span;
    this.from = from;
    this.to = to;
    this.#take = take;
    return 'data';
  }

  #fail(fault: HttpFault): BodyResult {
    this.fault = fault;
    return 'fault';
  }
}
