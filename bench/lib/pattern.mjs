// The octets of a bulk transfer: the same for every sender, and never the same at two places of a window.

const PERIOD = 65_521;
const CHUNK = 65_536;
const text = Buffer.alloc(PERIOD + CHUNK);
for (let i = 0; i < text.length; i++) text[i] = Math.imul(i % PERIOD, 2_654_435_761) >>> 24;

/** Octets that stand at `offset` of a transfer; borrowed. */
export function pattern(offset) {
  const at = offset % PERIOD;
  return text.subarray(at, at + CHUNK);
}

/** Counts what arrives and compares every octet. */
export class Check {
  octets = 0;

  take(chunk) {
    for (let from = 0; from < chunk.length; from += CHUNK) {
      const part = chunk.subarray(from, Math.min(from + CHUNK, chunk.length));
      const wanted = pattern(this.octets).subarray(0, part.length);
      if (Buffer.compare(part, wanted) !== 0) throw new Error(`octets near ${this.octets} are not what was sent`);
      this.octets += part.length;
    }
  }
}
