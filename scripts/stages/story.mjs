// The story as a newcomer meets it: `npm start` in both languages, twice alike, and its capture read by tshark.

import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAIN } from '../lib/build.mjs';
import { check, skip } from '../lib/cases.mjs';
import { npm, ROOT, run } from '../lib/proc.mjs';
import { lacking } from './system.mjs';

/** Columns a line takes in a terminal: East Asian wide and fullwidth characters take two. */
function columns(line) {
  let width = 0;
  for (const char of line) {
    const code = char.codePointAt(0);
    const wide =
      (code >= 0x1100 && code <= 0x115f) ||
      (code >= 0x2e80 && code <= 0xa4cf) ||
      (code >= 0xac00 && code <= 0xd7a3) ||
      (code >= 0xf900 && code <= 0xfaff) ||
      (code >= 0xfe30 && code <= 0xfe6f) ||
      (code >= 0xff00 && code <= 0xff60) ||
      (code >= 0xffe0 && code <= 0xffe6) ||
      code >= 0x20000;
    width += wide ? 2 : 1;
  }
  return width;
}

/** What every telling must contain, whatever the language. */
const WORDS = [
  ...['CLOSED', 'LISTEN', 'SYN-SENT', 'SYN-RECEIVED', 'ESTABLISHED'],
  ...['FIN-WAIT-1', 'FIN-WAIT-2', 'CLOSE-WAIT', 'LAST-ACK', 'TIME-WAIT'],
  ...['GET /', 'seq=x', 'ack=x+1', 'sha256', 'npm start'],
];
const OWN_WORDS = { en: ['handshake'], zh: ['三次握手', '四次挥手', '客户端', '服务端'] };

const demo = (args) => run(process.execPath, [MAIN, 'demo', ...args], { timeout: 60_000, env: { NO_COLOR: '1' } });

async function telling(lang) {
  const first = await demo(['--lang', lang]);
  const second = await demo(['--lang', lang]);
  const lines = first.stdout.split('\n');
  const wide = lines.filter((line) => columns(line) > 80);
  const absent = [...WORDS, ...OWN_WORDS[lang]].filter((word) => !first.stdout.includes(word));
  return [
    check(`demo --lang ${lang} ends well`, first.code === 0, first.output),
    check(`demo --lang ${lang} fits 80 columns`, wide.length === 0, wide.join('\n')),
    check(`demo --lang ${lang} tells every state, the letters and the proof`, absent.length === 0, absent.join(', ')),
    check(`demo --lang ${lang} is the same twice`, first.stdout === second.stdout && first.stdout !== ''),
  ];
}

/** One row of tshark's answer per packet. Read twice (`-2`): a conversation is complete only at its end. */
async function tshark(file) {
  const fields = ['tcp.completeness', 'tcp.checksum.status', 'ip.checksum.status', '_ws.malformed', 'tcp.stream'];
  const settings = ['-o', 'tcp.check_checksum:TRUE', '-o', 'ip.check_checksum:TRUE'];
  const columnsWanted = fields.flatMap((field) => ['-e', field]);
  const result = await run('tshark', ['-2', '-r', file, ...settings, '-T', 'fields', ...columnsWanted], {
    timeout: 60_000,
  });
  const rows = result.stdout.trimEnd().split('\n');
  return { ...result, rows: rows.map((row) => row.split('\t')) };
}

async function capture(folder) {
  const a = join(folder, 'a.pcapng');
  const b = join(folder, 'b.pcapng');
  for (const file of [a, b]) {
    const made = await demo(['--seed', '7', '--pcap', file]);
    if (made.code !== 0 || !existsSync(file)) return [check('demo --pcap writes a capture', false, made.output)];
  }
  const alike = readFileSync(a).equals(readFileSync(b));
  const cases = [check('the same seed gives a byte-identical capture', alike)];
  const reason = lacking(['tshark']);
  if (reason !== '') return [...cases, skip('tshark reads the capture', reason)];
  const { code, rows, output } = await tshark(a);
  // Checksum status 0 is bad, 1 good, 2 not verified, 3 not present.
  const bad = rows.filter((row) => row[1] === '0' || row[2] === '0');
  const unread = rows.filter((row) => row[1] !== '1');
  const malformed = rows.filter((row) => row[3] !== '');
  const complete = rows.filter((row) => row[0] === '31');
  return [
    ...cases,
    check('tshark reads the capture', code === 0 && rows.length > 10, output),
    check('tshark finds no bad checksum and has verified every one', bad.length === 0 && unread.length === 0),
    check('tshark finds no malformed frame', malformed.length === 0),
    check('tshark finds the conversation complete (31)', complete.length === rows.length, rows[0]?.join(' ')),
  ];
}

/** `npm start` as after a fresh clone: without dist/, without node_modules. */
async function start(folder) {
  const clone = join(folder, 'clone');
  for (const path of ['package.json', 'tsconfig.base.json', 'tsconfig.build.json', 'scripts', 'src']) {
    cpSync(join(ROOT, path), join(clone, path), { recursive: true });
  }
  const title = 'npm start tells the story from a fresh clone';
  if (process.env.SYNFIN_NO_INSTALL === '1') return [skip(title, 'SYNFIN_NO_INSTALL=1 forbids to install typescript')];
  const began = process.hrtime.bigint();
  const options = { cwd: clone, timeout: 120_000, env: { NO_COLOR: '1' } };
  const first = await npm(['start', '--', '--lang', 'zh'], options);
  const seconds = (Number(process.hrtime.bigint() - began) / 1e9).toFixed(1);
  const again = await npm(['start', '--', '--lang', 'zh'], options);
  const told = (result) => result.code === 0 && result.stdout.includes('三次握手');
  return [
    check(`${title} (${seconds} s)`, told(first), first.output),
    check(
      'npm start again installs and builds nothing',
      told(again) && !again.output.includes('Building'),
      again.output,
    ),
  ];
}

/** The stage. */
export async function story() {
  if (!existsSync(join(ROOT, 'src', 'cli', 'main.ts')))
    return [skip('the story', 'src/cli/main.ts is not written yet')];
  const folder = mkdtempSync(join(tmpdir(), 'synfin-story-'));
  try {
    return [...(await start(folder)), ...(await telling('en')), ...(await telling('zh')), ...(await capture(folder))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
