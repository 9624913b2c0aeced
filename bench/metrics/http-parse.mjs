// Metric http.parse: request heads parsed a second, in the mean of three heads, every name and value read as a string.
//
// Method: the same octets again and again through one parser, as a connection that is kept does; after each head every
// name and value is touched inside the timed loop. Peer: the parser of Node's own `http`, driven without sockets. Figures
// are by processor time too, since the loop waits for nothing. The mean is harmonic: one head of each size after the other.

import { Buffer } from 'node:buffer';
import { createRequire } from 'node:module';
import { HeadParser, useAsciiDecoder } from 'synfin/http';
import { keepFirst } from '../lib/measure.mjs';

const { HTTPParser } = createRequire(import.meta.url)('_http_common');

/** A head of exactly `size` octets with `count` fields beside Host. */
function head(size, count) {
  const names = ['Accept', 'User-Agent', 'Accept-Language', 'Cookie', 'Referer', 'Cache-Control', 'If-None-Match'];
  const start = 'GET /index.html HTTP/1.1\r\nHost: www.example.org\r\n';
  const lines = Array.from({ length: count }, (_, i) => `${names[i] ?? `X-Field-${i}`}: `);
  const spare = size - start.length - 2 - lines.reduce((sum, line) => sum + line.length + 2, 0);
  const share = Math.floor(spare / count);
  const rest = spare - share * count;
  return `${start}${lines.map((line, i) => `${line}${'v'.repeat(share + (i === 0 ? rest : 0))}\r\n`).join('')}\r\n`;
}

/** A small head, a browser's, and one with 15 fields. */
const HEADS = [
  ['73 B', Buffer.from(head(73, 1))],
  ['703 B', Buffer.from(head(703, 8))],
  ['583 B, 15 fields', Buffer.from(head(583, 14))],
];
const TIMES = 20_000;

/** Sums what was parsed, so that no engine may leave the reading out. */
let sink = 0;

// As `createWeb` does.
const { latin1Slice } = Buffer.prototype;
useAsciiDecoder((bytes, from, to) => latin1Slice.call(bytes, from, to));

function ours(bytes, times) {
  const parser = new HeadParser('request');
  keepFirst('parser', parser);
  for (let n = 0; n < times; n++) {
    parser.feed(bytes, 0, bytes.length);
    if (parser.result !== 'done') throw new Error(parser.fault);
    const { fields } = parser;
    for (let i = 0; i < fields.length; i++) sink += fields.nameAt(i).charCodeAt(0) + fields.valueAt(i).charCodeAt(0);
    sink += parser.method.length + parser.target.length;
    parser.reset();
  }
}

function node(bytes, times) {
  const parser = new HTTPParser();
  parser.initialize(HTTPParser.REQUEST, {});
  let complete = 0;
  parser[HTTPParser.kOnHeadersComplete] = (_major, _minor, fields, _method, url) => {
    for (let i = 0; i < fields.length; i++) sink += fields[i].charCodeAt(0);
    sink += url.length;
    complete++;
  };
  for (let n = 0; n < times; n++) parser.execute(bytes);
  parser.close();
  if (complete !== times) throw new Error(`the peer parsed ${complete} of ${times} heads`);
}

/** Heads a second of one parser and one head, by the clock and by the processor. */
function rate(parse, bytes) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  parse(bytes, TIMES);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { value: TIMES / seconds, cpu: TIMES / ((user + system) / 1e6) };
}

/** The harmonic mean over all heads, in thousands a second. */
function mean(parse) {
  const rates = HEADS.map(([, bytes]) => rate(parse, bytes));
  if (sink === 0) throw new Error('nothing was read');
  const harmonic = (kind) => HEADS.length / rates.reduce((sum, one) => sum + 1 / one[kind], 0) / 1000;
  return { value: harmonic('value'), cpu: harmonic('cpu') };
}

export const name = 'http.parse';
export const unit = 'k heads/s';
export const better = 'higher';
export const run = async () => mean(ours);
export const peers = { node: async () => mean(node) };

/** Each head by itself. */
export async function notes() {
  return HEADS.map(([title, bytes]) => {
    const best = (parse) => Math.max(...Array.from({ length: 5 }, () => rate(parse, bytes).value));
    const [own, peer] = [best(ours), best(node)];
    const thousands = (value) => `${Math.round(value / 1000)} k/s`;
    return `${title}: ${thousands(own)}, node ${thousands(peer)}, ${(own / peer).toFixed(2)}x`;
  });
}
