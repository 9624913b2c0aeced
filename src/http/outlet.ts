// The way out: heads and framed bodies into a `ByteStream` that may take less than it is offered.
//
// Heads, chunk lines and whatever a small write must not split wait in a buffer of our own; body octets go
// straight from the program's buffer into the stream and are refused when it is full.

import type { ByteStream } from '../base/stream.ts';
import { CHUNK_HEAD_MAX, writeChunkHead } from './chunked.ts';
import type { HeaderList } from './fields.ts';
import type { BodyKind } from './framing.ts';
import {
  fieldsSize,
  requestHeadSize,
  responseHeadSize,
  writeFields,
  writeRequestHead,
  writeResponseHead,
} from './writer.ts';

const NOTHING = new Uint8Array(0);
/** A chunk this small is copied behind its size line rather than sent in pieces. */
const SMALL_CHUNK = 1024;
/** Content up to this length is copied behind the head that waits for it, rather than sent by itself. */
const TOGETHER = 1024;
/** Up to here octets are copied one by one: to make a view of them takes as long. */
const FEW = 64;
/** A buffer larger than this is not kept for the next head. */
const KEEP = 8192;
const CRLF: Uint8Array = new Uint8Array([13, 10]);
const LAST_CHUNK: Uint8Array = new Uint8Array([0x30, 13, 10]);

/** Writes messages to a stream, one after the other. */
export class Outlet {
  readonly #stream: ByteStream;
  #kept: Uint8Array = NOTHING;
  #from = 0;
  #to = 0;
  #kind: BodyKind = 'none';
  #left = 0;
  #sent = 0;

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  /** Octets that went into the stream since the beginning: how a slow reader is told from none. */
  get sent(): number {
    return this.#sent;
  }

  /** Whether everything given so far has gone into the stream. */
  get flushed(): boolean {
    return this.#from === this.#to;
  }

  /** Octets of a declared Content-Length that were not written yet. */
  get left(): number {
    return this.#kind === 'length' ? this.#left : 0;
  }

  /** Octets that `write` would take now, about: chunk lines need some of the stream's room. */
  get writable(): number {
    if (!this.flushed) return 0;
    const room = this.#stream.writable;
    return this.#kind === 'chunked' ? Math.max(0, room - CHUNK_HEAD_MAX - 2) : room;
  }

  /**
   * Puts a response head in line. Throws as `writeResponseHead` does, having written nothing.
   *
   * @param more something follows at once that is to leave with it: `write`, `end` or `flush`
   */
  responseHead(status: number, reason: string, fields: HeaderList, more = false): void {
    this.#reserve(responseHeadSize(reason, fields));
    this.#to = writeResponseHead(this.#kept, this.#to, status, reason, fields);
    if (!more) this.flush();
  }

  /** Puts a response head that is written already in line; `write`, `end` or `flush` follows. */
  writtenHead(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#kept.set(bytes, this.#to);
    this.#to += bytes.length;
  }

  /** Puts a request head in line. Throws as `writeRequestHead` does, having written nothing. */
  requestHead(method: string, target: string, fields: HeaderList): void {
    this.#reserve(requestHeadSize(method, target, fields));
    this.#to = writeRequestHead(this.#kept, this.#to, method, target, fields);
    this.flush();
  }

  /** Starts a body of the given framing. */
  begin(kind: BodyKind, length: number): void {
    this.#kind = kind;
    this.#left = length;
  }

