// Copying octets between buffers, without allocating where that can be had.
//
// `set(subarray)` is the quickest copy JavaScript has from a few hundred octets on (1460 octets: 90 ns, a loop over
// words 230 to 440 ns), but the view costs 96 octets of heap. Whoever copies the same spans again and again keeps the
// views: the send queue with its chunks, and `copyPacket` here for the slots that packets arrive in.

import { packetMemory } from './packet-memory.ts';

/** Below this many octets a byte loop beats `set(subarray)`: the view costs 30 ns and the call 40 ns. */
const LOOP_BELOW = 32;

/** Copies `bytes[from, to)` to `out[at..]`. The two may not overlap. */
export function copyBytes(bytes: Uint8Array, from: number, to: number, out: Uint8Array, at: number): void {
  if (to - from < LOOP_BELOW) {
    for (let i = from, o = at; i < to; i++, o++) out[o] = bytes[i]!;
  } else if (from === 0 && to === bytes.length) {
    out.set(bytes, at);
  } else {
    out.set(bytes.subarray(from, to), at);
  }
}

/** Spans shorter than this are not worth a kept view. */
const KEEP_FROM = 512;
/**
 * Kept views, found by where the span lies in its slab: slots are 64 octets apart or more, and slabs are staggered
 * (`pool.ts`), so two slots meet here only when there are thousands.
 */
const PLACES = 2048;
/**
 * A kept view keeps its buffer alive until another takes its place. Slabs of a pool are meant to live; of others
 * (a message of a WebSocket) only small ones are kept, so what is held so is a few MiB at most.
 */
const BUFFER_UP_TO = 160 * 1024;
const spans: (Uint8Array | null)[] = new Array<Uint8Array | null>(PLACES).fill(null);
const owners: (Uint8Array | null)[] = new Array<Uint8Array | null>(PLACES).fill(null);
const starts: Int32Array = new Int32Array(PLACES);

/**
 * `copyBytes` for a span of a packet buffer that will be used again: full-sized segments lie at the same place of
 * their slot each time, so the view of that span is kept and the copy allocates nothing.
 */
export function copyPacket(bytes: Uint8Array, from: number, to: number, out: Uint8Array, at: number): void {
  const length = to - from;
  if (length < KEEP_FROM) {
    copyBytes(bytes, from, to, out, at);
    return;
  }
  const place = (from >>> 6) & (PLACES - 1);
  let span = spans[place]!;
  if (owners[place] !== bytes || starts[place] !== from || span.length !== length) {
    span = bytes.subarray(from, to);
    if (bytes === packetMemory?.bytes || bytes.buffer.byteLength <= BUFFER_UP_TO) {
      spans[place] = span;
      owners[place] = bytes;
      starts[place] = from;
    }
  }
  out.set(span, at);
}
