// `synfin serve DIR`: a static file server over our own stack, reached by the kernel's programs through a TUN device.

import { readFileSync, realpathSync, statSync } from 'node:fs';
import { NetError } from '../base/errors.ts';
import { HttpError, HttpServerStream } from '../http/index.ts';
import type { Connection } from '../index.ts';
import { checkServer, secureServer, type TlsOptions } from '../web/tls.ts';
import { DEVICE_HELP, DEVICE_OPTIONS, type DeviceHost, openDevice, untilInterrupted, wholeNumber } from './device.ts';
import { type CliIo, EXIT_FAILED, EXIT_OK, Misuse } from './io.ts';
import { type AccessEntry, answer, type StaticOptions } from './static.ts';
import { guarded, readArgs } from './verb.ts';

const OPTIONS = {
  ...DEVICE_OPTIONS,
  port: { type: 'string', short: 'p' },
  tls: { type: 'boolean', default: false },
  cert: { type: 'string' },
  key: { type: 'string' },
  links: { type: 'string', default: 'inside' },
  hidden: { type: 'boolean', default: false },
  'no-listing': { type: 'boolean', default: false },
} as const;

const HELP = {
  en: `synfin serve DIR [options]: serve the files of DIR over our own HTTP, TCP and IP

  sudo npm run -s synfin -- serve public --tun synfin0 --addr 10.77.0.2/24
  curl http://10.77.0.2/

  -p, --port N     port (80; 443 with --tls)
  --tls            https:, with --cert FILE and --key FILE (PEM)
  --links POLICY   where symbolic links may lead: inside (below DIR, the default) or never
  --hidden         serve and list names that begin with a dot, too
  --no-listing     no lists of directories without an index.html
${DEVICE_HELP.en}
One range or several, conditions, and page.html.br, .zst or .gz beside page.html for clients
that take them.
`,
  zh: `synfin serve DIR [选项]：用我们自己的 HTTP、TCP 和 IP 提供 DIR 中的文件

  sudo npm run -s synfin -- serve public --tun synfin0 --addr 10.77.0.2/24
  curl http://10.77.0.2/

  -p, --port N     端口(80；加 --tls 时为 443)
  --tls            https:，需要 --cert FILE 和 --key FILE(PEM)
  --links POLICY   符号链接可以指向哪里：inside(DIR 之内，默认)或 never
  --hidden         以点开头的名字也提供并列出
  --no-listing     没有 index.html 的目录不列出内容
${DEVICE_HELP.zh}
支持单个或多个范围、条件请求；客户端接受时，用 page.html 旁边的 page.html.br、.zst 或 .gz。
`,
};

