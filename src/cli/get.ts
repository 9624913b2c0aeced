// `synfin get URL`: downloads a file over our own stack from whatever the device leads to.

import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import type { NetError } from '../base/errors.ts';
import { type ClientExchange, type ClientResponse, HttpClientStream, type HttpError } from '../http/index.ts';
import { parseAddress } from '../wire/address.ts';
import { DEVICE_HELP, DEVICE_OPTIONS, type DeviceHost, openDevice, untilInterrupted } from './device.ts';
import { type CliIo, EXIT_FAILED, EXIT_OK, Misuse } from './io.ts';
import { guarded, readArgs } from './verb.ts';

const OPTIONS = { ...DEVICE_OPTIONS, output: { type: 'string', short: 'o' } } as const;

const HELP = {
  en: `synfin get URL [-o FILE] [options]: download over our own HTTP, TCP and IP

  sudo npm run -s synfin -- get http://10.77.0.1:8000/file -o file
  URL              http://ADDRESS[:PORT]/PATH; the address in numbers, there is no DNS yet

  -o, --output F   write to F; by way of F.part, so that F is whole or not there. Without: stdout
${DEVICE_HELP.en}
Status: 0 downloaded; 1 the network or the server said no (any status but 2xx); 2 misuse.
`,
  zh: `synfin get URL [-o FILE] [选项]：通过我们自己的 HTTP、TCP 和 IP 下载

  sudo npm run -s synfin -- get http://10.77.0.1:8000/file -o file
  URL              http://ADDRESS[:PORT]/PATH；地址须为数字形式，目前没有 DNS

  -o, --output F   写入 F；先写 F.part，因此 F 要么完整，要么不存在。未给出时：stdout
${DEVICE_HELP.zh}
状态：0 已下载；1 网络或服务器拒绝（2xx 以外的状态）；2 用法错误。
`,
};

/** How often progress is drawn, ms. */
const PROGRESS = 100;

/** Where to go and what to ask for. */
interface Target {
  readonly address: string;
  readonly port: number;
  readonly host: string;
  readonly path: string;
}

function targetOf(positionals: readonly string[]): Target {
  const [text, ...more] = positionals;
  if (text === undefined) throw new Misuse('no URL given');
  if (more.length > 0) throw new Misuse(`one URL, not also ${more[0]}`);
  if (!URL.canParse(text)) throw new Misuse(`${text}: not a URL`);
  const url = new URL(text);
  if (url.protocol !== 'http:') throw new Misuse(`${text}: only http: is supported`);
  const address = url.hostname.replace(/^\[|\]$/g, '');
  if (parseAddress(address) === null) throw new Misuse(`${text}: the host must be an address in numbers (no DNS yet)`);
  const port = url.port === '' ? 80 : Number(url.port);
  if (port === 0) throw new Misuse(`${text}: port 0 cannot be connected to`);
  return { address, port, host: url.host, path: url.pathname + url.search };
}

/** Where the content goes. */
interface Sink {
  /** False asks to wait until `drained` is called. */
  write(bytes: Uint8Array, drained: () => void): boolean;
  /** Everything came. */
  done(): void;
  /** Not everything came; returns what is left of it, in words, or an empty string. */
  failed(): string;
}

/** A file, or standard output. The file is opened with the first octet of a good answer. */
function openSink(io: CliIo, path: string | undefined): Sink {
  if (path === undefined) {
    const { stdout } = io;
    const write = (bytes: Uint8Array, drained: () => void): boolean => {
      // The bytes are borrowed, and a stream may write them later.
      if (stdout.write(bytes.slice()) !== false || stdout.once === undefined) return true;
      stdout.once('drain', drained);
      return false;
    };
    return { write, done: () => {}, failed: () => '' };
  }
  const part = `${path}.part`;
  const fd = openSync(part, 'w');
  let octets = 0;
  return {
    write: (bytes) => {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at);
      octets += bytes.length;
      return true;
    },
    done: () => {
      closeSync(fd);
      renameSync(part, path);
    },
    failed: () => {
      closeSync(fd);
      return ` (${octets} octets are in ${part})`;
    },
  };
}

/** What came of a download. */
interface Outcome {
  readonly status: number;
  readonly octets: number;
  readonly ms: number;
  /** One line for the user; empty when all is well. */
  readonly problem: string;
}

/** Draws how far a download is, on a terminal. */
class Progress {
  readonly #io: CliIo;
  readonly #start = performance.now();
  #drawn = 0;
  total = -1;

  constructor(io: CliIo) {
    this.#io = io;
  }

