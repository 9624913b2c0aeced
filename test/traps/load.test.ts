// Traps 38, 41, 45, 50, 51, 54, 55, 57, 59, 60: many peers, odd clocks, small pieces in large buffers.

import { expect, it } from 'vitest';
import { connectPair, pair } from '../../src/sim/index.ts';
import { established, Peer, synSent } from '../rfc/peer.ts';

it('trap 38: 10,000 SYNs that nobody follows up leave a bounded backlog, and a real peer still gets in (default)', () => {
  const p = new Peer();
  let accepted = 0;
  p.host.listen({ port: 80, backlog: 64 }, () => {
    accepted++;
  });
  let most = 0;
  for (let i = 0; i < 10_000; i++) {
    p.peerPort = 1024 + i;
    p.send(`S ${i} mss=1000`);
    if (i % 1000 === 0) most = Math.max(most, p.host.connections().length);
  }
  p.out();
  expect(most).toBeLessThanOrEqual(130);
  p.peerPort = 65_000;
  p.send('S 0 mss=1000');
  const answer = p.out().find((line) => line.startsWith('S'));
  expect(answer).toBeDefined();
  const ack = Number(/^S\. (-?\d+)/.exec(answer!)![1]) + 1;
  p.send(`. 1 ack=${ack}`);
  p.send(`P. 1:10 ack=${ack}`);
  p.out();
  expect(accepted).toBe(1);
});

it('trap 41: a connection that the program has closed, and whose peer shuts its window, is given up by age (default)', () => {
  const p = new Peer();
  const a = established(p);
  p.send('. 1 ack=1 win=0');
  a.connection!.send(new Uint8Array(1000), 0, 1000);
  a.connection!.close();
  p.out();
  p.advance(3_600_000);
  expect(p.host.connections()).toEqual([]);
});

it('trap 45: 1 % of packets overtaken by 2 ms at 60 ms round trip cost at most a tenth of the goodput (default)', () => {
  const time = (reorder: number): number => {
    const p = pair({ seed: 45, impairments: { delay: 30, rate: 1_250_000, queue: 200_000, reorder, reorderDelay: 2 } });
    const { client, server } = connectPair(p);
    const size = 2_000_000;
    let received = 0;
    server.handler = {
      onReadable: () => {
        received += server.readable;
        server.consume(server.readable);
      },
    };
    const chunk = new Uint8Array(65_536);
    let sent = 0;
    const write = (): void => {
      while (sent < size) {
        const took = client.send(chunk, 0, Math.min(chunk.length, size - sent));
        if (took === 0) return;
        sent += took;
      }
    };
    client.handler = { onWritable: write };
    write();
    const from = p.network.now;
    p.network.run({ until: from + 600_000, when: () => received === size });
    expect(received).toBe(size);
    return p.network.now - from;
  };
  expect(time(0.01)).toBeLessThanOrEqual(time(0) / 0.9);
});

it('trap 50: fragments are dropped and counted, and hold no memory, however many come (default)', () => {
  const p = new Peer();
  for (let i = 0; i < 10_000; i++) p.inject(fragment(i, 2), 28);
  expect(p.out()).toEqual([]);
  expect(p.drops('ip-fragment')).toBe(10_000);
});

it('trap 51: fragments of two senders with one identification are never put together (default)', () => {
  const p = new Peer();
  const a = established(p);
  p.inject(fragment(7, 2), 28);
  p.inject(fragment(7, 3), 28);
  expect(p.drops('ip-fragment')).toBe(2);
  expect(a.read).toEqual([]);
});

/** The first fragment of something from 10.0.0.`host`. */
function fragment(id: number, host: number): Uint8Array {
  const packet = new Uint8Array(28);
  packet.set([0x45, 0, 0, 28, (id >> 8) & 255, id & 255, 0x20, 0, 64, 6, 0, 0, 10, 0, 0, host, 10, 0, 0, 1]);
  let total = 0;
  for (let i = 0; i < 20; i += 2) total += (packet[i]! << 8) | packet[i + 1]!;
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  packet[10] = (~total >> 8) & 255;
  packet[11] = ~total & 255;
  return packet;
}

it('trap 54: all ports to one peer can be used, and one more is EADDRNOTAVAIL at once (default)', () => {
  const p = new Peer({ profile: { ephemeralFrom: 50_000, ephemeralTo: 50_500 } });
  const errors: string[] = [];
  const ports = new Set<number>();
  for (let i = 0; i < 501; i++) {
    const c = p.host.connect({ address: '10.0.0.2', port: 4000 });
    c.handler = { onClose: (_s, error) => errors.push(error?.code ?? '') };
    if (c.localPort > 0 && i < 500) ports.add(c.localPort);
  }
  p.out();
  expect(ports.size).toBe(500);
  expect(errors).toEqual(['EADDRNOTAVAIL']);
});

it('trap 55: an hour that the clock jumps fires each timer once, and nothing is reset (default)', () => {
  const p = new Peer();
  const a = established(p);
  a.connection!.send(new Uint8Array(100), 0, 100);
  p.out();
  p.now += 3_600_000;
  p.host.timersFire(p.now);
  expect(p.out()).toEqual(['P. 1:100 ack=1']);
  expect(a.connection!.state).toBe('ESTABLISHED');
});

it('trap 57: giving up counts attempts: after a jump of a week an opening goes on (default)', () => {
  const p = new Peer();
  const a = synSent(p);
  p.now += 7 * 86_400_000;
  p.host.timersFire(p.now);
  expect(p.out().length).toBe(1);
  expect(a.connection.state).toBe('SYN-SENT');
  expect(a.log).toEqual([]);
});

it('trap 59: octets that come one by one hold memory by what they are, in order and out of order (default)', () => {
  const p = new Peer();
  const a = established(p, { reads: false });
  const memory = (): number => a.connection!.receiveBuffer?.memory ?? 0;
  for (let i = 0; i < 1000; i++) p.send(`P. ${1 + i}:1 ack=1`);
  p.out();
  expect(a.connection!.readable).toBe(1000);
  expect(memory()).toBeLessThanOrEqual(16_384);
  // One octet in each 16 KiB of the window is the worst that a peer can do: the window bounds it.
  for (let at = 20_000; at < 500_000; at += 16_384) p.send(`. ${at}:1 ack=1`);
  expect(memory()).toBeLessThanOrEqual(512 * 1024 + 16_384);
});

it('trap 60: an opening waits for its neighbour with SND.NXT where it was, and fails when nobody answers (default)', () => {
  const p = pair({ medium: 'ethernet', impairments: { delay: 1, loss: 1 } });
  const c = p.client.connect({ address: p.serverAddress, port: 80 });
  const errors: string[] = [];
  c.handler = { onClose: (_s, error) => errors.push(error?.code ?? '') };
  p.network.run({ until: 500 });
  expect(c.snd.nxt).toBe(c.snd.iss);
  p.network.run({ until: 60_000 });
  expect(errors).toEqual(['EHOSTUNREACH']);
});
