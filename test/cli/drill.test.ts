// `synfin drill`: files and folders, both versions of IP, JSON, and the three statuses.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect } from './collect.ts';

const GOOD = '0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 %{ print(tcpi_state) }%\n';
const FAILING = `0 < S 0:0(0) win 1000 <mss 1000>\n+0 > S. 0:0(0) ack 1 <...>\n`;
const BROKEN = '0 nonsense\n';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'drill-'));
  mkdirSync(join(folder, 'deep'));
  writeFileSync(join(folder, 'good.pkt'), GOOD);
  writeFileSync(join(folder, 'deep', 'failing.pkt'), FAILING);
  writeFileSync(join(folder, 'broken.txt'), BROKEN);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('synfin drill', () => {
  it('a script that passes is status 0, and what it prints is shown', async () => {
    const { status, out, err } = await collect(['drill', join(folder, 'good.pkt')]);
    expect([status, err]).toEqual([0, '']);
    expect(out).toBe(`ok   ${folder}/good.pkt\n    7\n1 passed, 0 failed\n`);
  });

  it('a folder is all scripts below it; a failure shows both packets and is status 1', async () => {
    const { status, out } = await collect(['drill', folder]);
    expect(status).toBe(1);
    expect(out).toContain(`FAIL ${folder}/deep/failing.pkt:2:1: the flags are R., not S.\n    script: +0 > S. 0:0(0)`);
    expect(out).toContain('    actual: 0.000000 > R. 0:0(0) ack 1 win 0\n');
    expect(out).toContain(`ok   ${folder}/good.pkt\n`);
    expect(out).toMatch(/\n1 passed, 1 failed\n$/);
  });

  it('a script that cannot be read is status 2, and the others are run all the same', async () => {
    const { status, out } = await collect(['drill', join(folder, 'broken.txt'), join(folder, 'good.pkt')]);
    expect(status).toBe(2);
    expect(out).toContain(`FAIL ${folder}/broken.txt:2:1: expected '(', found the end\n`);
    expect(out).toMatch(/\n1 passed, 0 failed, 1 unreadable\n$/);
  });

  it('--ip_version both runs each script twice, and --json is one object a line', async () => {
    const { status, out } = await collect(['drill', '--json', '--ip_version', 'both', join(folder, 'deep')]);
    expect(status).toBe(1);
    const rows = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows).toMatchObject([
      { ipVersion: 'ipv4', outcome: 'failed', line: 2, column: 1, events: 1, ms: 0 },
      { ipVersion: 'ipv6', outcome: 'failed', line: 2, column: 1, message: 'the flags are R., not S.' },
    ]);
  });

  it('--strict and --profile reach the run', async () => {
    const extra = join(folder, 'extra.pkt');
    writeFileSync(extra, '0 < S 0:0(0) win 1000 <mss 1000>\n');
    expect((await collect(['drill', extra])).status).toBe(0);
    expect((await collect(['drill', '--strict', extra])).out).toContain('a packet that the script does not have');
    const rto = join(folder, 'rto.pkt');
    writeFileSync(
      rto,
      '0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, 0) = 3\n+0 connect(3, ..., ...) = -1 EINPROGRESS\n' +
        '+0 > S 0:0(0) <mss 1460>\n',
    );
    expect((await collect(['drill', '--profile', 'linux', rto])).status).toBe(1);
    expect((await collect(['drill', '--profile', 'rfc', rto])).status).toBe(0);
    rmSync(extra);
    rmSync(rto);
  });

  it.each([
    [[], 'no script given'],
    [['/nonexistent.pkt'], '/nonexistent.pkt: there is no such file'],
    [['src/base'], 'src/base: no *.pkt file in it'],
    [['x', '--profile', 'beos'], '--profile takes default, linux, freebsd, rfc'],
    [['x', '--ip_version', '5'], '--ip_version takes ipv4, ipv6 or both'],
    [['x', '--tolerance_usecs', 'many'], '--tolerance_usecs takes a number'],
    [['x', '--tolerance_usecs', '1.5'], '--tolerance_usecs takes a number'],
    [['x', '--tolerance_percent', ''], '--tolerance_percent takes a number'],
    [['x', '--bogus'], "Unknown option '--bogus'"],
  ])('%j is misuse: one line, status 2', async (argv, message) => {
    const { status, out, err } = await collect(['drill', ...argv]);
    expect([status, out]).toEqual([2, '']);
    expect(err).toBe(`synfin drill: ${message} (--help: how to use it)\n`);
  });

  it.each(['en', 'zh'])('--help says what it takes (%s)', async (lang) => {
    const { status, out } = await collect(['drill', '--help', '--lang', lang]);
    expect(status).toBe(0);
    expect(out).toMatch(/^synfin drill /);
    expect(out).toContain('--ip_version');
  });
});
