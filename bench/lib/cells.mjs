// The cells of loss by round-trip time, on emulated paths of 100 Mbit/s, and what the metrics over them say.
//
// A round runs all cells; flows that need little run beside each other. What a cell says is the ratio of the sums over all
// its pairs of flows and rounds; the figure of a metric is the geometric mean of the cells.

import { LossLab, obstacle } from './loss.mjs';
import { ratioOf } from './ratio.mjs';

/** 100 Mbit/s, octets per second. */
const RATE = 12_500_000;
/** Least queue, octets: 100 packets; a bandwidth-delay product otherwise. */
const LEAST_QUEUE = 150_000;

/** What runs at one time: seconds, and cells of loss in %, round-trip time in ms, and pairs of flows. */
const BATCHES = [
  [20, [0.1, 300, 6], [1, 100, 12], [1, 300, 16], [5, 20, 8], [5, 100, 16], [5, 300, 24]],
  [12, [0.1, 100, 4], [1, 20, 6], [5, 1, 4]],
  [8, [0.1, 20, 3]],
  [8, [1, 1, 2]],
  [6, [0, 1, 1]],
  [6, [0, 20, 1]],
  [6, [0.1, 1, 1]],
  [10, [0, 100, 1]],
  [15, [0, 300, 1]],
];

/**
 * The parts of a metric over the cells.
 *
 * @param receive our end receives what the kernel sends; otherwise it sends
 */
export function overCells(receive) {
  const cells = new Map();
  let geometric = null;
  let why = null;

  async function round() {
    why ??= obstacle();
    if (why !== '') return;
    const lab = new LossLab();
    const means = { ours: [], kernel: [] };
    try {
      for (const [seconds, ...batch] of BATCHES) {
        const groups = batch.map(([loss, rtt, flows]) => {
          const queue = Math.max((RATE * rtt) / 1000, LEAST_QUEUE);
          const data = { rate: RATE, queue, delay: rtt / 2, loss: loss / 100 };
          return { flows, receive, data, acks: { rate: RATE, queue: 1_000_000, delay: rtt / 2 } };
        });
        const found = await lab.run(groups, { time: seconds * 1000 });
        for (const [n, [loss, rtt]] of batch.entries()) {
          const key = `loss ${loss} % RTT ${rtt} ms`;
          const cell = cells.get(key) ?? { loss, rtt, pairs: [] };
          cell.pairs.push(...found[n]);
          cells.set(key, cell);
          for (const who of ['ours', 'kernel']) {
            means[who].push(Math.log(found[n].reduce((sum, pair) => sum + pair[who], 0) / found[n].length));
          }
        }
      }
    } finally {
      await lab.close();
    }
    const mean = (logs) => (Math.exp(logs.reduce((a, b) => a + b, 0) / logs.length) * 8) / 1e6;
    geometric = { ours: mean(means.ours), kernel: mean(means.kernel) };
  }

  async function notes() {
    if (geometric === null) return [`cannot run here: ${why}`];
    const lines = [];
    const ratios = [];
    for (const [key, { pairs }] of [...cells].sort(([, a], [, b]) => a.loss - b.loss || a.rtt - b.rtt)) {
      const { ratio, low } = ratioOf(pairs);
      ratios.push({ ratio, low });
      const mbit = (who) => ((pairs.reduce((sum, p) => sum + p[who], 0) / pairs.length) * 8) / 1e6;
      const figures = `${mbit('ours').toFixed(2)} against ${mbit('kernel').toFixed(2)} Mbit/s`;
      lines.push(
        `${key}: ${ratio.toFixed(3)}, with 95 % at least ${low.toFixed(3)} (${pairs.length} pairs, ${figures})`,
      );
    }
    const sorted = ratios.map(({ ratio }) => ratio).sort((a, b) => a - b);
    const median = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
    lines.push(
      `median of the cells ${median.toFixed(3)}; lowest bound ${Math.min(...ratios.map((r) => r.low)).toFixed(3)}`,
    );
    return lines;
  }

  /** Runs a round; the kernel's flows run at the same time as ours. */
  async function run() {
    await round();
    return geometric === null ? null : geometric.ours;
  }
  return { run, notes, kernel: () => (geometric === null ? null : geometric.kernel) };
}
