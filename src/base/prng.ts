// Pseudo-random numbers for simulations: small, fast, and the same on every engine.
//
// xoshiro128** 1.1 (Blackman and Vigna) uses nothing but int32 additions, shifts, rotations and two
// multiplications, so a seed means the same run everywhere. It is predictable: what an attacker must not guess
// (initial sequence numbers, ports, hash tables) comes from `siphash.ts` with a secret key instead.

/** Returns the `n`-th output of splitmix32 started at `seed`, `n` from 1: it spreads seeds over the state. */
function splitmix32(seed: number, n: number): number {
  let z = ((seed | 0) + Math.imul(n, 0x9e3779b9)) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return z ^ (z >>> 16);
}

/** A stream of pseudo-random numbers, wholly determined by its seed. */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param seed any number; its low 32 bits count, so 1 and 2^32 + 1 are the same stream */
  constructor(seed: number) {
    // Four consecutive outputs of a bijection are never all zero, the one state that would stay so.
    this.#a = splitmix32(seed, 1);
    this.#b = splitmix32(seed, 2);
    this.#c = splitmix32(seed, 3);
    this.#d = splitmix32(seed, 4);
  }

  /** The next 32 bits, as an int32. */
  nextInt32(): number {
    const b = this.#b;
    const scrambled = Math.imul(b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9);
    this.#c ^= this.#a;
    this.#d ^= b;
    this.#b = b ^ this.#c;
    this.#a ^= this.#d;
    this.#c ^= b << 9;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** A number in `[0, 1)`, a multiple of 2^-53; takes two steps of the stream. */
  nextFloat(): number {
    const high = this.nextInt32() >>> 6;
    const low = this.nextInt32() >>> 5;
    return (high * 0x8000000 + low) / 0x20000000000000;
  }

  /**
   * An integer in `[0, n)`, each equally likely.
   *
   * @param n from 1 to 2^32; a `RangeError` otherwise
   */
  below(n: number): number {
    if (!(n >= 1 && n <= 0x100000000) || Math.floor(n) !== n) throw new RangeError(`no integer is below ${n} here`);
    // Draws beyond the last whole multiple of n are thrown away: taking the remainder of them too would favour
    // small results. Less than every second draw is lost, and hardly any for small n.
    const limit = 0x100000000 - (0x100000000 % n);
    for (;;) {
      const x = this.nextInt32() >>> 0;
      if (x < limit) return x % n;
    }
  }

  /**
   * True with probability `p`. Always takes the same number of steps, so changing one probability of a
   * scenario does not shift what the rest of it draws.
   *
   * @param p from 0 (never) to 1 (always)
   */
  chance(p: number): boolean {
    return this.nextFloat() < p;
  }

  /** Fills `bytes` with random octets, four for each step of the stream. */
  fill(bytes: Uint8Array): void {
    let i = 0;
    for (const whole = bytes.length - 3; i < whole; i += 4) {
      const x = this.nextInt32();
      bytes[i] = x;
      bytes[i + 1] = x >>> 8;
      bytes[i + 2] = x >>> 16;
      bytes[i + 3] = x >>> 24;
    }
    if (i < bytes.length) {
      let x = this.nextInt32();
      for (; i < bytes.length; i++) {
        bytes[i] = x;
        x >>>= 8;
      }
    }
  }

  /**
   * Another stream, determined by this one's present state and `label`. This one does not move, so a part of a
   * simulation that forks its own stream does not disturb the others however much it draws.
   *
   * @param label an int32; different labels give unrelated streams
   */
  fork(label: number): Prng {
    const child = new Prng(label);
    child.#a = splitmix32(child.#a ^ this.#a, 1);
    child.#b = splitmix32(child.#b ^ this.#b, 1);
    child.#c = splitmix32(child.#c ^ this.#c, 1);
    child.#d = splitmix32(child.#d ^ this.#d, 1);
    // Every state but all zero is good, and that one cannot be left.
    if ((child.#a | child.#b | child.#c | child.#d) === 0) child.#d = 1;
    return child;
  }
}
