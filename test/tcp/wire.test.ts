import { expect, test } from 'vitest';
import { RxMeta, TxMeta } from '../../src/base/packet.ts';
import { Host } from '../../src/host/host.ts';

test('two hosts on a perfect wire open, exchange and close', () => {
  const log: string[] = [];
  const trace = (e: { type: string }) => {
    if (e.type === 'state' || e.type === 'segment') log.push(JSON.stringify(e));
  };
  const a = new Host({ name: 'a', key: new Uint8Array(16).fill(1), trace });
  const b = new Host({ name: 'b', key: new Uint8Array(16).fill(2), trace });
  const ia = a.addInterface({ medium: 'ip', mtu: 1500, addresses: ['10.0.0.1/24'] });
  const ib = b.addInterface({ medium: 'ip', mtu: 1500, addresses: ['10.0.0.2/24'] });
  const out = new Uint8Array(2048);
  const rx = new RxMeta();
  const tx = new TxMeta();
  let now = 0;
  let got = 0;
  let closedA = 0;
  let closedB = 0;
  b.listen({ port: 80 }, (c) => {
    c.handler = {
      onReadable(s) {
        while (s.readable > 0) {
          got += s.peek().length;
          s.consume(s.peek().length);
        }
        if (s.ended) s.shutdown();
      },
      onClose() {
        closedB++;
      },
    };
  });
  const c = a.connect({ address: '10.0.0.2', port: 80 });
  const data = new Uint8Array(300_000).fill(7);
  let sent = 0;
  const push = () => {
    sent += c.send(data, sent, data.length);
    if (sent === data.length) c.shutdown();
  };
  c.handler = {
    onOpen: push,
    onWritable: push,
    onClose(_s, e) {
      expect(e).toBe(null);
      closedA++;
    },
  };
  for (let n = 0; n < 10_000; n++) {
    while (a.deliver() || b.deliver());
    let moved = false;
    for (let l = a.transmit(ia, out, 0, tx, now); l > 0; l = a.transmit(ia, out, 0, tx, now)) {
      moved = true;
      b.receive(ib, out, 0, l, rx, now);
    }
    for (let l = b.transmit(ib, out, 0, tx, now); l > 0; l = b.transmit(ib, out, 0, tx, now)) {
      moved = true;
      a.receive(ia, out, 0, l, rx, now);
    }
    if (moved) continue;
    const t = Math.min(a.nextDeadline(), b.nextDeadline());
    if (t === Infinity) break;
    now = Math.max(now, t);
    a.timersFire(now);
    b.timersFire(now);
  }
  console.log(log.slice(0, 12).join('\n'), '\n...\n', log.slice(-10).join('\n'), log.length);
  expect(got).toBe(300_000);
  expect([closedA, closedB]).toEqual([1, 1]);
  expect(a.connectionCount).toBe(0);
  expect(b.connectionCount).toBe(0);
  expect(a.timersArmed).toBe(0);
});
