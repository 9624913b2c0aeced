// `synfin ping ADDR`: echo requests over our own IP and ICMP.

import type { NetError } from '../base/errors.ts';
import { ping } from '../host/ping.ts';
import { parseAddress } from '../wire/address.ts';
import { DEVICE_HELP, DEVICE_OPTIONS, type DeviceHost, openDevice, untilInterrupted, wholeNumber } from './device.ts';
import { type CliIo, EXIT_FAILED, EXIT_OK, Misuse } from './io.ts';
import { guarded, readArgs } from './verb.ts';

const OPTIONS = {
  ...DEVICE_OPTIONS,
  count: { type: 'string', short: 'c', default: '4' },
  size: { type: 'string', short: 's', default: '56' },
  interval: { type: 'string', short: 'i', default: '1000' },
  timeout: { type: 'string', short: 'W', default: '1000' },
} as const;

const HELP = {
  en: `synfin ping ADDR [-c N] [options]: send ICMP echo requests

  sudo npm run -s synfin -- ping 10.77.0.1 -c 3

  -c, --count N    requests to send (4)
  -s, --size N     octets of data in each (56, at most 1400)
  -i, --interval MS  between requests (1000)
  -W, --timeout MS   to wait for each answer (1000)
${DEVICE_HELP.en}
Status: 0 at least one answer; 1 none; 2 misuse.
`,
  zh: `synfin ping ADDR [-c N] [选项]：发送 ICMP 回显请求

  sudo npm run -s synfin -- ping 10.77.0.1 -c 3

  -c, --count N    发送的请求数(4)
  -s, --size N     每个请求的数据字节数(56，最多 1400)
  -i, --interval MS  请求之间的间隔(1000)
  -W, --timeout MS   等待每个应答的时间(1000)
${DEVICE_HELP.zh}
状态：0 至少一个应答；1 没有应答；2 用法错误。
`,
};

/** Sends one request and waits for what comes of it. */
function once(device: DeviceHost, address: string, size: number, timeout: number): Promise<NetError | number> {
  return new Promise((resolve) => {
    device.runtime.tick();
    ping(device.host, { address, size, timeout }, (error, rtt) => resolve(error ?? rtt));
  });
}

function pause(ms: number): Promise<null> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms, null);
  });
}

/** Runs the verb. */
export function run(argv: string[], io: CliIo): Promise<number> {
  return guarded('ping', io, async () => {
    const { values, positionals } = readArgs(argv, OPTIONS);
    if (values.help) {
      io.stdout.write(HELP[io.lang]);
      return EXIT_OK;
    }
    const [address, ...more] = positionals;
    if (address === undefined) throw new Misuse('no address given');
    if (more.length > 0) throw new Misuse(`one address, not also ${more[0]}`);
    if (parseAddress(address) === null) throw new Misuse(`${address}: not an address in numbers (no DNS yet)`);
    const count = wholeNumber('count', values.count, 1, 1_000_000);
    const size = wholeNumber('size', values.size, 0, 1400);
    const interval = wholeNumber('interval', values.interval, 0, 3_600_000);
    const timeout = wholeNumber('timeout', values.timeout, 1, 3_600_000);
    const device = openDevice(values, io, 'ping');
    try {
      let stopped = false;
      const interrupted = untilInterrupted(device.link).then((error) => {
        stopped = true;
        if (error !== null) throw error;
        return null;
      });
      const rtts: number[] = [];
      let sent = 0;
      while (sent < count && !stopped) {
        sent++;
        const result = await Promise.race([once(device, address, size, timeout), interrupted]);
        if (result === null) break;
        if (typeof result === 'number') rtts.push(result);
        tell(io, address, sent, size, result, values.json);
        if (sent < count) await Promise.race([pause(interval), interrupted]);
      }
      summary(io, address, sent, rtts, values.json);
      return rtts.length > 0 ? EXIT_OK : EXIT_FAILED;
    } finally {
      device.runtime.close();
    }
  });
}

function tell(io: CliIo, address: string, n: number, size: number, result: NetError | number, json: boolean): void {
  const failed = typeof result !== 'number';
  if (json) {
    const row = failed ? { address, n, error: result.code } : { address, n, ms: result };
    io.stdout.write(`${JSON.stringify(row)}\n`);
  } else if (failed) io.stdout.write(`${address}: n=${n} ${result.code}\n`);
  else io.stdout.write(`${size + 8} B <- ${address}: n=${n} ${result.toFixed(3)} ms\n`);
}

function summary(io: CliIo, address: string, sent: number, rtts: readonly number[], json: boolean): void {
  const got = rtts.length;
  const mean = rtts.reduce((sum, rtt) => sum + rtt, 0) / got;
  const [min, max] = [Math.min(...rtts), Math.max(...rtts)];
  if (json) {
    io.stdout.write(`${JSON.stringify({ address, sent, received: got, ...(got > 0 ? { min, mean, max } : {}) })}\n`);
    return;
  }
  const zh = io.lang === 'zh';
  const lost = (((sent - got) / sent) * 100).toFixed(0);
  const counts = zh ? `已发 ${sent}，收到 ${got}，丢失 ${lost}%` : `${sent} sent, ${got} received, ${lost}% lost`;
  const times = got === 0 ? '' : `, ${min.toFixed(3)}/${mean.toFixed(3)}/${max.toFixed(3)} ms min/mean/max`;
  io.stdout.write(`${address}: ${counts}${times}\n`);
}
