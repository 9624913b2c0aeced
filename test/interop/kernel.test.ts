// Our stack with the Linux kernel as the other end, over TUN devices in network namespaces of their own.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import { takesLarge } from '../../src/link/tun.ts';
import { has, MANY, Namespace, obstacle, type Running, testUnless } from './netns.ts';

/** Octets of the twenty files: nothing, the borders of segments, windows and buffers, and 50 MB. */
const SIZES = [
  0, 1, 2, 100, 535, 536, 537, 1399, 1447, 1448, 1449, 1460, 1461, 4096, 65_535, 65_536, 100_000, 1_000_000, 20_000_000,
  50_000_000,
];

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

let folder = '';
let www = '';
const digests = new Map<number, string>();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'synfin-interop-'));
  www = join(folder, 'www');
  mkdirSync(join(www, 'sub'), { recursive: true });
  const random = new Prng(20_261_122);
  for (const size of SIZES) {
    const bytes = new Uint8Array(size);
    random.fill(bytes);
    writeFileSync(join(www, `${size}.bin`), bytes);
    digests.set(size, sha256(bytes));
  }
  writeFileSync(join(www, 'page.html'), '<!doctype html><title>x</title>\n');
  writeFileSync(join(www, 'sub', 'a b.txt'), 'in a folder\n');
  writeFileSync(join(folder, 'secret.txt'), 'outside\n');
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

