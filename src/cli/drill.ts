// `synfin drill FILE...`: runs packetdrill scripts against a host in virtual time.

import { readFileSync } from 'node:fs';
import { type DrillResult, type ProfileName, runScript } from '../drill/index.ts';
import { scriptFiles } from './drill-files.ts';
import { type CliIo, EXIT_FAILED, EXIT_MISUSE, EXIT_OK, Misuse } from './io.ts';
import { guarded, readArgs } from './verb.ts';

const OPTIONS = {
  profile: { type: 'string', default: 'linux' },
  ip_version: { type: 'string', default: 'ipv4' },
  tolerance_usecs: { type: 'string' },
  tolerance_percent: { type: 'string' },
  strict: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const HELP = {
  en: `synfin drill FILE|FOLDER... [options]: run packetdrill scripts in virtual time

  npm run -s synfin -- drill test/drill/scripts/calls

A folder stands for all *.pkt files in it and below. No root, no device, no shell;
docs/drill.md has the language.

  --profile P          default, linux, freebsd or rfc (linux)
  --ip_version V       ipv4, ipv6 or both (ipv4)
  --tolerance_usecs N  how far a packet may be off its time (4000)
  --tolerance_percent N  or of the time since the event before (12.5)
  --strict             a packet that the script does not have is a failure
  --json               one object for each script
Status: 0 all passed; 1 some failed; 2 misuse, or a script cannot be read.
`,
  zh: `synfin drill 文件|目录... [选项]：在虚拟时间里运行 packetdrill 脚本

  npm run -s synfin -- drill test/drill/scripts/calls

目录代表其中（含子目录）所有 *.pkt 文件。不需要 root、设备或 shell；
语言见 docs/drill.md。

  --profile P          default、linux、freebsd 或 rfc（linux）
  --ip_version V       ipv4、ipv6 或 both（ipv4）
  --tolerance_usecs N  包的时间允许的偏差，微秒（4000）
  --tolerance_percent N  或者距上一事件时间的百分比（12.5）
  --strict             脚本里没有的包算失败
  --json               每个脚本一个对象
状态：0 全部通过；1 有失败；2 用法错误，或脚本读不懂。
`,
};

const PROFILES = ['default', 'linux', 'freebsd', 'rfc'];
const VERSIONS = { ipv4: ['ipv4'], ipv6: ['ipv6'], both: ['ipv4', 'ipv6'] } as const;

/** Runs the verb. */
export function run(argv: string[], io: CliIo): Promise<number> {
  return guarded('drill', io, async () => {
    const { values, positionals } = readArgs(argv, OPTIONS);
    if (values.help) {
      io.stdout.write(HELP[io.lang]);
      return EXIT_OK;
    }
    if (positionals.length === 0) throw new Misuse('no script given');
    if (!PROFILES.includes(values.profile)) throw new Misuse(`--profile takes ${PROFILES.join(', ')}`);
    const versions = Object.hasOwn(VERSIONS, values.ip_version) && VERSIONS[values.ip_version as 'both'];
    if (versions === false) throw new Misuse('--ip_version takes ipv4, ipv6 or both');
    const options: Record<string, string> = {};
    for (const name of ['tolerance_usecs', 'tolerance_percent'] as const) {
      const value = values[name];
      if (value === undefined) continue;
      const isOne = name === 'tolerance_usecs' ? /^\d{1,10}$/ : /^\d+(\.\d+)?$/;
      if (!isOne.test(value)) throw new Misuse(`--${name} takes a number`);
      options[name] = value;
    }
    const tally = { passed: 0, failed: 0, broken: 0 };
    for (const file of scriptFiles(positionals)) {
      const text = readFileSync(file, 'utf8');
      for (const ipVersion of versions) {
        const profile = values.profile as ProfileName;
        const result = runScript(text, { profile, ipVersion, strict: values.strict, options });
        tally[result.outcome]++;
        if (values.json) io.stdout.write(`${jsonLine(file, ipVersion, result)}\n`);
        else io.stdout.write(textLines(file, versions.length > 1 ? ` (${ipVersion})` : '', result));
      }
    }
    if (!values.json) io.stdout.write(summary(tally, io.lang === 'zh'));
    return tally.broken > 0 ? EXIT_MISUSE : tally.failed > 0 ? EXIT_FAILED : EXIT_OK;
  });
}

function jsonLine(file: string, ipVersion: string, result: DrillResult): string {
  const { outcome, events, output, failure } = result;
  const base = { file, ipVersion, outcome, events, ms: result.time / 1000 };
  return JSON.stringify({ ...base, ...(output.length > 0 ? { output } : {}), ...(failure ?? {}) });
}

function textLines(file: string, version: string, result: DrillResult): string {
  const { failure, output } = result;
  const said = output.map((line) => `    ${line}\n`).join('');
  if (failure === null) return `ok   ${file}${version}\n${said}`;
  let text = `FAIL ${file}:${failure.line}:${failure.column}: ${failure.message}${version}\n${said}`;
  if (failure.expected !== '') text += `    script: ${failure.expected}\n`;
  if (failure.actual !== '') text += `    actual: ${failure.actual}\n`;
  return text;
}

function summary(tally: Record<DrillResult['outcome'], number>, zh: boolean): string {
  const { passed, failed, broken } = tally;
  const rest = broken > 0 ? (zh ? `，${broken} 读不懂` : `, ${broken} unreadable`) : '';
  return zh ? `${passed} 通过，${failed} 失败${rest}\n` : `${passed} passed, ${failed} failed${rest}\n`;
}
