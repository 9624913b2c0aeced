// What `synfin get` asks for and what it makes of the answers, between two hosts in one process.

import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Download, type Outcome } from '../../src/cli/get-download.ts';
import { orderOf, REQUEST_OPTIONS } from '../../src/cli/get-request.ts';
import { readArgs } from '../../src/cli/verb.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { afterIo, createHost, type RealHost } from '../../src/run/index.ts';
import { createWeb, type ServeOptions, type TlsOptions } from '../../src/web/index.ts';
import { canMakeCertificates, makeCertificate } from '../web/certificate.ts';

const LONG = Uint8Array.from({ length: 500_000 }, (_, i) => (i * 7 + (i >> 8)) & 255);
let folder = '';
const open: RealHost[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'synfin-get-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => {
  for (const { runtime } of open.splice(0)) runtime.close();
});

interface Got extends Outcome {
  stdout: string;
  stderr: string;
}

/** Runs a download against `fetch`, which serves port 80 (or 443) of 10.0.0.2. */
async function get(fetch: ServeOptions['fetch'], args: string[], tls?: TlsOptions, isTTY = false): Promise<Got> {
  const pipe = createPipe({ schedule: afterIo });
  const near = createHost({ name: 'near' });
  const far = createHost({ name: 'far' });
  near.runtime.attach(pipe.a, { addresses: ['10.0.0.1/24'] });
  far.runtime.attach(pipe.b, { addresses: ['10.0.0.2/24'] });
  open.push(near, far);
  createWeb(far.host).serve({ port: tls === undefined ? 80 : 443, fetch, ...(tls && { tls }) });
  const { values, positionals } = readArgs(args, REQUEST_OPTIONS);
  const out = { stdout: '', stderr: '' };
  const to = (name: 'stdout' | 'stderr') => ({
    isTTY,
    write: (data: string | Uint8Array) => {
      out[name] += typeof data === 'string' ? data : Buffer.from(data).toString();
    },
  });
  const io = { stdout: to('stdout'), stderr: to('stderr'), env: {}, lang: 'en' } as const;
  const tick = (): unknown => near.runtime.tick();
  const download = new Download(orderOf(values, positionals), { host: near.host, io, tick: () => void tick() });
  return { ...(await download.outcome), ...out };
}

const URL_ = 'http://10.0.0.2/file';
const name = (() => {
  let n = 0;
  return () => join(folder, `out-${n++}`);
})();

describe('a request', () => {
  const told: ServeOptions['fetch'] = async (request) => {
    const fields = [...request.headers].map(([key, value]) => `${key}=${value}`).join(' ');
    return new Response(`${request.method} ${new URL(request.url).pathname} ${fields} [${await request.text()}]`);
  };

  it('has the method, the fields and the content of the command line', async () => {
    const plain = await get(told, [URL_]);
    expect(plain.stdout).toBe('GET /file accept=*/* connection=close host=10.0.0.2 user-agent=synfin []');
    const posted = await get(told, [URL_, '-d', 'a=1', '-H', 'X-A: 1', '-H', 'X-A: 2', '-H', 'accept: text/html']);
    expect(posted.stdout).toMatch(/^POST .*accept=text\/html .*content-length=3 .*-urlencoded .*x-a=1, 2 \[a=1\]$/);
    expect((await get(told, [URL_, '-X', 'PURGE'])).stdout).toMatch(/^PURGE /);
    const file = name();
    writeFileSync(file, 'from a file');
    expect((await get(told, [URL_, '-X', 'PUT', '-d', `@${file}`])).stdout).toMatch(/^PUT .*\[from a file\]$/);
  });

  it('goes to a name whose address is told', async () => {
    const { stdout, problem } = await get(told, ['http://origin.test/x', '--resolve', 'origin.test=10.0.0.2']);
    expect([problem, stdout]).toEqual(['', expect.stringContaining('host=origin.test')]);
  });

  it.each([
    [['ftp://10.0.0.2/'], 'only http: and https:'],
    [['http://u:p@10.0.0.2/'], 'credentials go into a field'],
    [['http://origin.test/'], '--resolve origin.test=ADDRESS'],
    [[URL_, '--resolve', 'x=y'], 'not NAME=ADDRESS'],
    [[URL_, '-c'], '--continue needs --output'],
    [[URL_, '-c', '-o', 'x', '--compressed'], 'do not go together'],
    [[URL_, '-c', '-o', 'x', '-d', 'y'], 'plain download'],
    [[URL_, '-I', '-d', 'x'], 'do not go together'],
    [[URL_, '-H', 'nothing'], 'not a field'],
    [[URL_, '-H', 'X: \u0001'], 'not a field'],
    [[URL_, '-H', 'Content-Length: 5'], "synfin's to decide"],
    [[URL_, '-X', 'a b'], 'not a method'],
    [[URL_, '--max-redirects', 'x'], 'not a whole number'],
  ])('that makes no sense is refused: %j', async (args, words) => {
    await expect(get(told, args)).rejects.toThrow(words);
  });
});

