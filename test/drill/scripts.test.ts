// Our own scripts: each is a rule with its section, run strictly and to the microsecond over both versions of IP.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type DrillResult, runScript } from '../../src/drill/index.ts';

const FOLDER = fileURLToPath(new URL('scripts', import.meta.url));
const EXACT = { strict: true, options: { tolerance_usecs: '1', tolerance_percent: '0' } };

const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.pkt'))
  .map((name) => name.replaceAll('\\', '/'))
  .sort();
const texts = new Map(files.map((file) => [file, readFileSync(join(FOLDER, file), 'utf8')]));

/** What the comment at the head of a script says. */
function rule(file: string): string {
  const lines = texts.get(file)!.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//'));
  return lines
    .slice(0, end)
    .map((line) => line.slice(2).trim())
    .join(' ');
}

function run(file: string, ipVersion: 'ipv4' | 'ipv6'): DrillResult {
  return runScript(texts.get(file)!, { ...EXACT, ipVersion });
}

/** Where it failed, and how, in one text. */
function told({ failure: f }: DrillResult): string {
  return f === null ? '' : `${f.line}:${f.column}: ${f.message}\n script: ${f.expected}\n actual: ${f.actual}`;
}

describe.each(files)('%s', (file) => {
  it(rule(file), () => {
    expect(told(run(file, 'ipv4'))).toBe('');
    // What is about one version of IP says so; all others hold for both.
    if (!/^--ip_version=/m.test(texts.get(file)!)) expect(told(run(file, 'ipv6'))).toBe('');
  });
});

describe('the scripts as a whole', () => {
  it('each says its rule, and where it is written; no two say the same', () => {
    const rules = files.map((file) => [file, rule(file)] as const);
    expect(rules.filter(([, text]) => !/(RFC \d+|Linux|CVE-|BSD)/.test(text)).map(([file]) => file)).toEqual([]);
    expect(new Set(rules.map(([, text]) => text)).size).toBe(rules.length);
    expect(files.length).toBeGreaterThanOrEqual(150);
  });
});
