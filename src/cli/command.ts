// The `synfin` command: finds the verb, the language and the surroundings, and hands over.
//
// Verbs are loaded when they are asked for, so that `demo` needs nothing but Node.js.

import { readFileSync } from 'node:fs';
import { type CliIo, EXIT_FAILED, EXIT_MISUSE, EXIT_OK } from './io.ts';

/** What a verb's file exports. */
interface Verb {
  run(argv: string[], io: CliIo): Promise<number>;
}

const VERBS: Readonly<Record<string, () => Promise<Verb>>> = {
  demo: () => import('./demo.ts'),
  serve: () => import('./serve.ts'),
  get: () => import('./get.ts'),
  ping: () => import('./ping.ts'),
  lab: () => import('./lab.ts'),
  drill: () => import('./drill.ts'),
};

const HELP = {
  en: `synfin: the whole life of a connection, from SYN to FIN, in user space

  synfin demo          the story: a page over HTTP through a lossy path, no root
  synfin serve DIR     a file server that the kernel's programs reach over TUN
  synfin get URL       a download through our own stack, over TUN
  synfin ping ADDR     echo requests of our own, over TUN
  synfin lab           the stack in your browser: touch any packet
  synfin drill FILE    packetdrill scripts, in virtual time

  synfin VERB --help   what a verb takes
  --lang en|zh         language (from LC_ALL, LC_MESSAGES or LANG)
  --version            the version

From a clone: npm run -s synfin -- VERB ...   serve, get and ping need Linux and
root (sudo), or a TUN device that is yours; demo, lab and drill run anywhere.
Status: 0 success; 1 it failed; 2 misuse.
`,
  zh: `synfin：一条连接的一生，从 SYN 到 FIN，全在用户态

  synfin demo          故事：网页用 HTTP 走过一条会丢包的路径，不需要 root
  synfin serve DIR     文件服务器，内核里的程序经 TUN 访问
  synfin get URL       用自己的协议栈下载，经 TUN
  synfin ping ADDR     自己发回显请求，经 TUN
  synfin lab           浏览器里的协议栈：每个包都能碰
  synfin drill FILE    packetdrill 脚本，在虚拟时间里运行

  synfin VERB --help   各个动词的选项
  --lang en|zh         语言（默认看 LC_ALL、LC_MESSAGES、LANG）
  --version            版本

在克隆的目录里：npm run -s synfin -- VERB ...   serve、get、ping 需要 Linux 和
root（sudo），或者一个属于你的 TUN 设备；demo、lab、drill 到处都能跑。
状态：0 成功；1 失败；2 用法错误。
`,
} as const;

/** The language of the locale: the first of the three variables that is set decides (POSIX). */
export function localeLang(env: CliIo['env']): 'en' | 'zh' {
  const locale = [env['LC_ALL'], env['LC_MESSAGES'], env['LANG']].find((v) => v !== undefined && v !== '');
  return /^zh(?![a-z])/i.test(locale ?? '') ? 'zh' : 'en';
}

/** Takes `--lang` out of a command line, wherever it stands before `--`. `null` when its value is not a language. */
export function takeLang(argv: readonly string[], env: CliIo['env']): { lang: 'en' | 'zh'; rest: string[] } | string {
  let lang = localeLang(env);
  const rest: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === '--') {
      rest.push(...argv.slice(i));
      break;
    }
    if (word !== '--lang' && !word.startsWith('--lang=')) {
      rest.push(word);
      continue;
    }
    const value = word === '--lang' ? (argv[++i] ?? '') : word.slice('--lang='.length);
    if (value !== 'en' && value !== 'zh') return value;
    lang = value;
  }
  return { lang, rest };
}

function version(): string {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(file) as { version: unknown }).version);
}

/** Runs the command and returns its exit status. Writes to `stdout` and `stderr` only. */
export async function command(argv: readonly string[], surroundings: Omit<CliIo, 'lang'>): Promise<number> {
  const { stdout, stderr, env } = surroundings;
  const taken = takeLang(argv, env);
  if (typeof taken === 'string') {
    stderr.write(`synfin: --lang takes en or zh, not '${taken}'\n`);
    return EXIT_MISUSE;
  }
  const { lang, rest } = taken;
  const [name = '', ...args] = rest;
  if (name === '--help' || name === '-h' || name === 'help') {
    stdout.write(HELP[lang]);
    return EXIT_OK;
  }
  if (name === '--version' || name === '-V') {
    stdout.write(`synfin ${version()}\n`);
    return EXIT_OK;
  }
  if (name === '') {
    stderr.write(HELP[lang]);
    return EXIT_MISUSE;
  }
  const load = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (load === undefined) {
    const verbs = Object.keys(VERBS).join(', ');
    const text = lang === 'zh' ? `没有 '${name}' 这个动词；有 ${verbs}` : `there is no '${name}'; there are ${verbs}`;
    stderr.write(`synfin: ${text} (--help)\n`);
    return EXIT_MISUSE;
  }
  try {
    return await (await load()).run(args, { ...surroundings, lang });
  } catch (error) {
    // A fault of ours: one line for who uses it, the stack for who looks for it.
    const fault = error instanceof Error ? error : new Error(String(error));
    const shown = (env['SYNFIN_DEBUG'] ?? '') === '' ? fault.message : (fault.stack ?? fault.message);
    stderr.write(`synfin ${name}: unexpected: ${shown}\n`);
    return EXIT_FAILED;
  }
}
