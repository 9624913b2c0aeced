// Ratios of paired figures, with how sure they are.

/** Quantiles of Student's t, one-sided 95 %, by degrees of freedom. */
const T95 = [NaN, 6.314, 2.92, 2.353, 2.132, 2.015, 1.943, 1.895, 1.86, 1.833, 1.812];
const NORMAL95 = 1.645;

const t95 = (freedom) => T95[freedom] ?? NORMAL95 + 1.6 / freedom;

/**
 * The ratio of the sums of `ours` and `kernel` over pairs, and the bounds below and above which it lies with 95 % each
 * (delta method; the pairs count as independent). One pair alone is sure of nothing.
 */
export function ratioOf(pairs) {
  const n = pairs.length;
  const sum = (pick) => pairs.reduce((total, pair) => total + pick(pair), 0);
  const [ours, kernel] = [sum((p) => p.ours), sum((p) => p.kernel)];
  const ratio = ours / kernel;
  if (n < 2) return { ratio, low: 0, high: Infinity };
  const squares = sum((p) => (p.ours - ratio * p.kernel) ** 2);
  const error = (t95(n - 1) * Math.sqrt(squares / (n - 1) / n)) / (kernel / n);
  return { ratio, low: ratio - error, high: ratio + error };
}
