// Copying octets between buffers.

/**
 * Below this many octets a byte loop beats `set(subarray)`: the view alone costs 30 ns and 96 octets of
 * heap, the call 40 ns more.
 */
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
