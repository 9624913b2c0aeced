// SYN cookies: openings that cost no memory before the peer has shown that it is there (RFC 4987 §3.6).
//
//   ISS = H1(four-tuple) + SEG.SEQ + (t << 24) + ((H2(four-tuple, t, SEG.SEQ) + index of the MSS) mod 2^24)
//
// `t` counts periods of 64 s. The low 6 bits of our first timestamp, which the peer echoes, hold what else its SYN said:
// 4 bits of window scale (15 for none) and one for SACK. Where it has no timestamps, both are lost.

import { seqGt } from '../base/seq.ts';
import { type SipKey, sip24 } from '../base/siphash.ts';
import type { ConnectionAddressing } from '../tcp/tcb.ts';
import { MAX_SCALE } from '../tcp/window.ts';
import { putTuple } from '../wire/address.ts';
import type { Segment } from '../wire/tcp.ts';

/** Milliseconds of a period, and for how many a cookie is taken, the one it was made in included. */
const PERIOD = 64_000;
const PERIODS = 2;
/** How long after the last cookie was sent an ACK may bring one back. */
export const COOKIE_LIFE: number = PERIOD * PERIODS;

/** Bits of a cookie below its period. */
const LOW = 0xffffff;
/** The MSSs that a cookie can name: what peers mostly offer. A guess is right as often as there are entries. */
const SIZES4: readonly number[] = [536, 1300, 1440, 1460];
const SIZES6: readonly number[] = [1220, 1400, 1440, 8940];

/** Bits of a timestamp that hold options. */
const OPTION_BITS = 6;
const OPTIONS = (1 << OPTION_BITS) - 1;
const NO_SCALE = 15;
const SACK_BIT = 16;

/** Makes cookies and recognises them. */
export class SynCookies {
  readonly #key: SipKey;
  readonly #words: Int32Array = new Int32Array(11);

  constructor(key: SipKey) {
    this.#key = key;
  }

  /** The ISS of the answer to a SYN: a cookie for its MSS, `mss > 0`. */
  make(a: ConnectionAddressing, seq: number, mss: number, now: number): number {
    const sizes = sizesOf(a);
    let index = sizes.length - 1;
    while (index > 0 && sizes[index]! > mss) index--;
    const t = Math.floor(now / PERIOD);
    return (this.#hash(a, 0, 0, 1) + seq + (t << 24) + ((this.#hash(a, seq, t, 2) + index) & LOW)) | 0;
  }

  /**
   * What the ACK of a cookie says.
   *
   * @param seq IRS, one before SEG.SEQ
   * @param cookie one before SEG.ACK
   * @returns the MSS that the cookie names, or -1 when it is none of ours, or too old
   */
  open(a: ConnectionAddressing, seq: number, cookie: number, now: number): number {
    const rest = (cookie - this.#hash(a, 0, 0, 1) - seq) | 0;
    const current = Math.floor(now / PERIOD);
    const age = (current - (rest >>> 24)) & 0xff;
    if (age >= PERIODS) return -1;
    const index = (rest - this.#hash(a, seq, current - age, 2)) & LOW;
    return sizesOf(a)[index] ?? -1;
  }

  #hash(a: ConnectionAddressing, seq: number, period: number, domain: number): number {
    const words = this.#words;
    putTuple(words, 0, a.local, a.localPort, a.remote, a.remotePort);
    words[9] = seq;
    // No other use of the key has as many words.
    words[10] = (period << 2) | domain;
    return sip24(this.#key, words, 11);
  }
}

function sizesOf(a: ConnectionAddressing): readonly number[] {
  return a.local.family === 4 ? SIZES4 : SIZES6;
}

/** Our timestamp for a SYN,ACK that is remembered nowhere: the latest not after `clock` whose low bits hold the options. */
export function stampOptions(clock: number, syn: Segment): number {
  const scale = syn.wscale < 0 ? NO_SCALE : Math.min(syn.wscale, MAX_SCALE);
  const bits = scale | (syn.sackPermitted ? SACK_BIT : 0);
  const stamp = (clock & ~OPTIONS) | bits;
  return seqGt(stamp, clock) ? (stamp - OPTIONS - 1) | 0 : stamp;
}

/** Puts into `syn` the options that an echoed timestamp of `stampOptions` holds. */
export function readStamp(echo: number, syn: Segment): void {
  const scale = echo & NO_SCALE;
  syn.wscale = scale === NO_SCALE ? -1 : scale;
  syn.sackPermitted = (echo & SACK_BIT) !== 0;
}
