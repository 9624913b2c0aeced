// What a path does to packets, as knobs.

/** Knobs of a one-way path. Fractions are probabilities in [0, 1]; times are milliseconds, sizes octets. */
export interface Impairments {
  /** Time from the sender to the receiver. */
  delay: number;
  /** Greatest additional time, drawn evenly for every packet. Keeps the order: what changes it is `reorder`. */
  jitter: number;
  /** Fraction of packets that never arrive. */
  loss: number;
  /** Fraction of packets that arrive twice; the copy is as it was sent, even if the first was corrupted. */
  duplicate: number;
  /** Fraction of packets that are held back, so that later ones overtake them. */
  reorder: number;
  /** Greatest time such a packet is held back, drawn evenly. */
  reorderDelay: number;
  /**
   * Fraction of packets in which one bit is flipped, above layer 2. One bit only: every checksum finds
   * one, while 16 bits miss about one in 65,536 of the worse. ARP has no checksum and is left alone.
   */
  corrupt: number;
  /** Octets per second that the path carries, layer 2 included; 0 for no limit. */
  rate: number;
  /** Octets that may wait when `rate` is set, those being sent included; what finds no room is dropped. */
  queue: number;
  /**
   * Octets waiting, when `rate` is set, from which on packets that allow it are marked "congestion experienced" as they
   * leave (RFC 3168 §5); `Infinity` for a path that never marks.
   */
  mark: number;
  /**
   * Largest IP packet the path carries; a larger one vanishes without a word (a path MTU black hole,
   * RFC 2923 §2.1). `Infinity` for no limit.
   */
  mtu: number;
}

/** A path that is perfect and takes no time. */
export const PERFECT_PATH: Readonly<Impairments> = {
  delay: 0,
  jitter: 0,
  loss: 0,
  duplicate: 0,
  reorder: 0,
  reorderDelay: 20,
  corrupt: 0,
  rate: 0,
  queue: Number.POSITIVE_INFINITY,
  mark: Number.POSITIVE_INFINITY,
  mtu: Number.POSITIVE_INFINITY,
};

const FRACTIONS: readonly (keyof Impairments)[] = ['loss', 'duplicate', 'reorder', 'corrupt'];

/**
 * `base` with the knobs of `changes` turned, checked.
 *
 * Throws a `RangeError` that names the knob when a fraction is outside [0, 1] or any other is negative or
 * not a number.
 */
export function withImpairments(base: Readonly<Impairments>, changes: Partial<Impairments>): Impairments {
  const result: Impairments = { ...base };
  for (const key of Object.keys(changes) as (keyof Impairments)[]) {
    if (!(key in PERFECT_PATH)) throw new RangeError(`a path has no knob '${key}'`);
    const value = changes[key];
    if (value === undefined) continue;
    const most = FRACTIONS.includes(key) ? 1 : Number.POSITIVE_INFINITY;
    if (!(value >= 0 && value <= most)) throw new RangeError(`${key} cannot be ${value}`);
    result[key] = value;
  }
  if (!(Number.isFinite(result.delay) && Number.isFinite(result.jitter) && Number.isFinite(result.reorderDelay))) {
    throw new RangeError('delays must be finite: use loss for what never arrives');
  }
  return result;
}