/** How often connections are asked whether they have waited too long, ms. */
const TIMEOUT_CHECK = 1000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** One line of the log, in the common log format with the milliseconds it took. */
export function accessLine(entry: AccessEntry): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const t = entry.time;
  const day = `${two(t.getUTCDate())}/${MONTHS[t.getUTCMonth()]}/${t.getUTCFullYear()}`;
  const time = `${two(t.getUTCHours())}:${two(t.getUTCMinutes())}:${two(t.getUTCSeconds())}`;
  // A target may hold any visible octet: quotes would end the field for whoever reads the log.
  const target = entry.target.replace(/["\\]/g, '\\$&');
  const request = `"${entry.method} ${target} HTTP/1.${entry.minor}"`;
  const end = entry.aborted ? ' aborted' : '';
  return `${entry.peer} - - [${day}:${time} +0000] ${request} ${entry.status} ${entry.octets} ${entry.ms.toFixed(1)}ms${end}`;
}

/** The directory to serve, its links resolved. */
function directory(positionals: readonly string[]): string {
  const [dir, ...more] = positionals;
  if (dir === undefined) throw new Misuse('no directory given');
  if (more.length > 0) throw new Misuse(`one directory, not also ${more[0]}`);
  try {
    const root = realpathSync(dir);
    if (statSync(root).isDirectory()) return root;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new Misuse(`${dir}: ${error.code === 'ENOENT' ? 'there is no such directory' : error.message}`);
  }
  throw new Misuse(`${dir}: not a directory`);
}

/** Runs the verb. */
export function run(argv: string[], io: CliIo): Promise<number> {
  return guarded('serve', io, async () => {
    const { values, positionals } = readArgs(argv, OPTIONS);
    if (values.help) {
      io.stdout.write(HELP[io.lang]);
      return EXIT_OK;
    }
    const root = directory(positionals);
    const tls = readTls(values);
    const port = wholeNumber('port', values.port ?? (tls === null ? '80' : '443'), 1, 65_535);
    const { links } = values;
    if (links !== 'inside' && links !== 'never') throw new Misuse(`--links ${links}: neither inside nor never`);
    const rules = { links, hidden: values.hidden, listing: !values['no-listing'] } as const;
    const device = openDevice(values, io, 'serve');
    try {
      const log = (entry: AccessEntry): void => {
        io.stdout.write(`${values.json ? JSON.stringify(entry) : accessLine(entry)}\n`);
      };
      const stop = listen(device, port, tls, { root, rules, log, tick: () => device.runtime.tick() });
      greet(io, device, root, address(device, port, tls !== null), values.json);
      const failure = await untilInterrupted(device.link);
      stop();
      if (failure === null) return EXIT_OK;
      io.stderr.write(`synfin serve: ${failure.message}\n`);
      return EXIT_FAILED;
    } finally {
      device.runtime.close();
    }
  });
}

/** The certificate and the key that the command line names; `null` for `http:`. */
function readTls(values: { tls: boolean; cert?: string; key?: string }): TlsOptions | null {
  const { tls, cert, key } = values;
  if (!tls && cert === undefined && key === undefined) return null;
  if (cert === undefined || key === undefined) {
    const make = 'openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=synfin';
    throw new Misuse(`--tls needs --cert FILE and --key FILE; ${make} makes a pair`);
  }
  const options = { cert: readFileSync(cert), key: readFileSync(key) };
  try {
    checkServer(options);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new Misuse(`--cert ${cert} --key ${key}: no certificate with its key in PEM (${error.message})`);
  }
  return options;
}

function address({ address }: DeviceHost, port: number, secure: boolean): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return `${secure ? 'https' : 'http'}://${host}${port === (secure ? 443 : 80) ? '' : `:${port}`}/`;
}

function greet(io: CliIo, device: DeviceHost, root: string, url: string, json: boolean): void {
  const { link, kernel } = device;
  if (json) {
    io.stdout.write(`${JSON.stringify({ serving: root, url, device: link.name, created: link.created })}\n`);
    return;
  }
  const zh = io.lang === 'zh';
  const made = zh
    ? `已创建，内核一侧是 ${kernel}；Ctrl-C 将其移除`
    : `made, the kernel's side is ${kernel}; Ctrl-C removes it`;
  const attached = zh ? '已连接；Ctrl-C 结束' : 'attached; Ctrl-C ends';
  const words = zh ? `在 ${url} 提供 ${root}` : `serving ${root} at ${url}`;
  io.stdout.write(`${words} (${link.name}: ${link.created ? made : attached})\n`);
}

/** Serves files on a port of the host; returns what stops it. */
function listen(device: DeviceHost, port: number, tls: TlsOptions | null, options: StaticOptions): () => void {
  const { host, runtime } = device;
  const open = new Set<HttpServerStream>();
  const accept = (connection: Connection): void => {
    const peer = connection.remoteAddress;
    connection.setNoDelay(true);
    const stream = tls === null ? connection : secureServer(connection, tls);
    const server = new HttpServerStream(stream, {
      onRequest: (request, response) => answer(options, request, response, peer),
      // What the client did wrong has been answered; what we did wrong must be seen.
      onError: (error) => {
        if (!(error instanceof NetError || error instanceof HttpError)) throw error;
      },
      onClose: () => open.delete(server),
    });
    open.add(server);
  };
  const listener = host.listen({ port }, accept);
  // HTTP's own patience (slow heads, idle connections) has no clock but ours.
  const timer = setInterval(() => {
    const now = runtime.tick();
    for (const server of open) server.timersFire(now);
  }, TIMEOUT_CHECK);
  timer.unref();
  return () => {
    clearInterval(timer);
    listener.close();
  };
}
