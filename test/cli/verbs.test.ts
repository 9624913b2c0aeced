import { describe, expect, it } from 'vitest';
import { otherAddress, readProfile } from '../../src/cli/device.ts';
import { run as get } from '../../src/cli/get.ts';
import type { CliIo } from '../../src/cli/io.ts';
import { run as ping } from '../../src/cli/ping.ts';
import { accessLine, run as serve } from '../../src/cli/serve.ts';
import { parsePrefix } from '../../src/wire/address.ts';

/** Runs a verb with lists in place of streams. */
async function call(
  run: (argv: string[], io: CliIo) => Promise<number>,
  argv: string[],
  lang: 'en' | 'zh' = 'en',
): Promise<{ status: number; stdout: string; stderr: string }> {
  const out = { stdout: '', stderr: '' };
  const to = (name: 'stdout' | 'stderr') => ({
    write: (data: string | Uint8Array) => {
      out[name] += String(data);
    },
  });
  const status = await run(argv, { stdout: to('stdout'), stderr: to('stderr'), env: {}, lang });
  return { status, ...out };
}

describe.each([
  ['serve', serve],
  ['get', get],
  ['ping', ping],
])('synfin %s', (name, run) => {
  it.each(['en', 'zh'] as const)('--help says what needs root (%s)', async (lang) => {
    const { status, stdout, stderr } = await call(run, ['--help'], lang);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(new RegExp(`^synfin ${name} `));
    expect(stdout).toContain('root');
    expect(stdout).toContain('npm install koffi');
  });

  it.each([
    [['--bogus']],
    [[]],
    [['a', 'b']],
    [['10.0.0.1', '--tun', 'a/b']],
    [['http://10.0.0.1/', '--addr', '10.0.0.1']],
  ])('a command line that makes no sense is one line and status 2: %j', async (argv) => {
    const { status, stdout, stderr } = await call(run, argv);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(new RegExp(`^synfin ${name}: .* \\(--help: how to use it\\)\n$`));
  });
});

describe('misuse names the thing', () => {
  it.each([
    [serve, ['/nonexistent'], '/nonexistent: there is no such directory'],
    [serve, ['package.json'], 'package.json: not a directory'],
    [serve, ['.', '--port', '70000'], '--port 70000: not a whole number from 1 to 65535'],
    [serve, ['.', '--addr', '10.77.0.0/24'], '--addr 10.77.0.0/24: not the address of a host'],
    [serve, ['.', '--addr', '10.77.0.2/32'], 'a network of one address'],
    [serve, ['.', '--tls'], '--tls needs --cert FILE and --key FILE; openssl req -x509'],
    [serve, ['.', '--cert', 'package.json', '--key', 'package.json'], 'no certificate with its key in PEM'],
    [serve, ['.', '--links', 'all'], '--links all: neither inside nor never'],
    [serve, ['.', '--mtu', '10'], '--mtu 10: not a whole number'],
    [serve, ['.', '--profile', 'bogus=1'], '--profile bogus=1: not KEY=NUMBER'],
    [get, ['ftp://10.0.0.1/'], 'only http: and https: are known'],
    [get, ['http://example.com/'], 'the host must be an address in numbers'],
    [get, ['http://10.0.0.1:0/'], 'port 0'],
    [ping, ['example.com'], 'example.com: not an address in numbers'],
    [ping, ['10.0.0.1', '-c', '0'], '--count 0: not a whole number'],
  ])('%o %j', async (run, argv, words) => {
    const { status, stderr } = await call(run, argv);
    expect(status).toBe(2);
    expect(stderr).toContain(words);
  });
});

describe('small parts', () => {
  it.each([
    ['10.77.0.2/24', '10.77.0.1'],
    ['10.77.0.1/24', '10.77.0.2'],
    ['10.77.3.9/16', '10.77.0.1'],
    ['10.0.0.4/31', '10.0.0.5'],
    ['10.0.0.5/31', '10.0.0.4'],
    ['10.0.0.5/30', '10.0.0.6'],
    ['255.0.0.9/0', '0.0.0.1'],
    ['fd77::2/64', 'fd77::1'],
    ['fd77::1/64', 'fd77::2'],
    ['fd77::5:2/120', 'fd77::5:1'],
  ])("the kernel's side of %s is %s", (ours, theirs) => {
    expect(otherAddress(parsePrefix(ours)!).toString()).toBe(theirs);
  });

  it('profile settings keep the kind of their default', () => {
    expect(readProfile(['synRetries=2', 'rtoMin=0.5', 'nagle=false'])).toEqual({
      synRetries: 2,
      rtoMin: 0.5,
      nagle: false,
    });
    for (const wrong of ['nagle=1', 'synRetries=true', 'synRetries', 'synRetries=-1', '__proto__=1', 'toString=1']) {
      expect(() => readProfile([wrong])).toThrow('--profile');
    }
  });

  it('a line of the log is in the common format, quotes escaped', () => {
    const entry = {
      time: new Date(Date.UTC(2026, 0, 2, 3, 4, 5)),
      peer: '10.77.0.1',
      method: 'GET',
      target: '/a"b',
      minor: 1,
      status: 200,
      octets: 12,
      ms: 1.26,
      aborted: false,
    };
    expect(accessLine(entry)).toBe('10.77.0.1 - - [02/Jan/2026:03:04:05 +0000] "GET /a\\"b HTTP/1.1" 200 12 1.3ms');
    expect(accessLine({ ...entry, aborted: true })).toMatch(/ms aborted$/);
  });
});
