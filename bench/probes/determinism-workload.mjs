// What the determinism probe runs: the same on every engine, imported as plain ESM from dist/.
//
// Each part returns the digest of everything it did. No clock, no chance, no platform: whatever differs
// between two engines here is a difference that a user's replay would suffer from.

import { Prng } from '../../dist/base/prng.js';
import { TimerWheel } from '../../dist/base/wheel.js';
import { VirtualClock } from '../../dist/sim/clock.js';
import { Digest } from '../../dist/sim/digest.js';
import { Scheduler } from '../../dist/sim/scheduler.js';

/** Integers, floats, ranges and forks of the generator. */
function prng() {
  const digest = new Digest();
  for (const seed of [0, 1, -1, 0x7fffffff, 123456789]) {
    const root = new Prng(seed);
    for (let label = 0; label < 8; label++) {
      const stream = root.fork(label);
      for (let i = 0; i < 5000; i++) {
        digest.int32(stream.nextInt32());
        digest.number(stream.nextFloat());
        digest.int32(stream.below(1 + i * 7919));
      }
    }
  }
  return digest.hex;
}

/** Times as a simulation makes them: sums, products and quotients of doubles, with many ties. */
function clock() {
  const digest = new Digest();
  const chance = new Prng(2);
  const clock = new VirtualClock();
  const scheduler = new Scheduler();
  let name = 0;
  const add = (delay) => scheduler.push({ at: 0, order: 0, name: name++ }, clock.now + delay);
  for (let i = 0; i < 200; i++) add(chance.nextFloat() * 20);
  for (let i = 0; i < 100_000; i++) {
    const item = scheduler.pop();
    clock.advanceTo(item.at);
    digest.number(clock.now);
    digest.int32(item.name);
    // A third of the delays are whole, so that ties happen; the others are what rates and jitter give.
    const kind = chance.below(3);
    if (kind === 0) add(chance.below(4));
    else if (kind === 1) add((1500 * 1000) / (1 + chance.below(10_000_000)));
    else add(chance.nextFloat() * 1e-3 + 0.1);
  }
  return digest.hex;
}

/** Arming, moving, disarming and expiry of many timers. */
function wheel() {
  const digest = new Digest();
  const chance = new Prng(3);
  const timers = new TimerWheel(0);
  const handles = Array.from({ length: 500 }, () => timers.alloc());
  let now = 0;
  for (let i = 0; i < 60_000; i++) {
    const handle = handles[chance.below(handles.length)];
    if (chance.below(10) === 0) timers.disarm(handle);
    else timers.arm(handle, now + (chance.below(50) === 0 ? 1e6 : 200) * chance.nextFloat());
    digest.number(timers.next());
    if (chance.below(4) > 0) continue;
    now += chance.nextFloat() * 30;
    for (let due = timers.expire(now); due >= 0; due = timers.expire(now)) digest.int32(due);
  }
  digest.int32(timers.armed);
  return digest.hex;
}

/** Whole connections, SYN to the end of TIME-WAIT, over paths with every impairment; events and packets. */
async function tcp() {
  const { pair } = await import('../../dist/sim/index.js');
  const digest = new Digest();
  for (const [medium, ipv6] of [
    ['ip', false],
    ['ip', true],
    ['ethernet', false],
  ]) {
    let events = 0;
    const p = pair({
      seed: 7,
      medium,
      ipv6,
      impairments: {
        delay: 20,
        jitter: 3,
        loss: 0.05,
        duplicate: 0.03,
        reorder: 0.1,
        corrupt: 0.005,
        rate: 2_000_000,
        queue: 100_000,
      },
      // Patience: what is measured is sameness, and a connection that gives up does less.
      profile: { synRetries: 100, synAckRetries: 100, dataRetries: 100, arpTries: 100 },
      trace: () => {
        events++;
      },
    });
    const octets = new Uint8Array(200_000);
    new Prng(4).fill(octets);
    const play = (stream) => {
      let sent = 0;
      const write = () => {
        sent += stream.send(octets, sent, octets.length);
        if (sent === octets.length) stream.shutdown();
      };
      stream.handler = {
        onOpen: write,
        onWritable: write,
        onReadable: () => {
          const span = stream.peek();
          digest.bytes(span, 0, span.length);
          stream.consume(span.length);
        },
        onClose: (_stream, error) => digest.text(String(error)),
      };
      return write;
    };
    p.server.listen({ port: 80 }, (stream) => play(stream)());
    play(p.client.connect({ address: p.serverAddress, port: 80 }));
    p.network.run();
    digest.text(p.network.digest);
    digest.number(p.network.now);
    digest.int32(events);
  }
  return digest.hex;
}

/** A script of packets, as a page would run one: what came of it, and what it saw. */
async function drill() {
  const { runScript } = await import('../../dist/drill/index.js');
  const digest = new Digest();
  const open = `
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 bind(3, ..., ...) = 0
   +0 listen(3, 1) = 0
   +0 < S 0:0(0) win 65535 <mss 1000,sackOK,TS val 1000 ecr 0,nop,wscale 7>
   +0 > S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 100 ecr 1000,nop,wscale 7>
  +.1 < . 1:1(0) ack 1 win 500 <nop,nop,TS val 1100 ecr 100>
   +0 accept(3, ..., ...) = 4
   +0 write(4, ..., 30000) = 30000
    * > . 1:9881(9880) ack 1 <...>
    * > . 9881:10869(988) ack 1 <...>
    * > . 1:989(988) ack 1 <...>
   +0 %{ print(tcpi_rto, tcpi_rtt, tcpi_snd_cwnd, tcpi_total_retrans) }%`;
  for (const ipVersion of ['ipv4', 'ipv6']) {
    const { outcome, time, output, observed, failure } = runScript(open, { profile: 'default', ipVersion });
    digest.text(JSON.stringify([outcome, time, output, observed, failure]));
  }
  return digest.hex;
}

/** Every part by name, with its digest. */
export async function run() {
  return { prng: prng(), clock: clock(), wheel: wheel(), tcp: await tcp(), drill: await drill() };
}
