// Buffers that grow with the path, in virtual time.

import { expect, test } from 'vitest';
import { connectPair, pair } from '../../src/sim/pair.ts';
import { tcpInfo } from '../../src/tcp/info.ts';
import { flood } from './flood.ts';

const MIB = 1024 * 1024;

/** Octets a second that a long transfer reaches between its second and its last second, over an ideal path. */
function goodput(rate: number, delay: number, seconds: number, profile = {}): number {
  const p = pair({
    seed: 5,
    profile,
    // One bandwidth-delay product of queue, as a router on such a path would have.
    impairments: { delay, rate, queue: Math.max((rate * 2 * delay) / 1000, 64 * 1024) },
  });
  const { client, server } = connectPair(p);
  const flow = flood(client, server);
  const start = p.network.now;
  p.network.run({ until: start + 2000 });
  const before = flow.received;
  p.network.run({ until: start + seconds * 1000 });
  return (flow.received - before) / (seconds - 2);
}

test('100 Mbit/s by 100 ms with default settings: 90 % of the rate', () => {
  const rate = 12_500_000;
  // Headers take 52 of 1500 octets.
  expect(goodput(rate, 50, 8) / (rate * (1448 / 1500))).toBeGreaterThan(0.9);
});

test('100 Mbit/s by 300 ms fills the send buffer: the window never waits for the program to write', () => {
  // 4 MiB every 300 ms, less what is never to be written in one go.
  expect(goodput(12_500_000, 150, 12) / ((4 * MIB) / 0.3)).toBeGreaterThan(0.7);
});

test('the same path with buffers that may not grow is held to a window per round trip', () => {
  const fixed = { receiveBufferMax: 0, sendBufferMax: 0 };
  const reached = goodput(12_500_000, 50, 5, fixed);
  expect(reached).toBeLessThan((1.1 * 0.5 * MIB) / 0.1);
});

test('a slow reader’s buffer stays as it was', () => {
  const p = pair({ seed: 5, impairments: { delay: 50 } });
  const { client, server } = connectPair(p);
  const chunk = new Uint8Array(65_536);
  const fill = (): void => {
    while (client.send(chunk, 0, chunk.length) === chunk.length);
  };
  client.handler = { onWritable: fill };
  fill();
  for (let k = 0; k < 200; k++) {
    p.network.run({ until: p.network.now + 50 });
    server.consume(Math.min(server.readable, 2000));
  }
  expect(server.receiveLimit).toBe(512 * 1024);
});

test('a receiver measures the round trip by the echo of its timestamp on full segments, or by the window that came', () => {
  for (const timestamps of [true, false]) {
    const p = pair({
      seed: 6,
      profile: { timestamps, receiveBuffer: 20_000, receiveBufferMax: 0 },
      impairments: { delay: 40 },
    });
    const { client, server } = connectPair(p);
    server.handler = { onReadable: (s) => s.consume(s.readable) };
    expect(tcpInfo(server).tcpi_rcv_rtt).toBe(0);
    const chunk = new Uint8Array(400_000);
    client.send(chunk, 0, chunk.length);
    p.network.run({ until: p.network.now + 3000 });
    const micros = tcpInfo(server).tcpi_rcv_rtt;
    expect(micros, `timestamps ${timestamps}`).toBeGreaterThan(79_000);
    expect(micros, `timestamps ${timestamps}`).toBeLessThan(130_000);
  }
});