describe('redirects', () => {
  const chain: ServeOptions['fetch'] = (request) => {
    const n = Number(new URL(request.url).pathname.slice(1));
    if (n === 0) return new Response(`${request.method} arrived`);
    return new Response('on and on', { status: 302, headers: { Location: `/${n - 1}` } });
  };

  it('are followed, and only the last answer is written', async () => {
    const out = name();
    const { problem, redirects, url } = await get(chain, ['http://10.0.0.2/3', '-o', out, '-d', 'x']);
    expect([problem, redirects, url]).toEqual(['', 3, 'http://10.0.0.2/0']);
    expect(readFileSync(out, 'utf8')).toBe('GET arrived');
  });

  it('are not followed for ever, nor where they lead nowhere, nor when they are not wanted', async () => {
    const many = await get(chain, ['http://10.0.0.2/3', '--max-redirects', '2']);
    expect([many.problem, many.stdout]).toEqual(['redirected more than 2 times, last to /0', '']);
    const none = await get(chain, ['http://10.0.0.2/3', '--max-redirects', '0']);
    expect(none.problem).toBe('302 Found -> /2');
    const away = (): Response => new Response(null, { status: 301, headers: { Location: 'http://origin.test/' } });
    expect((await get(away, [URL_])).problem).toMatch(
      /^301 -> http:\/\/origin\.test\/: .*--resolve origin\.test=ADDRESS$/,
    );
    const closed = (): Response => new Response(null, { status: 301, headers: { Location: 'http://10.0.0.2:9/' } });
    expect((await get(closed, [URL_])).problem).toBe('connect ECONNREFUSED 10.0.0.2:9');
  });
});

describe('content that nobody wants', () => {
  const endless = (): ReadableStream<Uint8Array> =>
    new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) });

  it('and that never ends is left: that of an error, and that of a redirect, which is followed', async () => {
    const error = await get(() => new Response(endless(), { status: 500 }), [URL_]);
    expect(error.problem).toBe('500 Internal Server Error');
    const redirect: ServeOptions['fetch'] = (request) =>
      request.url.endsWith('/there')
        ? new Response('arrived')
        : new Response(endless(), { status: 302, headers: { Location: '/there' } });
    const { problem, stdout } = await get(redirect, [URL_]);
    expect([problem, stdout]).toEqual(['', 'arrived']);
  });
});

