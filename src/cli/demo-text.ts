// What the demonstration says around the ladder, in both languages.

import { type Lang, padStart, textWidth } from '../trace/index.ts';
import type { Closer, DemoOptions, DemoResult } from './demo-run.ts';

/** Width of everything that is printed. */
export const COLUMNS = 80;

/** Texts of one language. */
interface Texts {
  readonly help: string;
  readonly seed: string;
  readonly loss: string;
  readonly reorder: string;
  readonly dup: string;
  readonly corrupt: string;
  readonly proof: string;
  readonly good: (octets: number, sha: string) => string;
  readonly bad: (sent: number, received: number) => string;
  readonly failed: (why: string) => string;
  readonly states: (seen: number, missing: string) => string;
  readonly run: (ms: number, segments: number, digest: string) => string;
  readonly notLost: (names: string) => string;
  readonly wrote: (file: string) => string;
  readonly tryIt: string;
}

const EN: Texts = {
  help: `synfin demo [options]: the whole life of a connection, from SYN to FIN

A client gets a page over HTTP from a server, on a simulated network, in virtual
time. No root, no network, and the same seed tells the same story.

  npm start
  npm run -s synfin -- demo --lose synack --close both

the path
  --seed N         all that is left to chance follows from it, below 2^32 (9293)
  --rtt MS         there and back (40)
  --loss P         of the packets never arrive (3%)
  --reorder P      are held back, so that others overtake them (3%)
  --dup P          arrive twice (0)
  --corrupt P      have one bit flipped (0)
                   P is a percentage (3, 0.5%) or a fraction below 1 (0.03)
  --lose NAME,...  lose these once each, more than once if named so (wave4):
                   syn synack ack request data wave1 wave2 wave3 wave4, or none
the conversation
  --size N         octets of the page, at most 100000000 (100000)
  --close WHO      who ends it: client, server or both (client)
what is shown
  --full           every segment, nothing folded
  --names          only the table of state names met in the wild
  --json           the events, one JSON object a line, and a result
  --pcap FILE      write a capture (pcapng), for tshark and Wireshark
  --pcap-at PLACE  where it is taken: wire (as sent; the default), client or
                   server (with what the path corrupted)
  --svg FILE       draw handshake and close
  --figures DIR    draw the figures of the documentation, in both languages
  --lang en|zh     language (from LC_ALL, LC_MESSAGES or LANG)

Status: 0 everything arrived; 1 it did not; 2 misuse.
`,
  seed: 'seed',
  loss: 'loss',
  reorder: 'reorder',
  dup: 'dup',
  corrupt: 'corrupt',
  proof: 'proof',
  good: (octets, sha) => `OK  sent = received = ${octets} B  sha256 ${sha}`,
  bad: (sent, received) => `FAILED  sent ${sent} B, received ${received} B`,
  failed: (why) => `the exchange failed: ${why}`,
  states: (seen, missing) => `${seen} of 11 states${missing === '' ? '' : ` (no ${missing})`}`,
  run: (ms, segments, digest) => `${ms} ms of virtual time, ${segments} segments, digest ${digest}`,
  notLost: (names) => `never came by, so it could not be lost: ${names}`,
  wrote: (file) => `wrote ${file}`,
  tryIt: 'try:',
};

