// What the tests of codecs share: packets inside a wall of canaries, and a fixed generator of garbage.

import { expect } from 'vitest';

/** Octets of wall on either side of a packet. */
export const WALL = 64;

/** Options of every property test here: the seed is fixed, and fast-check prints it on failure. */
export const SEEDED = { seed: 20261122, numRuns: 300 } as const;

/** Milliseconds a fuzzer may take on a busy machine; it takes one or two seconds on an idle one. */
export const FUZZ_TIMEOUT = 60_000;

/** `expect` for inner loops, where the real one would take most of the time. */
export function check(holds: boolean, what: string): void {
  if (!holds) expect.fail(`does not hold: ${what}`);
}

/** Bytes from hexadecimal digits; anything else between them is ignored. */
export function hex(text: string): Uint8Array {
  const digits = text.replace(/[^0-9a-fA-F]/g, '');
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** Digits of `bytes[from, to)`. */
export function toHex(bytes: Uint8Array, from = 0, to = bytes.length): string {
  return Array.from(bytes.subarray(from, to), (b) => b.toString(16).padStart(2, '0')).join('');
}

/** A copy of `packet` in the middle of an array filled with `canary`; it starts at `WALL`. */
export function walled(packet: Uint8Array, canary: number): Uint8Array {
  const bytes = new Uint8Array(packet.length + 2 * WALL).fill(canary);
  bytes.set(packet, WALL);
  return bytes;
}

/** A small generator (xorshift32) with a fixed start, so that garbage is the same in every run. */
export function garbage(seed: number): (below: number) => number {
  let x = seed | 0 || 1;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

/** What a reader found: its verdict first, then numbers and flags, without `bytes`. */
export type Findings = readonly (string | number | boolean | null)[];

/**
 * Runs `read` on `rounds` random, mutated and truncated packets, each inside two different walls: it must
 * never throw, must say the same whatever stands around the packet, and must leave the bytes alone.
 *
 * @param samples good packets to mutate
 * @param read parses `bytes[from, to)`
 * @returns how often each verdict came
 */
export function fuzz(
  samples: readonly Uint8Array[],
  rounds: number,
  read: (bytes: Uint8Array, from: number, to: number) => Findings,
): Record<string, number> {
  const random = garbage(0x5f1e);
  const seen: Record<string, number> = {};
  for (let round = 0; round < rounds; round++) {
    const packet = mutate(samples[random(samples.length)]!, random);
    const zeros = walled(packet, 0x00);
    const ones = walled(packet, 0xff);
    const first = read(zeros, WALL, WALL + packet.length);
    const inZeros = first.join();
    const inOnes = read(ones, WALL, WALL + packet.length).join();
    if (inZeros !== inOnes) expect.fail(`round ${round}, ${toHex(packet)}: ${inZeros} in zeros, ${inOnes} in ones`);
    for (let i = 0; i < packet.length; i++) {
      if (zeros[WALL + i] !== packet[i] || ones[WALL + i] !== packet[i]) expect.fail(`round ${round} wrote its input`);
    }
    const verdict = String(first[0]);
    seen[verdict] = (seen[verdict] ?? 0) + 1;
  }
  return seen;
}

function mutate(sample: Uint8Array, random: (below: number) => number): Uint8Array {
  const kind = random(8);
  if (kind === 0) return Uint8Array.from({ length: random(80) }, () => random(256));
  let packet = Uint8Array.from(sample);
  if (kind === 1) packet = packet.slice(0, random(packet.length + 1));
  if (kind === 2) {
    const longer = new Uint8Array(packet.length + random(20));
    longer.set(packet);
    packet = longer;
  }
  const hits = kind === 3 ? 0 : 1 + random(4);
  for (let i = 0; i < hits && packet.length > 0; i++) {
    // Most of what decides stands early in a packet.
    const at = random(2) === 0 ? random(Math.min(packet.length, 24)) : random(packet.length);
    packet[at] = random(3) === 0 ? random(256) : packet[at]! ^ (1 << random(8));
  }
  return packet;
}
