// Our HTTP with real clients and real servers at the kernel's end, over TUN.

import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { makeCertificate } from '../web/certificate.ts';
import { Namespace, obstacle, type Running, testUnless } from './netns.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const MEGABYTE = new Uint8Array(1_000_000).fill(7);
const URL_ = 'http://10.77.0.2';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'synfin-http-'));
  writeFileSync(join(folder, 'megabyte'), MEGABYTE);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('real clients of serve', () => {
  const reason = obstacle('curl');
  const test = testUnless(reason);
  let space: Namespace;
  let server: Running;
  beforeAll(async () => {
    if (reason !== '') return;
    space = new Namespace('h');
    server = space.start(process.execPath, here('./http-server.mjs'));
    await server.says(/serving/);
  });
  afterAll(async () => {
    if (reason !== '') return;
    const { stderr } = await server.end();
    await space.remove();
    expect(stderr).toBe('');
  });
  const curl = async (...args: string[]) => {
    const { stdout, stderr } = await space.run('curl', '-sS', '--max-time', '60', ...args);
    return stdout + stderr;
  };
  const uploaded = JSON.stringify({ octets: MEGABYTE.length, sha256: sha256(MEGABYTE) });

  test('curl uses one connection for requests that follow each other', async () => {
    const urls = [1, 2, 3, 4].flatMap(() => ['-o', '/dev/null', `${URL_}/gzip`]);
    expect(await curl('-w', '%{num_connects} ', ...urls)).toBe('1 0 0 0 ');
  });

  test('curl uploads after 100 (Continue), with a length and in chunks', async () => {
    const said = await curl(
      '-v',
      '--expect100-timeout',
      '30',
      '-H',
      'Expect: 100-continue',
      '-T',
      join(folder, 'megabyte'),
      `${URL_}/upload`,
    );
    expect(said).toContain('< HTTP/1.1 100 Continue');
    expect(said).toContain(uploaded);
    const chunked = await space.run('sh', '-c', `curl -sS --max-time 60 -T - ${URL_}/upload < ${folder}/megabyte`);
    expect(chunked.stdout).toBe(uploaded);
  });

  test('curl undoes what was coded for it', async () => {
    expect(await curl('--compressed', '-D', '-', `${URL_}/gzip`)).toMatch(
      /content-encoding: gzip\r\n.*(plain text\n){1000}$/is,
    );
    expect(await curl(`${URL_}/gzip`)).toBe('plain text\n'.repeat(1000));
  });

  test('curl sees early hints and trailers', async () => {
    expect(await curl('-i', `${URL_}/hints`)).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nLink: .*\r\n\r\nHTTP\/1\.1 200 .*hinted\n$/s,
    );
    const raw = await curl('--raw', '-d', 'abc', `${URL_}/trailers`);
    expect(raw).toMatch(new RegExp(`0\\r\\nX-Sum: ${sha256(Buffer.from('abc'))}\\r\\n\\r\\n$`));
  });

  testUnless(obstacle('wget'))('wget posts a file', async () => {
    const { stdout } = await space.run('wget', '-q', '-O', '-', `--post-file=${folder}/megabyte`, `${URL_}/upload`);
    expect(stdout).toBe(uploaded);
  });

  testUnless(obstacle('ab'))('ab meets no failure, with and without keep-alive', async () => {
    for (const [keep, kept] of [
      [['-k'], 2000],
      [[], 0],
    ] as const) {
      const { stdout } = await space.run('ab', '-q', '-n', '2000', '-c', '50', ...keep, `${URL_}/gzip`);
      expect(stdout).toMatch(/Complete requests: +2000\nFailed requests: +0\n/);
      if (kept > 0) expect(stdout).toMatch(/Keep-Alive requests: +2000\n/);
    }
    expect(await space.stuck()).toEqual([]);
  });

  testUnless(obstacle('wrk'))('wrk meets no error', async () => {
    const { stdout } = await space.run('wrk', '-t1', '-c32', '-d2s', `${URL_}/gzip`);
    expect(stdout).toMatch(/Requests\/sec: +[1-9]/);
    expect(stdout).not.toMatch(/Socket errors|Non-2xx/);
  });

  testUnless(obstacle('python3', 'wrk'))(
    'others are served while 400 clients send their heads an octet at a time',
    async () => {
      const script = `
import socket, time
slow = []
for i in range(400):
    s = socket.create_connection(('10.77.0.2', 80)); s.sendall(b'GET / HTTP/1.1\\r\\nHost: a\\r\\nX: '); slow.append(s)
print('slow', flush=True)
while True:
    for s in slow: s.sendall(b'x')
    time.sleep(0.1)
`;
      const slow = space.start('python3', '-c', script);
      await slow.says(/slow/);
      const { stdout } = await space.run('wrk', '-t1', '-c8', '-d1s', `${URL_}/gzip`);
      expect(stdout).toMatch(/Requests\/sec: +[1-9]/);
      expect(stdout).not.toMatch(/Socket errors|Non-2xx/);
      await slow.end('SIGKILL');
      expect(await space.stuck()).toEqual([]);
    },
  );

  testUnless(obstacle('python3'))(
    "Python's http.client keeps a connection, sends chunks and reads chunks",
    async () => {
      const script = `
import http.client, json
c = http.client.HTTPConnection('10.77.0.2', timeout=30)
out = []
for i in range(3):
    c.request('PUT', '/upload', body=iter([b'a' * 1000] * 100), encode_chunked=True, headers={'Transfer-Encoding': 'chunked'})
    r = c.getresponse(); out.append([r.status, json.loads(r.read())['octets']])
port = c.sock.getsockname()[1]
c.request('GET', '/events'); r = c.getresponse(); out.append(r.read().count(b'data: '))
c.request('HEAD', '/big'); r = c.getresponse(); out.append([r.getheader('content-length'), len(r.read())])
out.append(c.sock.getsockname()[1] == port)
print(json.dumps(out))
`;
      const { stdout, stderr } = await space.run('python3', '-c', script);
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toEqual([[200, 100_000], [200, 100_000], [200, 100_000], 5, ['200000000', 0], true]);
    },
  );

  testUnless(obstacle('nginx'))('nginx in front of us passes requests on over connections it keeps', async () => {
    const config = join(folder, 'proxy.conf');
    writeFileSync(config, nginxProxy(folder));
    const proxy = space.start('nginx', '-e', 'stderr', '-p', folder, '-c', config);
    await listening(space, 8080);
    const at = 'http://127.0.0.1:8080';
    expect(await curl('-T', join(folder, 'megabyte'), `${at}/upload`)).toBe(uploaded);
    for (let i = 0; i < 20; i++) expect(await curl(`${at}/gzip`)).toHaveLength(11_000);
    expect(await curl('-o', '/dev/null', '-w', '%{size_download}', `${at}/big`)).toBe('200000000');
    expect(await curl('-w', '%{http_code}', `${at}/nothing`)).toBe('nothing here\n404');
    const { stderr } = await proxy.end('SIGTERM');
    expect(stderr).not.toMatch(/\[(error|crit|alert)\]/);
  });

  testUnless(obstacle('chromium'))(
    'Chromium: a page with 100 images, an upload, events, a WebSocket and 200 MB',
    async () => {
      const profile = `--user-data-dir=${join(folder, 'chromium')}`;
      const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-port=0', profile];
      const browser = space.start('chromium', ...flags, `${URL_}/`);
      await server.says(/^report .*\n/m);
      expect(JSON.parse(/^report (.*)$/m.exec(server.stdout)![1]!)).toEqual({
        images: 100,
        upload: { octets: 3_000_000, sha256: sha256(new Uint8Array(3_000_000).fill(7)) },
        events: [0, 1, 2, 3, 4].map((n) => `event ${n}`),
        socket: 'you said hello',
        octets: 200_000_000,
      });
      await browser.end('SIGTERM');
    },
  );
});