describe('going on where it stopped', () => {
  const changed = 'Wed, 01 Jan 2025 00:00:00 GMT';
  /** A server of a file that breaks after some octets, when it is told to. */
  const server = (breakAt: number, lastModified = changed): { fetch: ServeOptions['fetch']; asked: string[] } => {
    const asked: string[] = [];
    const fetch: ServeOptions['fetch'] = (request) => {
      const range = /^bytes=([0-9]+)-$/.exec(request.headers.get('range') ?? '');
      const current = request.headers.get('if-range') === lastModified;
      asked.push(`${request.headers.get('range')} ${current}`);
      const from = range !== null && current ? Number(range[1]) : 0;
      const headers: Record<string, string> = { 'Last-Modified': lastModified };
      if (from === LONG.length) {
        return new Response(null, { status: 416, headers: { 'Content-Range': `bytes */${from}` } });
      }
      if (from > 0) headers['Content-Range'] = `bytes ${from}-${LONG.length - 1}/${LONG.length}`;
      headers['Content-Length'] = String(LONG.length - from);
      let sent = false;
      const body = new ReadableStream({
        async pull(controller) {
          if (sent && breakAt > 0) {
            // Once some of it has arrived.
            await new Promise((resolve) => setTimeout(resolve, 20));
            throw new Error('broken');
          }
          if (sent) controller.close();
          else controller.enqueue(LONG.subarray(from, breakAt > 0 ? breakAt : undefined));
          sent = true;
        },
      });
      return new Response(body, { status: from > 0 ? 206 : 200, headers });
    };
    return { fetch, asked };
  };
  const broken = async (): Promise<string> => {
    const out = name();
    const { problem } = await get(server(200_000).fetch, [URL_, '-o', out]);
    expect(problem).toMatch(/\(\d+ octets are in .*\.part\)$/);
    expect(existsSync(out)).toBe(false);
    return out;
  };

  it('asks for the rest of the same file, and the file is whole then', async () => {
    const out = await broken();
    const kept = statSync(`${out}.part`).size;
    expect(kept).toBeGreaterThan(0);
    const { fetch, asked } = server(0);
    const { problem, resumed, octets } = await get(fetch, [URL_, '-o', out, '-c']);
    expect([problem, resumed, octets]).toEqual(['', kept, LONG.length - kept]);
    expect(asked).toEqual([`bytes=${kept}- true`]);
    expect(Buffer.compare(readFileSync(out), LONG)).toBe(0);
    expect(existsSync(`${out}.part`)).toBe(false);
  });

  it('begins anew when the file has changed, and when there is nothing to go on from', async () => {
    const out = await broken();
    const { problem, resumed } = await get(server(0, 'Thu, 02 Jan 2025 00:00:00 GMT').fetch, [URL_, '-o', out, '-c']);
    expect([problem, resumed]).toEqual(['', 0]);
    expect(Buffer.compare(readFileSync(out), LONG)).toBe(0);
    const fresh = name();
    const { fetch, asked } = server(0);
    expect((await get(fetch, [URL_, '-o', fresh, '-c'])).problem).toBe('');
    expect(asked).toEqual(['null false']);
  });

  it('is done when everything had come', async () => {
    const out = await broken();
    writeFileSync(`${out}.part`, LONG);
    utimesSync(`${out}.part`, new Date(changed), new Date(changed));
    const { problem, octets } = await get(server(0).fetch, [URL_, '-o', out, '-c']);
    expect([problem, octets]).toEqual(['', 0]);
    expect(Buffer.compare(readFileSync(out), LONG)).toBe(0);
  });

  it('does not take another part than the one it asked for', async () => {
    const out = await broken();
    const wrong = (): Response =>
      new Response('x', { status: 206, headers: { 'Content-Range': 'bytes 5-5/500000', 'Content-Length': '1' } });
    expect((await get(wrong, [URL_, '-o', out, '-c'])).problem).toBe(
      '206 with another part than was asked for: bytes 5-5/500000',
    );
  });
});

