// A small generator of its own: the same inputs in every run and on every engine.

/** Numbers from 0 to below `n`. */
export function random(seed: number): (n: number) => number {
  let x = seed | 1;
  return (n) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % n;
  };
}