describe('synfin serve with TLS', () => {
  const reason = obstacle('curl', 'openssl');
  testUnless(reason)('curl trusts it by its authority, and downloads whole and in parts', async () => {
    const space = new Namespace('t');
    try {
      const { ca, cert, key } = makeCertificate('10.77.0.2');
      for (const [name, text] of Object.entries({ ca, cert, key })) writeFileSync(join(folder, `${name}.pem`), text);
      const www = join(folder, 'www');
      mkdirSync(www, { recursive: true });
      writeFileSync(join(www, 'megabyte'), MEGABYTE);
      const server = space.synfin(
        'serve',
        www,
        '--tls',
        '--cert',
        join(folder, 'cert.pem'),
        '--key',
        join(folder, 'key.pem'),
      );
      await server.says(/serving .* at https:\/\/10\.77\.0\.2\//);
      const out = join(folder, 'over-tls');
      const args = ['-sS', '--max-time', '60', '--cacert', join(folder, 'ca.pem'), '-o', out];
      for (const more of [
        ['-w', '%{http_code}'],
        ['-w', '%{http_code}', '-r', '10-19'],
      ]) {
        const { stdout, stderr } = await space.run('curl', ...args, ...more, 'https://10.77.0.2/megabyte');
        const part = more.length > 2;
        expect([stdout, stderr]).toEqual([part ? '206' : '200', '']);
        expect(readFileSync(out).length).toBe(part ? 10 : MEGABYTE.length);
      }
      const refused = await space.run('curl', '-sS', 'https://10.77.0.2/megabyte');
      expect(refused.stderr).toMatch(/certificate/);
      const { code, stderr } = await server.end();
      expect([code, stderr]).toEqual([0, '']);
      expect(await space.stuck()).toEqual([]);
    } finally {
      await space.remove();
    }
  });
});

describe('real servers for fetch', () => {
  const ask = async (space: Namespace, ...requests: object[]): Promise<Record<string, unknown>[]> => {
    const args = requests.map((request) => JSON.stringify(request));
    const { stdout, stderr } = await space.run(process.execPath, here('./http-client.mjs'), ...args);
    expect(stderr).toBe('');
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };

  testUnless(obstacle('nginx'))('nginx: coded, in parts, uploads, redirects, all over one connection', async () => {
    const space = new Namespace('o');
    const root = join(folder, 'origin');
    mkdirSync(root, { recursive: true });
    writeFileSync(join(root, 'text.txt'), 'plain text\n'.repeat(1000));
    const config = join(folder, 'origin.conf');
    writeFileSync(config, nginxOrigin(folder, root));
    const server = space.start('nginx', '-e', 'stderr', '-p', folder, '-c', config);
    try {
      await listening(space, 8000);
      const at = 'http://10.77.0.1:8000';
      const [coded, part, put, chunked, moved, end] = await ask(
        space,
        { url: `${at}/text.txt` },
        { url: `${at}/text.txt`, headers: { Range: 'bytes=0-9' } },
        { url: `${at}/put/a`, method: 'PUT', octets: 500_000 },
        { url: `${at}/put/b`, method: 'PUT', octets: 500_000, stream: true },
        { url: `${at}/moved` },
      );
      expect(coded).toMatchObject({ status: 200, octets: 11_000, fields: { 'content-encoding': 'gzip' } });
      expect(part).toMatchObject({ status: 206, octets: 10, start: 'plain text' });
      expect([put!['status'], chunked!['status']]).toEqual([201, 201]);
      for (const name of ['a', 'b']) expect(readFileSync(join(root, 'put', name)).length).toBe(500_000);
      expect(moved).toMatchObject({ status: 200, redirected: true, octets: 11_000 });
      expect(end).toEqual({ connections: 1 });
      const out = join(folder, 'got');
      const get = await ended(space.synfin('get', `${at}/moved`, '-o', out, '-v', '--compressed'));
      expect([get.code, readFileSync(out, 'utf8')]).toEqual([0, 'plain text\n'.repeat(1000)]);
      // The exchange, with the segments that carried it.
      expect(get.stderr).toMatch(
        /SYN.*> GET \/moved HTTP\/1\.1\n.*< HTTP\/1\.1 302 .*> GET \/text\.txt .*< HTTP\/1\.1 200 .*FIN/s,
      );
    } finally {
      await server.end('SIGTERM');
      await space.remove();
    }
  });

  testUnless(obstacle('python3'))("Python's http.server: HTTP/1.0, content that ends with the connection", async () => {
    const space = new Namespace('p');
    const root = join(folder, 'python');
    mkdirSync(root, { recursive: true });
    writeFileSync(join(root, 'megabyte'), MEGABYTE);
    const server = space.start('python3', '-m', 'http.server', '8000', '--directory', root);
    try {
      await listening(space, 8000);
      const [file, list, none] = await ask(
        space,
        { url: 'http://10.77.0.1:8000/megabyte' },
        { url: 'http://10.77.0.1:8000/' },
        { url: 'http://10.77.0.1:8000/none' },
      );
      expect(file).toMatchObject({ status: 200, octets: 1_000_000, sha256: sha256(MEGABYTE) });
      expect(list!['start']).toContain('Directory listing');
      expect(none).toMatchObject({ status: 404 });
    } finally {
      await server.end('SIGKILL');
      await space.remove();
    }
  });
});

/** Waits for a program to end by itself. */
async function ended(running: Running): Promise<{ code: number | null; stderr: string }> {
  if (running.child.exitCode === null) await new Promise((resolve) => running.child.once('close', resolve));
  return { code: running.child.exitCode, stderr: running.stderr };
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

/** What every configuration of nginx begins with: in the foreground, everything below one folder. */
function nginxBase(folder: string): string {
  return `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr warn;
events { worker_connections 512; }
http {
  access_log off; default_type text/plain; client_max_body_size 0;
  client_body_temp_path ${folder}/t1; proxy_temp_path ${folder}/t2; fastcgi_temp_path ${folder}/t3;
  uwsgi_temp_path ${folder}/t4; scgi_temp_path ${folder}/t5;`;
}

function nginxProxy(folder: string): string {
  return `${nginxBase(folder)}
  upstream synfin { server 10.77.0.2:80; keepalive 8; }
  server {
    listen 127.0.0.1:8080;
    location / {
      proxy_pass http://synfin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_request_buffering off; proxy_max_temp_file_size 0;
    }
  }
}
`;
}

function nginxOrigin(folder: string, root: string): string {
  return `${nginxBase(folder)}
  gzip on; gzip_types text/plain; gzip_min_length 1;
  server {
    listen 8000; root ${root};
    location /put/ { dav_methods PUT; create_full_put_path on; }
    location = /moved { return 302 /text.txt; }
  }
}
`;
}
