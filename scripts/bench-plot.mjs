// Draws docs/figures/bench.{en,zh}.svg from what the benchmarks printed: one bar a metric, ours over the peer's.
//
//   npm run -s bench -- --json > bench/results.jsonl && node scripts/bench-plot.mjs

import { readFileSync, writeFileSync } from 'node:fs';

/** What is shown: the metric, which peer (the beginning of its name), and what it is, in both languages. */
const ROWS = [
  ['tcp.bulk.mss1460', 'node', 'bulk, packets of 1500 octets', '大块传输，1500 字节的包'],
  ['tcp.bulk.gso', 'node', 'bulk, super-segments', '大块传输，超大报文段'],
  ['tun.rx', 'node', 'from the kernel, TUN device', '经 TUN 设备从内核接收'],
  ['tun.tx', 'node', 'to the kernel, TUN device', '经 TUN 设备发往内核'],
  ['tcp.pingpong', 'node', 'round trips of one octet', '一字节的往返'],
  ['tcp.connect', 'node', 'connections opened and closed', '连接的建立与关闭'],
  ['net.bulk.64k', 'node', 'node:net shape, bulk', 'node:net 接口，大块传输'],
  ['net.pingpong', 'node', 'node:net shape, round trips', 'node:net 接口，往返'],
  ['net.connect', 'node', 'node:net shape, connections', 'node:net 接口，连接'],
  ['http.parse', 'node', 'HTTP heads parsed', '解析 HTTP 头部'],
  ['http.memory', 'node', 'keep-alive requests in one process', '同一进程内的长连接请求'],
];
const TEXT = {
  en: { title: 'synfin over Node over the kernel’s loopback, same run, by processor time' },
  zh: { title: 'synfin 与 Node（内核环回）之比，同一次运行，按处理器时间' },
};
const WIDTH = 720;
const LEFT = 270;
const ROW = 26;
const TOP = 46;

/** Every measured line by its metric. */
function results(file) {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return new Map(lines.map((line) => JSON.parse(line)).map((found) => [found.metric, found]));
}

/** Ours over the peer's, above 1 when ours is better; `null` when the metric or the peer is not there. */
function ratioOf(found, peer) {
  const ratios = found?.cpu?.ratio ?? found?.ratio ?? {};
  const name = Object.keys(ratios).find((each) => each.toLowerCase().startsWith(peer));
  if (name === undefined) return null;
  return found.better === 'higher' ? ratios[name] : 1 / ratios[name];
}

function svg(lang, bars) {
  const most = Math.max(...bars.map((bar) => bar.ratio));
  // A logarithmic axis from a quarter: what is twice as slow stands as far from the line as what is twice as fast.
  const low = Math.log2(0.25);
  const scale = (WIDTH - LEFT - 70) / (Math.log2(most) - low);
  const x = (ratio) => LEFT + (Math.log2(Math.max(ratio, 0.26)) - low) * scale;
  const one = x(1);
  const height = TOP + bars.length * ROW + 30;
  const rows = bars.map(({ label, ratio }, i) => {
    const y = TOP + i * ROW;
    const [from, to] = ratio >= 1 ? [one, x(ratio)] : [x(ratio), one];
    const at = Math.max(to, one) + 6;
    return `  <text x="${LEFT - 12}" y="${y + 15}" text-anchor="end">${label}</text>
  <rect x="${from.toFixed(1)}" y="${y + 4}" width="${Math.max(1, to - from).toFixed(1)}" height="14" rx="2" class="${ratio >= 1 ? 'up' : 'down'}"/>
  <text x="${at.toFixed(1)}" y="${y + 15}" class="figure">${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(1)}×</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${TEXT[lang].title}" font-family="system-ui, sans-serif" font-size="13">
  <style>
    text { fill: #24292f } .axis { stroke: #8c959f; stroke-dasharray: 3 3 } .up { fill: #2f6f9f } .down { fill: #b35900 }
    .figure { font-variant-numeric: tabular-nums } .small { font-size: 11px; fill: #57606a }
    @media (prefers-color-scheme: dark) { text { fill: #d0d7de } .up { fill: #6cb6e8 } .down { fill: #e59a4d } .small { fill: #9198a1 } }
  </style>
  <text x="12" y="22" font-weight="600">${TEXT[lang].title}</text>
${rows.join('\n')}
  <line x1="${one.toFixed(1)}" x2="${one.toFixed(1)}" y1="${TOP - 6}" y2="${height - 24}" class="axis"/>
  <text x="${one.toFixed(1)}" y="${height - 10}" text-anchor="middle" class="small">Node = 1×</text>
</svg>
`;
}

const found = results(new URL('../bench/results.jsonl', import.meta.url));
for (const [lang, column] of [
  ['en', 2],
  ['zh', 3],
]) {
  const bars = ROWS.map((row) => ({ label: row[column], ratio: ratioOf(found.get(row[0]), row[1]) }));
  const shown = bars.filter((bar) => bar.ratio !== null);
  if (shown.length === 0) throw new Error('bench/results.jsonl has no metric that is shown');
  writeFileSync(new URL(`../docs/figures/bench.${lang}.svg`, import.meta.url), svg(lang, shown));
}