  /**
   * Takes as much of the body's next octets `bytes[from, to)` as there is room for and returns their number.
   * Throws `RangeError` when there are more than the declared length has left.
   */
  write(bytes: Uint8Array, from: number, to: number): number {
    if (this.#kind === 'none') return to - from;
    if (this.#kind === 'length' && to - from > this.#left) {
      throw new RangeError(`${to - from} octets of content, but Content-Length leaves room for ${this.#left}`);
    }
    if (this.#kind === 'chunked') return this.#writeChunks(bytes, from, to);
    if (!this.flush()) return 0;
    const taken = this.#stream.send(bytes, from, to);
    this.#sent += taken;
    this.#left -= taken;
    return taken;
  }

  /** Takes all of `bytes[from, to)`; what the stream has no room for is copied and waits. */
  writeAll(bytes: Uint8Array, from: number, to: number): void {
    if (this.#kind === 'length' && !this.flushed && to - from <= Math.min(TOGETHER, this.#left)) {
      this.#keep(bytes, from, to);
      this.#left -= to - from;
      this.flush();
      return;
    }
    const taken = this.write(bytes, from, to);
    if (taken === to - from) return;
    const n = to - from - taken;
    if (this.#kind === 'chunked') this.#keepChunk(bytes, from + taken, n);
    else {
      this.#keep(bytes, from + taken, to);
      this.#left -= n;
    }
    this.flush();
  }

  /** Ends the body; a chunked one with its last chunk and the trailer fields, if any. */
  end(trailers: HeaderList | null): void {
    if (this.#kind === 'chunked') {
      this.#keep(LAST_CHUNK, 0, 3);
      if (trailers === null) this.#keep(CRLF, 0, 2);
      else {
        this.#reserve(fieldsSize(trailers));
        this.#to = writeFields(this.#kept, this.#to, trailers);
      }
    }
    this.#kind = 'none';
    this.flush();
  }

  /** Sends what waits; true when nothing waits any more. When false, the stream's `onWritable` follows. */
  flush(): boolean {
    if (this.#from < this.#to) {
      const taken = this.#stream.send(this.#kept, this.#from, this.#to);
      this.#sent += taken;
      this.#from += taken;
    }
    if (this.#from < this.#to) return false;
    this.#from = 0;
    this.#to = 0;
    if (this.#kept.length > KEEP) this.#kept = NOTHING;
    return true;
  }

  #writeChunks(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to && this.flush()) {
      const room = this.#stream.writable - CHUNK_HEAD_MAX - CRLF.length;
      const n = to - at;
      if (n > room && room < SMALL_CHUNK) {
        // No room for a chunk worth its lines. A little waits here, so that the stream is offered more than
        // it takes and tells us when it has room again.
        const small = Math.min(n, SMALL_CHUNK);
        this.#keepChunk(bytes, at, small);
        at += small;
        continue;
      }
      const size = Math.min(n, room);
      this.#reserve(CHUNK_HEAD_MAX);
      this.#to = writeChunkHead(this.#kept, this.#to, size);
      this.flush();
      // The size line is out: what a stream with less room than it promised leaves must wait here.
      const taken = this.flushed ? this.#stream.send(bytes, at, at + size) : 0;
      this.#sent += taken;
      if (taken < size) this.#keep(bytes, at + taken, at + size);
      this.#keep(CRLF, 0, CRLF.length);
      at += size;
    }
    this.flush();
    return at - from;
  }

  #keepChunk(bytes: Uint8Array, at: number, size: number): void {
    this.#reserve(CHUNK_HEAD_MAX + size + CRLF.length);
    this.#to = writeChunkHead(this.#kept, this.#to, size);
    this.#keep(bytes, at, at + size);
    this.#keep(CRLF, 0, CRLF.length);
  }

  #keep(bytes: Uint8Array, from: number, to: number): void {
    this.#reserve(to - from);
    if (to - from > FEW) this.#kept.set(bytes.subarray(from, to), this.#to);
    else for (let i = from; i < to; i++) this.#kept[this.#to + i - from] = bytes[i]!;
    this.#to += to - from;
  }

  /** Makes room for `size` octets behind those that wait. */
  #reserve(size: number): void {
    if (this.#to + size <= this.#kept.length) return;
    const waiting = this.#to - this.#from;
    const room = Math.max(512, waiting + size, waiting * 2);
    const grown = room > this.#kept.length ? new Uint8Array(room) : this.#kept;
    grown.set(this.#kept.subarray(this.#from, this.#to), 0);
    this.#kept = grown;
    this.#from = 0;
    this.#to = waiting;
  }
}