const ZH: Texts = {
  help: `synfin demo [选项]：一条连接的一生，从 SYN 到 FIN

在模拟的网络上、虚拟的时间里，客户端用 HTTP 向服务端要一个网页。
不需要 root，不需要网络；同一个种子讲同一个故事。

  npm start -- --lang zh
  npm run -s synfin -- demo --lose synack --close both

路径
  --seed N         一切随机都由它决定，小于 2^32（9293）
  --rtt MS         往返时间（40）
  --loss P         这么多的包到不了（3%）
  --reorder P      这么多的包被耽搁，后发的先到（3%）
  --dup P          这么多的包到两次（0）
  --corrupt P      这么多的包翻一个比特（0）
                   P 是百分数，如 3 或 0.5%，或小数，如 0.03
  --lose NAME,...  把这些段各丢一次，写几遍丢几次（wave4）：
                   syn synack ack request data wave1 wave2 wave3 wave4，或 none
对话
  --size N         网页的字节数，最多 100000000（100000）
  --close WHO      谁来结束：client、server 或 both（client）
显示
  --full           每一段都显示，不折叠
  --names          只打印各处见到的状态名对照表
  --json           事件，每行一个 JSON 对象，最后是结果
  --pcap FILE      写抓包文件（pcapng），给 tshark 和 Wireshark 看
  --pcap-at PLACE  在哪里抓：wire（发出时的样子，默认）、client 或 server
                   （包括路上损坏的）
  --svg FILE       画出握手和挥手
  --figures DIR    画出文档用的图，两种语言
  --lang en|zh     语言（默认看 LC_ALL、LC_MESSAGES、LANG）

状态：0 全部到达；1 没有；2 用法错误。
`,
  seed: '种子',
  loss: '丢包',
  reorder: '乱序',
  dup: '重复',
  corrupt: '损坏',
  proof: '证明',
  good: (octets, sha) => `OK  发 = 收 = ${octets} B  sha256 ${sha}`,
  bad: (sent, received) => `失败  发 ${sent} B，收 ${received} B`,
  failed: (why) => `交换失败：${why}`,
  states: (seen, missing) => `11 个状态走过 ${seen} 个${missing === '' ? '' : `（缺 ${missing}）`}`,
  run: (ms, segments, digest) => `虚拟时间 ${ms} ms，${segments} 段，指纹 ${digest}`,
  notLost: (names) => `没有出现，所以没丢成：${names}`,
  wrote: (file) => `已写入 ${file}`,
  tryIt: '试试：',
};

/** The texts of a language. */
export function textsOf(lang: Lang): Texts {
  return lang === 'zh' ? ZH : EN;
}

/** A fraction as a percentage, without needless digits. */
function percent(fraction: number): string {
  return `${Math.round(fraction * 1e6) / 1e4}%`;
}

/** The first line of the ladder: what this run is. */
export function titleOf(options: DemoOptions, lang: Lang): string {
  const texts = textsOf(lang);
  const parts = [
    `synfin  ${texts.seed} ${options.seed}`,
    `RTT ${options.rtt} ms`,
    `${texts.loss} ${percent(options.loss)}`,
  ];
  if (options.reorder > 0) parts.push(`${texts.reorder} ${percent(options.reorder)}`);
  if (options.dup > 0) parts.push(`${texts.dup} ${percent(options.dup)}`);
  if (options.corrupt > 0) parts.push(`${texts.corrupt} ${percent(options.corrupt)}`);
  return parts.join('  ');
}

/** Other ways to tell the story: what this run was not. */
export function suggestions(options: DemoOptions, lang: Lang): string[] {
  const other: Closer = options.close === 'both' ? 'server' : 'both';
  const lose = options.lose.includes('synack') ? 'data' : 'synack';
  const first = `npm start -- --close ${other} | --lose ${lose} | --full | --lang ${lang === 'zh' ? 'en' : 'zh'}`;
  const label = textsOf(lang).tryIt;
  const indent = padStart('', textWidth(label));
  return [
    `${label} ${first}`,
    `${indent} npm run -s synfin -- demo --pcap story.pcapng --svg story.svg`,
    `${indent} npm run -s synfin -- --help`,
  ];
}

/** The lines that close the story. */
export function proofOf(result: DemoResult, lang: Lang): string[] {
  const texts = textsOf(lang);
  const { sent, received } = result;
  const sha = `${sent.sha256.slice(0, 4)}..${sent.sha256.slice(-4)}`;
  const all = ['CLOSED', 'LISTEN', 'SYN-SENT', 'SYN-RECEIVED', 'ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'CLOSE-WAIT'];
  const missing = [...all, 'CLOSING', 'LAST-ACK', 'TIME-WAIT'].filter((s) => !result.states.some((o) => o === s));
  const named = missing.length > 3 ? '' : missing.join(lang === 'zh' ? '、' : ', ');
  const states = texts.states(result.states.length, named);
  const verdict = result.ok ? texts.good(sent.octets, sha) : texts.bad(sent.octets, received.octets);
  // One line when it fits, two otherwise.
  const lines = textWidth(`${verdict}  ${states}`) < COLUMNS ? [`${verdict}  ${states}`] : [verdict, states];
  if (result.error !== '') lines.push(texts.failed(result.error));
  const segments = result.packets.filter((p) => p.point === 'sender').length;
  lines.push(texts.run(Math.round(result.end), segments, result.digest));
  if (result.notLost.length > 0) lines.push(texts.notLost(result.notLost.join(', ')));
  return lines;
}