describe('content', () => {
  it.each([
    ['gzip', gzipSync(LONG)],
    ['br', brotliCompressSync(LONG)],
    ['identity', Buffer.from(LONG)],
  ])('that is coded with %s is undone when it was asked for so, else left alone', async (coding, bytes) => {
    const serve = (): Response => new Response(new Uint8Array(bytes), { headers: { 'Content-Encoding': coding } });
    const [undone, left] = [name(), name()];
    expect((await get(serve, [URL_, '-o', undone, '--compressed'])).problem).toBe('');
    expect(Buffer.compare(readFileSync(undone), LONG)).toBe(0);
    expect((await get(serve, [URL_, '-o', left])).problem).toBe('');
    expect(Buffer.compare(readFileSync(left), bytes)).toBe(0);
  });

  it('that is not what it says, or coded with what nobody knows, is an error', async () => {
    const serve = (coding: string) => () => new Response('nonsense', { headers: { 'Content-Encoding': coding } });
    expect((await get(serve('gzip'), [URL_, '--compressed'])).problem).toMatch(/^the content is not what it says: /);
    expect((await get(serve('rot13'), [URL_, '--compressed'])).problem).toMatch(/coded with rot13/);
  });

  it('of an error is not written; a place that cannot be written to is an error', async () => {
    const out = name();
    const { problem, status } = await get(() => new Response('no', { status: 404 }), [URL_, '-o', out]);
    expect([problem, status, existsSync(out)]).toEqual(['404 Not Found', 404, false]);
    const nowhere = join(folder, 'nothing', 'here');
    expect((await get(() => new Response('x'), [URL_, '-o', nowhere])).problem).toMatch(/^ENOENT/);
  });
});

describe('what is shown', () => {
  it('-I: the head alone', async () => {
    const { stdout, octets } = await get((request) => new Response(request.method), [URL_, '-I']);
    expect(stdout).toMatch(/^HTTP\/1\.1 200 OK\n(.+: .+\n)*Date: .+\n(.+: .+\n)*\n$/);
    expect(octets).toBe(0);
  });

  it('of a long answer draws how far it is, on a terminal and nowhere else', async () => {
    const long = (): Response => new Response(LONG, { headers: { 'Content-Length': `${LONG.length}` } });
    const { stderr } = await get(long, [URL_, '-o', name()], undefined, true);
    // Each drawing begins at the left edge and clears what an older, longer one left there.
    const drawn = stderr.split('\r').slice(1);
    expect(drawn.every((line) => line.trimEnd().endsWith('\u001b[K'))).toBe(true);
    expect(drawn.at(0)).toMatch(/^ +\d+% {2}\d\.\d MB {2}\d+\.\d MB\/s /);
    expect(drawn.at(-1)).toMatch(/^100% {2}0\.5 MB {2}\d+\.\d MB\/s .*\n$/);
    expect((await get(long, [URL_, '-o', name()])).stderr).toBe('');
  });

  it('-v: both heads, and interim answers', async () => {
    const { stderr, stdout } = await get(
      (_request, info) => {
        info.earlyHints({ Link: '</a>' });
        return new Response('x');
      },
      [URL_, '-v'],
    );
    expect(stdout).toBe('x');
    expect(stderr).toMatch(/^> GET \/file HTTP\/1\.1\n> Host: 10\.0\.0\.2\n(> .*\n)+< HTTP\/1\.1 103 Early Hints\n/);
    expect(stderr).toMatch(/< Link: <\/a>\n(< .*\n)*< HTTP\/1\.1 200 OK\n/);
  });
});

const able = canMakeCertificates();
describe.skipIf(!able)(`https:${able ? '' : ' (needs: openssl)'}`, () => {
  it('is trusted by the authority that is named, or when nothing is checked; else the cure is told', async () => {
    const { ca, cert, key } = makeCertificate('10.0.0.2');
    const file = name();
    writeFileSync(file, ca);
    const url = 'https://10.0.0.2/';
    const serve = (): Response => new Response('secret');
    expect((await get(serve, [url, '--cacert', file], { cert, key })).stdout).toBe('secret');
    expect((await get(serve, [url, '-k'], { cert, key })).stdout).toBe('secret');
    const { problem, stdout } = await get(serve, [url], { cert, key });
    expect([problem, stdout]).toEqual([
      expect.stringMatching(/^TLS: .* \(trust it by --cacert FILE, or say --insecure\)$/),
      '',
    ]);
  });
});