for (const mode of ['offloads', 'plain'] as const) {
  describe(`the kernel's curl downloads from synfin serve (${mode})`, () => {
    const reason = obstacle('curl');
    const test = testUnless(reason);
    let space: Namespace;
    let server: Running;

    beforeAll(async () => {
      if (reason !== '') return;
      space = new Namespace(`s${mode[0]}`);
      server = space.synfin('serve', www, ...(mode === 'plain' ? ['--plain'] : []));
      await server.says(/serving .* at http:\/\/10\.77\.0\.2\//);
    });
    afterAll(async () => {
      if (reason === '') await space.remove();
    });

    const curl = async (...args: string[]) => space.run('curl', '-sS', '--max-time', '60', ...args);

    for (const size of SIZES) {
      test(`a file of ${size} B arrives identical`, async () => {
        const out = join(folder, `out-${mode}-${size}`);
        const { code, stderr } = await curl('-o', out, `http://10.77.0.2/${size}.bin`);
        expect([code, stderr]).toEqual([0, '']);
        expect(sha256(readFileSync(out))).toBe(digests.get(size));
      });
    }

    test('100 connections one after the other, and 50 at once, all succeed; none is stuck', async () => {
      const url = 'http://10.77.0.2/100000.bin';
      const sums = async (count: number, parallel: number) => {
        const command = `seq ${count} | xargs -P ${parallel} -I {} sh -c 'curl -sS --max-time 60 ${url} | sha256sum'`;
        const { stdout, stderr } = await space.run('sh', '-c', command);
        expect(stderr).toBe('');
        return stdout.trim().split('\n');
      };
      const expected = `${digests.get(100_000)}  -`;
      expect(await sums(100, 1)).toEqual(Array.from({ length: 100 }, () => expected));
      expect(await sums(50, 50)).toEqual(Array.from({ length: 50 }, () => expected));
      expect(await space.stuck()).toEqual([]);
    });

    test('two requests on one connection, HEAD, and HTTP/1.0', async () => {
      const twice = await curl('-w', '%{num_connects} ', 'http://10.77.0.2/1.bin', 'http://10.77.0.2/page.html');
      expect(twice.stdout).toMatch(/1 <!doctype html>.*\n0 $/s);
      const head = await curl('-I', 'http://10.77.0.2/100000.bin');
      expect(head.stdout).toMatch(/^HTTP\/1\.1 200 OK\r\n.*Content-Length: 100000\r\n/s);
      const old = await curl('-0', '-i', 'http://10.77.0.2/page.html');
      expect(old.stdout).toMatch(/^HTTP\/1\.1 200 OK\r\n.*Connection: close\r\n.*<!doctype html>/s);
    });

    test('a client that is killed in the middle is one line in the log, and the server goes on', async () => {
      const out = join(folder, `cut-${mode}`);
      const client = space.start('curl', '-sS', '--limit-rate', '100k', '-o', out, 'http://10.77.0.2/50000000.bin');
      await expect.poll(() => existsSync(out) && statSync(out).size > 0, { timeout: 20_000 }).toBe(true);
      await client.end('SIGKILL');
      await server.says(/50000000\.bin HTTP\/1\.1" 200 [0-9]+ .* aborted/);
      expect((await curl('http://10.77.0.2/page.html')).code).toBe(0);
      expect(await space.stuck()).toEqual([]);
    });

    test('Ctrl-C ends it in good order and removes the device', async () => {
      expect(space.ip('-br', 'link')).toContain('synfin0');
      const { code, stderr } = await server.end('SIGINT');
      expect([code, stderr]).toEqual([0, '']);
      expect(space.ip('-br', 'link')).not.toContain('synfin0');
    });
  });
}

describe('super-segments of more than 64 KiB', () => {
  const reason = obstacle('curl');

  testUnless(reason)('arrive identical, in fewer packets where the kernel takes them', async () => {
    const space = new Namespace('l');
    try {
      const octets = 50_000_000;
      const server = space.start(process.execPath, fileURLToPath(new URL('large.mjs', import.meta.url)), `${octets}`);
      await server.says(/serving \w+/);
      const out = join(folder, 'large');
      const { code, stderr } = await space.run('curl', '-sS', '--max-time', '60', '-o', out, 'http://10.77.0.2/');
      expect([code, stderr]).toEqual([0, '']);
      expect(`serving ${sha256(readFileSync(out))}\n`).toBe(server.stdout);
      const { stdout } = await space.run('cat', '/sys/class/net/synfin0/statistics/rx_packets');
      expect(Number(stdout) < octets / 65_535).toBe(takesLarge(release()));
    } finally {
      await space.remove();
    }
  });
});

describe('what synfin serve answers', () => {
  const reason = obstacle('curl');
  const test = testUnless(reason);
  let space: Namespace;
  let server: Running;

  beforeAll(async () => {
    if (reason !== '') return;
    space = new Namespace('a');
    server = space.synfin('serve', www);
    await server.says(/serving/);
  });
  afterAll(async () => {
    if (reason === '') await space.remove();
  });

  const curl = async (...args: string[]) => (await space.run('curl', '-sS', '--max-time', '20', ...args)).stdout;
  const status = async (...args: string[]) => curl('-o', '/dev/null', '-w', '%{http_code}', ...args);

  test('a range is a part with 206, one beyond the end is 416, several are parts in one answer', async () => {
    const bytes = readFileSync(join(www, '4096.bin'));
    const out = join(folder, 'part');
    await curl('-o', out, '-r', '100-299', 'http://10.77.0.2/4096.bin');
    expect(readFileSync(out).equals(bytes.subarray(100, 300))).toBe(true);
    await curl('-o', out, '-r', '-96', 'http://10.77.0.2/4096.bin');
    expect(readFileSync(out).equals(bytes.subarray(4000))).toBe(true);
    expect(await status('-r', '100-299', 'http://10.77.0.2/4096.bin')).toBe('206');
    expect(await status('-r', '4096-', 'http://10.77.0.2/4096.bin')).toBe('416');
    expect(await curl('-D', '-', '-r', '0-1,5-6', 'http://10.77.0.2/4096.bin')).toMatch(
      / 206 .*multipart\/byteranges/s,
    );
  });

  test('a download that was cut is continued where it ended', async () => {
    const out = join(folder, 'continued');
    writeFileSync(out, readFileSync(join(www, '1000000.bin')).subarray(0, 400_000));
    await curl('-C', '-', '-o', out, 'http://10.77.0.2/1000000.bin');
    expect(sha256(readFileSync(out))).toBe(digests.get(1_000_000));
  });

  test('what has not changed is 304, by entity tag and by date', async () => {
    const head = await curl('-I', 'http://10.77.0.2/page.html');
    const etag = /ETag: (.*)\r/.exec(head)![1]!;
    const date = /Last-Modified: (.*)\r/.exec(head)![1]!;
    expect(await status('-H', `If-None-Match: ${etag}`, 'http://10.77.0.2/page.html')).toBe('304');
    expect(await status('-H', `If-Modified-Since: ${date}`, 'http://10.77.0.2/page.html')).toBe('304');
    expect(await status('-H', 'If-None-Match: "other"', 'http://10.77.0.2/page.html')).toBe('200');
  });

  test('directories are listed, and redirected to when the slash is missing', async () => {
    expect(await curl('http://10.77.0.2/')).toContain('<a href="./page.html">page.html</a>');
    expect(await curl('http://10.77.0.2/sub/')).toContain('<a href="./a%20b.txt">a b.txt</a>');
    expect(await curl('-L', 'http://10.77.0.2/sub')).toContain('a b.txt');
    expect(await curl('http://10.77.0.2/sub/a%20b.txt')).toBe('in a folder\n');
  });

  test('nothing outside of the directory is reached', async () => {
    for (const path of [
      '/../secret.txt',
      '/sub/../../secret.txt',
      '/%2e%2e/secret.txt',
      '/..%2fsecret.txt',
      '//../secret.txt',
    ]) {
      const answer = await curl('--path-as-is', `http://10.77.0.2${path}`);
      expect(answer).toMatch(/^40[034] /);
    }
  });

  test('other methods are 405 and say which are allowed; missing files are 404', async () => {
    expect(await curl('-i', '-X', 'DELETE', 'http://10.77.0.2/page.html')).toMatch(
      /^HTTP\/1\.1 405 .*Allow: GET, HEAD\r/s,
    );
    expect(await status('http://10.77.0.2/nothing')).toBe('404');
  });

  test('every request is one line of the log', async () => {
    await curl('http://10.77.0.2/sub/a%20b.txt?logged');
    await server.says(/^10\.77\.0\.1 - - \[.*\] "GET \/sub\/a%20b\.txt\?logged HTTP\/1\.1" 200 12 [0-9.]+ms$/m);
  });

  test('IPv6 is served too, on a device that root made before', async () => {
    space.ip('tuntap', 'add', 'dev', 'synfin6', 'mode', 'tun');
    space.ip('addr', 'add', 'fd77::1/64', 'dev', 'synfin6', 'nodad');
    space.ip('link', 'set', 'synfin6', 'up');
    const six = space.synfin('serve', www, '--tun', 'synfin6', '--addr', 'fd77::2/64', '--port', '8080');
    await six.says(/at http:\/\/\[fd77::2\]:8080\//);
    const out = join(folder, 'six');
    await curl('-g', '-o', out, 'http://[fd77::2]:8080/1000000.bin');
    expect(sha256(readFileSync(out))).toBe(digests.get(1_000_000));
    expect(six.stdout).toMatch(/^fd77::1 - - .* 200 1000000 /m);
    expect((await six.end()).code).toBe(0);
  });

  const withWget = testUnless(obstacle('curl', 'wget'));
  withWget('wget mirrors the tree', async () => {
    const out = join(folder, 'mirror');
    mkdirSync(out);
    await space.run('wget', '-q', '-r', '-np', '-nH', '-P', out, '--reject', '*0000.bin', 'http://10.77.0.2/');
    expect(readFileSync(join(out, 'sub', 'a b.txt'), 'utf8')).toBe('in a folder\n');
    expect(sha256(readFileSync(join(out, '65536.bin')))).toBe(digests.get(65_536));
  });

  const withChromium = testUnless(obstacle('curl', 'chromium'));
  withChromium('Chromium shows a page', async () => {
    const profile = `--user-data-dir=${join(folder, 'chromium')}`;
    const args = ['--headless', '--no-sandbox', '--disable-gpu', profile, '--dump-dom', 'http://10.77.0.2/page.html'];
    const { stdout } = await space.run('chromium', ...args);
    expect(stdout).toContain('<title>x</title>');
  });

  const withWrk = testUnless(obstacle('curl', 'wrk'));
  withWrk('wrk with 64 connections meets no error', async () => {
    const { stdout } = await space.run('wrk', '-t1', '-c64', '-d2s', 'http://10.77.0.2/1448.bin');
    expect(stdout).toMatch(/Requests\/sec: +[1-9]/);
    expect(stdout).not.toMatch(/Socket errors|Non-2xx/);
    expect(await space.stuck()).toEqual([]);
  });
});

describe("synfin downloads from the kernel's server", () => {
  const program = has('nginx') ? 'nginx' : 'python3';
  const reason = obstacle(program);
  const test = testUnless(reason);
  let space: Namespace;
  let server: Running;
  const base = 'http://10.77.0.1:8000';

  beforeAll(async () => {
    if (reason !== '') return;
    space = new Namespace('g');
    if (program === 'nginx') {
      const config = join(folder, 'nginx.conf');
      writeFileSync(config, nginxConfig());
      server = space.start('nginx', '-e', 'stderr', '-p', folder, '-c', config);
    } else server = space.start('python3', '-m', 'http.server', '8000', '--directory', www);
    await listening(space, 8000);
  });
  afterAll(async () => {
    if (reason !== '') return;
    // nginx in the foreground ends its worker when it is asked to, and not when it is killed.
    await server.end('SIGTERM');
    await space.remove();
  });

  for (const size of SIZES) {
    test(`a file of ${size} B from ${program} arrives identical`, async () => {
      const out = join(folder, `got-${size}`);
      const get = space.synfin('get', `${base}/${size}.bin`, '-o', out, ...(size % 2 === 0 ? [] : ['--plain']));
      const { code, stderr } = await ended(get);
      expect([code, stderr]).toEqual([0, '']);
      expect(sha256(readFileSync(out))).toBe(digests.get(size));
    });
  }

  test('100 connections one after the other, and 50 at once, all succeed; none is stuck on either side', async () => {
    const { stdout } = await space.run(process.execPath, MANY, 'get', '10.77.0.1', '8000', '/100000.bin', '100', '50');
    const digest = digests.get(100_000)!;
    expect(JSON.parse(stdout)).toEqual({ sequential: { [digest]: 100 }, parallel: { [digest]: 50 }, left: [] });
    expect(await space.stuck()).toEqual([]);
  });

  test('the same over Ethernet: a TAP device, and ARP both ways', async () => {
    const args = ['get', '10.77.0.1', '8000', '/1000000.bin', '5', '5', 'tap'];
    const { stdout } = await space.run(process.execPath, MANY, ...args);
    const digest = digests.get(1_000_000)!;
    expect(JSON.parse(stdout)).toEqual({ sequential: { [digest]: 5 }, parallel: { [digest]: 5 }, left: [] });
  });

  test('standard output takes the file when no other is named', async () => {
    const { stdout, code } = await ended(space.synfin('get', `${base}/page.html`));
    expect([stdout, code]).toEqual(['<!doctype html><title>x</title>\n', 0]);
  });

  test('an error status is one line and status 1, and no file', async () => {
    const out = join(folder, 'nothing');
    const { code, stderr } = await ended(space.synfin('get', `${base}/nothing`, '-o', out));
    expect([code, stderr]).toEqual([1, 'synfin get: 404 Not Found\n']);
    expect(() => readFileSync(out)).toThrow('ENOENT');
  });

  test('ping is answered', async () => {
    const { stdout, code } = await ended(space.synfin('ping', '10.77.0.1', '-c', '3', '-i', '10'));
    expect(stdout).toContain('3 sent, 3 received, 0% lost');
    expect(code).toBe(0);
  });
});

describe("the kernel's refusals reach the program", () => {
  const reason = obstacle('python3');
  const test = testUnless(reason);
  let space: Namespace;

  beforeAll(() => {
    if (reason === '') space = new Namespace('e');
  });
  afterAll(async () => {
    if (reason === '') await space.remove();
  });

  /** What `get` says, with the milliseconds it took inside. */
  const get = async (url: string, ...args: string[]): Promise<{ problem: string; ms: number }> => {
    const { stderr, code } = await ended(space.synfin('get', url, '--json', ...args));
    expect(code).toBe(1);
    return JSON.parse(stderr) as { problem: string; ms: number };
  };

  test('a closed port: ECONNREFUSED, at once', async () => {
    const { problem, ms } = await get('http://10.77.0.1:9/');
    expect(problem).toBe('connect ECONNREFUSED 10.77.0.1:9');
    expect(ms).toBeLessThan(10_000);
  });

  test('a reset in the middle of the answer: ECONNRESET', async () => {
    const script = `
import socket, struct, time
s = socket.socket(); s.bind(('0.0.0.0', 8001)); s.listen()
while True:
    c, _ = s.accept(); c.recv(4096); c.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 100000\\r\\n\\r\\nabc'); time.sleep(0.2)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); c.close()
`;
    const server = space.start('python3', '-c', script);
    await listening(space, 8001);
    const { problem } = await get('http://10.77.0.1:8001/', '-o', join(folder, 'reset'));
    expect(problem).toMatch(/^read ECONNRESET \(3 octets are in .*reset\.part\)$/);
    await server.end('SIGKILL');
  });

  test('a black hole: ETIMEDOUT when the last SYN has waited its time', async () => {
    // SYNs leave at 0, 200 and 600 ms; the last one is given 800 ms.
    const { problem, ms } = await get('http://10.77.0.77/', '--profile', 'rtoInitial=200', '--profile', 'synRetries=2');
    expect(problem).toBe('connect ETIMEDOUT 10.77.0.77:80');
    expect(ms).toBeGreaterThan(1390);
    expect(ms).toBeLessThan(20_000);
  });

  test('no way to the host, says the kernel: EHOSTUNREACH', async () => {
    space.sysctl('ipv4/ip_forward', '1');
    space.ip('route', 'add', 'unreachable', '10.99.0.0/24');
    const { problem, ms } = await get('http://10.99.0.1/');
    expect(problem).toBe('connect EHOSTUNREACH 10.99.0.1:80');
    expect(ms).toBeLessThan(10_000);
    space.sysctl('ipv4/ip_forward', '0');
  });

  test('a peer that falls silent: ETIMEDOUT when the last retransmission has waited its time', async () => {
    const server = space.start('python3', '-m', 'http.server', '8002');
    await listening(space, 8002);
    const client = space.start(process.execPath, MANY, 'silence', '10.77.0.1', '8002');
    await client.says(/connected/);
    space.ip('addr', 'del', '10.77.0.1/24', 'dev', 'synfin0');
    client.child.stdin?.write('go\n');
    await client.says(/\}\n/);
    const told = JSON.parse(client.stdout.split('\n')[1]!) as { code: string; ms: number; left: number };
    expect([told.code, told.left]).toEqual(['ETIMEDOUT', 0]);
    // At least 100 ms, then doubled three times.
    expect(told.ms).toBeGreaterThan(1390);
    await server.end('SIGKILL');
  });

  test('a device that is deleted under the server is one sentence and status 1', async () => {
    const server = space.synfin('serve', www);
    await server.says(/serving/);
    space.ip('link', 'del', 'synfin0');
    const { code, stderr } = await ended(server);
    expect([code, stderr]).toEqual([
      1,
      'synfin serve: synfin0 was deleted while it was attached: make it again and start anew\n',
    ]);
  });

  test('a device that another process has attached is one sentence and status 1', async () => {
    const server = space.synfin('serve', www);
    await server.says(/serving/);
    const { code, stderr } = await ended(space.synfin('ping', '10.77.0.1'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^synfin ping: synfin0 is attached already.*\n$/);
    await server.end();
  });

  test('an existing device is attached and left in place', async () => {
    space.ip('tuntap', 'add', 'dev', 'synfin1', 'mode', 'tun');
    space.ip('addr', 'add', '10.78.0.1/24', 'dev', 'synfin1');
    space.ip('link', 'set', 'synfin1', 'up');
    const { code } = await ended(
      space.synfin('ping', '10.78.0.1', '-c', '1', '--tun', 'synfin1', '--addr', '10.78.0.2/24'),
    );
    expect(code).toBe(0);
    expect(space.ip('-br', 'link')).toContain('synfin1');
    space.ip('tuntap', 'add', 'dev', 'synfin2', 'mode', 'tap');
    const wrong = await ended(space.synfin('ping', '10.78.0.1', '--tun', 'synfin2', '--addr', '10.79.0.2/24'));
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/^synfin ping: synfin2 exists but is of another kind.*\n$/);
  });
});

/** Waits for a program to end by itself. */
async function ended(running: Running): Promise<{ code: number | null; stdout: string; stderr: string }> {
  if (running.child.exitCode === null && running.child.signalCode === null) {
    await new Promise((resolve) => running.child.once('close', resolve));
  }
  return { code: running.child.exitCode, stdout: running.stdout, stderr: running.stderr };
}

/** Waits until a port of the namespace is listened on. */
async function listening(space: Namespace, port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const { stdout } = await space.run('ss', '-tlnH', `sport = :${port}`);
    if (stdout !== '') return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nobody listens on port ${port}`);
}

/** A server with everything below one folder, in the foreground. */
function nginxConfig(): string {
  return `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr warn;
events { worker_connections 512; }
http {
  access_log off; sendfile on; default_type application/octet-stream;
  client_body_temp_path ${folder}/t1; proxy_temp_path ${folder}/t2; fastcgi_temp_path ${folder}/t3;
  uwsgi_temp_path ${folder}/t4; scgi_temp_path ${folder}/t5;
  server { listen 8000; root ${www}; }
}
`;
}
