// `synfin get URL`: downloads over our own stack from whatever the device leads to.

import { DEVICE_HELP, DEVICE_OPTIONS, type DeviceHost, openDevice, untilInterrupted } from './device.ts';
import { Download } from './get-download.ts';
import { orderOf, REQUEST_OPTIONS } from './get-request.ts';
import { type CliIo, EXIT_FAILED, EXIT_OK } from './io.ts';
import { guarded, readArgs } from './verb.ts';

const OPTIONS = { ...DEVICE_OPTIONS, ...REQUEST_OPTIONS } as const;

const HELP = {
  en: `synfin get URL [-o FILE] [options]: download over our own HTTP, TCP and IP

  sudo npm run -s synfin -- get http://10.77.0.1:8000/file -o file
  URL              http[s]://ADDRESS[:PORT]/PATH; a name needs --resolve

  -o, --output F   write to F; by way of F.part, so that F is whole or not there. Without: stdout
  -c, --continue   go on where F.part ends, if the file is still the same; else from the start
  -H, --header L   a field of the request, 'Name: value' (repeatable)
  -d, --data TEXT  POST this; @FILE its content, @- standard input
  -X, --request M  another method
  -I, --head       only the head of the answer
      --compressed ask for gzip, deflate or br, and undo it
      --max-redirects N  follow so many redirects (10), 0 none
      --resolve NAME=ADDRESS  the address of a name (repeatable)
      --cacert F   trust the authorities in F (PEM) for https:
  -k, --insecure   take any certificate
  -v, --verbose    the exchange on stderr, with its segments (implies --trace)
${DEVICE_HELP.en}
Status: 0 downloaded; 1 the network or the server said no (any status but 2xx); 2 misuse.
`,
  zh: `synfin get URL [-o FILE] [选项]：通过我们自己的 HTTP、TCP 和 IP 下载

  sudo npm run -s synfin -- get http://10.77.0.1:8000/file -o file
  URL              http[s]://ADDRESS[:PORT]/PATH；用名字时须加 --resolve

  -o, --output F   写入 F；先写 F.part，因此 F 要么完整，要么不存在。未给出时：stdout
  -c, --continue   文件没有变时从 F.part 的末尾继续，否则从头开始
  -H, --header L   请求的一个字段，'Name: value'(可重复)
  -d, --data TEXT  用 POST 发送；@FILE 取文件内容，@- 取标准输入
  -X, --request M  用另一个方法
  -I, --head       只要响应的头部
      --compressed 请求 gzip、deflate 或 br，并解码
      --max-redirects N  最多跟随几次重定向(10)，0 为不跟随
      --resolve NAME=ADDRESS  名字的地址(可重复)
      --cacert F   https: 信任 F 中的证书颁发者(PEM)
  -k, --insecure   接受任何证书
  -v, --verbose    在 stderr 上显示请求与响应及其段(隐含 --trace)
${DEVICE_HELP.zh}
状态：0 已下载；1 网络或服务器拒绝（2xx 以外的状态）；2 用法错误。
`,
};

/** Runs the verb. */
export function run(argv: string[], io: CliIo): Promise<number> {
  return guarded('get', io, async () => {
    const { values, positionals } = readArgs(argv, OPTIONS);
    if (values.help) {
      io.stdout.write(HELP[io.lang]);
      return EXIT_OK;
    }
    const order = orderOf(values, positionals);
    const device = openDevice({ ...values, trace: values.trace || values.verbose }, io, 'get');
    try {
      const interrupted = untilInterrupted(device.link);
      const { host, runtime } = device;
      const download = new Download(order, { host, io, tick: () => runtime.tick() });
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