  at(octets: number, last: boolean): void {
    if (this.#io.stderr.isTTY !== true) return;
    const now = performance.now();
    if (!last && now - this.#drawn < PROGRESS) return;
    this.#drawn = now;
    const share = this.total > 0 ? `${String(Math.floor((octets / this.total) * 100)).padStart(3)}%  ` : '';
    const megabytes = (octets / 1e6).toFixed(1);
    const rate = (octets / 1e3 / Math.max(1, now - this.#start)).toFixed(1);
    this.#io.stderr.write(`\r${share}${megabytes} MB  ${rate} MB/s \x1b[K${last ? '\n' : ''}`);
  }
}

/** Runs the verb. */
export function run(argv: string[], io: CliIo): Promise<number> {
  return guarded('get', io, async () => {
    const { values, positionals } = readArgs(argv, OPTIONS);
    if (values.help) {
      io.stdout.write(HELP[io.lang]);
      return EXIT_OK;
    }
    const target = targetOf(positionals);
    const device = openDevice(values, io, 'get');
    try {
      const interrupted = untilInterrupted(device.link);
      const download = new Download(device, target, io, values.output);
      const outcome = await Promise.race([download.outcome, interrupted]);
      if (outcome === null || outcome instanceof Error) {
        const why = outcome === null ? (io.lang === 'zh' ? '已中断' : 'interrupted') : outcome.message;
        io.stderr.write(`synfin get: ${why}${download.giveUp()}\n`);
        return EXIT_FAILED;
      }
      if (values.json) io.stderr.write(`${JSON.stringify(outcome)}\n`);
      else if (outcome.problem !== '') io.stderr.write(`synfin get: ${outcome.problem}\n`);
      return outcome.problem === '' ? EXIT_OK : EXIT_FAILED;
    } finally {
      await goodbye(device);
    }
  });
}

/** Lets the connection say its FIN and hear the answer before the device goes: a moment, no longer. */
async function goodbye(device: DeviceHost): Promise<void> {
  const end = device.runtime.now() + 500;
  const busy = (): boolean => device.host.connections().some((c) => c.state !== 'TIME-WAIT' && c.state !== 'CLOSED');
  while (busy() && device.runtime.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  device.runtime.close();
}

/** One GET, from the connection's first SYN to the last octet. */
class Download {
  readonly outcome: Promise<Outcome>;
  readonly #settle: (outcome: Outcome) => void;
  readonly #device: DeviceHost;
  readonly #io: CliIo;
  readonly #path: string | undefined;
  readonly #progress: Progress;
  readonly #start = performance.now();
  readonly #http: HttpClientStream;
  readonly #exchange: ClientExchange;
  #sink: Sink | null = null;
  #status = 0;
  #octets = 0;
  #problem = '';

  constructor(device: DeviceHost, target: Target, io: CliIo, path: string | undefined) {
    let settle: (outcome: Outcome) => void = () => {};
    this.outcome = new Promise((resolve) => {
      settle = resolve;
    });
    this.#settle = settle;
    this.#device = device;
    this.#io = io;
    this.#path = path;
    this.#progress = new Progress(io);
    device.runtime.tick();
    const connection = device.host.connect({ address: target.address, port: target.port });
    this.#http = new HttpClientStream(connection);
    const headers = { Host: target.host, 'User-Agent': 'synfin', Accept: '*/*', Connection: 'close' };
    this.#exchange = this.#http.request(
      { target: target.path, headers },
      {
        onResponse: (response) => this.#head(response),
        onData: (bytes, from, to) => this.#data(bytes.subarray(from, to)),
        onEnd: () => this.#end(this.#problem),
        onError: (error) => this.#end(this.#words(error)),
      },
    );
  }

  /** Stops; returns what is left, in words. */
  giveUp(): string {
    const sink = this.#sink;
    this.#sink = null;
    return sink?.failed() ?? '';
  }

  #words(error: HttpError | NetError): string {
    if (this.#problem !== '') return this.#problem;
    const zh = this.#io.lang === 'zh';
    if (error.name === 'HttpError') return zh ? `响应不完整或不是 HTTP:${error.message}` : error.message;
    return error.message;
  }

  #head(response: ClientResponse): void {
    this.#status = response.status;
    if (response.status < 200 || response.status > 299) {
      const to = response.headers.get('location');
      this.#problem = `${response.status} ${response.reason}${to === null ? '' : ` -> ${to}`}`;
      return;
    }
    const length = response.headers.get('content-length');
    this.#progress.total = length === null ? -1 : Number(length);
    this.#open();
  }

  #open(): void {
    try {
      this.#sink = openSink(this.#io, this.#path);
    } catch (error) {
      this.#local(error);
    }
  }

  #data(bytes: Uint8Array): void {
    if (this.#sink === null) return;
    this.#octets += bytes.length;
    try {
      const room = this.#sink.write(bytes, () => {
        this.#device.runtime.tick();
        this.#exchange.resume();
      });
      if (!room) this.#exchange.pause();
    } catch (error) {
      this.#local(error);
    }
    this.#progress.at(this.#octets, false);
  }

  /** The disk is full, the place is not ours: the download ends. */
  #local(error: unknown): void {
    if (!(error instanceof Error && 'code' in error)) throw error;
    this.#problem = error.message;
    this.#http.abort();
  }

  #end(problem: string): void {
    let words = problem;
    const sink = this.#sink;
    this.#sink = null;
    if (sink !== null) {
      this.#progress.at(this.#octets, true);
      if (words === '') sink.done();
      else words += sink.failed();
    }
    this.#settle({ status: this.#status, octets: this.#octets, ms: performance.now() - this.#start, problem: words });
  }
}
