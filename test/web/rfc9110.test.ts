// What RFC 9110 and RFC 9112 ask of `fetch` and `serve` rather than of a connection; a title starts with the
// requirements it holds, as in `test/http/`.

import { describe, expect, it } from 'vitest';
import { createWeb } from '../../src/web/index.ts';
import { drain, put } from '../http/conversation.ts';
import { MemoryNet, turns } from './memory-host.ts';

const HOUR = Date.UTC(2026, 0, 2, 3, 4, 5);
const EMPTY = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

/** What `serve` answers to octets. */
async function answer(text: string, tell: (request: Request) => string = (request) => request.url): Promise<string> {
  const net = new MemoryNet();
  createWeb(net.host('10.0.0.2'), { clock: null, timeOfDay: () => HOUR }).serve({
    port: 80,
    fetch: (request) => new Response(tell(request)),
  });
  const stream = net.host('10.0.0.1').connect({ address: '10.0.0.2', port: 80 });
  await turns(5);
  put(stream, text);
  await turns(20);
  return drain(stream);
}

/** What `fetch` sends. */
async function asked(url: string, init?: RequestInit): Promise<string> {
  const net = new MemoryNet();
  let got = '';
  net.host('10.0.0.2').listen({ port: 80 }, (stream) => {
    stream.handler = {
      onReadable: () => {
        got += drain(stream);
        if (got.endsWith('\r\n\r\n')) put(stream, EMPTY);
      },
    };
  });
  await (await createWeb(net.host('10.0.0.1'), { clock: null }).fetch(url, init)).arrayBuffer();
  return got;
}

describe('fetch', () => {
  it('[9112-3.2/2] [9110-4.2.4/1] names the authority of the URL in Host, without userinfo', async () => {
    expect(await asked('http://10.0.0.2:80/x')).toContain('\r\nHost: 10.0.0.2\r\n');
    await expect(asked('http://u:p@10.0.0.2/x')).rejects.toThrow(TypeError);
  });
  it('[9112-3.2.1/1] [9112-3.2.1/2] sends path and query alone, and / for an empty path', async () => {
    expect((await asked('http://10.0.0.2/a/b?c=d#e')).startsWith('GET /a/b?c=d HTTP/1.1\r\n')).toBe(true);
    expect((await asked('http://10.0.0.2?x')).startsWith('GET /?x HTTP/1.1\r\n')).toBe(true);
    expect((await asked('http://10.0.0.2')).startsWith('GET / HTTP/1.1\r\n')).toBe(true);
  });
  it('[9110-4.2.2/3] sends nothing of an https: request in clear: what goes out first is a handshake', async () => {
    const net = new MemoryNet();
    const seen: number[] = [];
    net.host('10.0.0.2').listen({ port: 443 }, (stream) => {
      stream.handler = {
        onReadable: () => {
          seen.push(...stream.peek());
          stream.abort();
        },
      };
    });
    const asking = createWeb(net.host('10.0.0.1'), { clock: null }).fetch('https://10.0.0.2/secret');
    await expect(asking).rejects.toThrow('ECONNRESET');
    // RFC 8446 §5.1: a record of the type handshake.
    expect([seen[0], Buffer.from(seen).includes('secret')]).toEqual([0x16, false]);
  });
  it('[9110-10.1.3/1] [9110-10.1.3/2] [9110-10.1.3/3] [9110-12.5.4/1] sends no Referer and no Accept-Language of its own', async () => {
    expect(await asked('http://10.0.0.2/')).not.toMatch(/referer|accept-language/i);
  });
});

describe('serve', () => {
  it('[9112-3.2.2/5] [9112-3.2.2/6] takes the authority of an absolute target, not that of Host', async () => {
    expect(await answer('GET http://b:81/x HTTP/1.1\r\nHost: a\r\n\r\n')).toContain('\r\n\r\nhttp://b:81/x');
  });
  it.each(['https', 'HTTPS', 'ftp'])(
    '[9110-7.4/1] [9110-7.4/2] rejects a request for a %s resource',
    async (scheme) => {
      expect(await answer(`GET ${scheme}://a/ HTTP/1.1\r\nHost: a\r\n\r\n`)).toMatch(/^HTTP\/1.1 421 /);
    },
  );
  it('[9110-5.6.7/2] [9110-5.6.7/3] [9110-6.6.1/1] dates answers and refusals in the one format for dates', async () => {
    const line = '\r\nDate: Fri, 02 Jan 2026 03:04:05 GMT\r\n';
    expect(await answer('GET / HTTP/1.1\r\nHost: a\r\n\r\n')).toContain(line);
    expect(await answer('GET / HTTP/1.1\r\n\r\n')).toContain(line);
  });
});
