// Two kernels in network namespaces and a host of ours, on emulated paths: who gets how much over the same losses.
//
//   kernel a, which sends --TUN--+              +--TUN-- kernel b, which receives
//                                +-- emulator --+
//   our host, which does either -+

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createHost } from 'synfin';
import { Emulator } from './emulator.mjs';
import { Check, pattern } from './pattern.mjs';

const END = fileURLToPath(new URL('./kernel-end.mjs', import.meta.url));
const SENDER = '10.231.1.1';
const RECEIVER = '10.231.2.1';
const OURS = '10.231.3.1';
/**
 * Settings of the kernel's ends: what one flow learnt is not told to the next; buffers end where they usually do, and that
 * for sending begins there, so that a program which waits for the processor does not hold the kernel back.
 */
const SETTINGS = {
  'net.ipv4.tcp_no_metrics_save': '1',
  'net.ipv4.tcp_rmem': '4096 131072 6291456',
  'net.ipv4.tcp_wmem': '4096 4194304 4194304',
};

const ip = (args) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });

/** Why this machine cannot measure against its kernel, or an empty string. */
export function obstacle() {
  if (process.platform !== 'linux' || process.getuid() !== 0) return 'needs root on Linux';
  if (!existsSync('/dev/net/tun')) return 'no /dev/net/tun here';
  return spawnSync('ip', ['-V']).status === 0 ? '' : 'not installed: ip';
}

/** A program in a namespace that sends and receives by the kernel. */
class KernelEnd {
  #child;
  #answers;

  constructor(namespace) {
    this.#child = spawn('ip', ['netns', 'exec', namespace, process.execPath, END], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  tell(order) {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`);
  }

  async ask(order) {
    this.tell(order);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error('the program at the kernel end has ended');
    return JSON.parse(value);
  }

  async end() {
    const gone = once(this.#child, 'exit');
    this.#child.stdin.end();
    await gone;
  }
}

/** The laboratory: namespaces, devices, programs and our host. */
export class LossLab {
  #namespaces = [];
  #emulator = new Emulator();
  #port = 20_000;
  /** What our host receives, by port. */
  #receivers = new Map();
  #seed = 1;

  /** @param profile fields of our host's profile that differ from the default */
  constructor(profile = {}) {
    this.from = new KernelEnd(this.#namespace('a', SENDER));
    this.to = new KernelEnd(this.#namespace('b', RECEIVER));
    const { host, runtime } = createHost({ name: 'ours', profile });
    this.host = host;
    this.runtime = runtime;
    runtime.attach(this.#emulator.addLink(OURS), { addresses: [`${OURS}/8`] });
  }

  #namespace(tag, address) {
    const name = `synfin-bench-${process.pid}-${tag}`;
    ip(['netns', 'add', name]);
    this.#namespaces.push(name);
    ip(['-n', name, 'link', 'set', 'lo', 'up']);
    for (const [key, value] of Object.entries(SETTINGS))
      ip(['netns', 'exec', name, 'sysctl', '-qw', `${key}=${value}`]);
    this.#emulator.addDevice(`sfb${process.pid % 100_000}${tag}`, name, address, ip);
    return name;
  }

  /** Sends from our host until `stop`. */
  #send(port) {
    const stream = this.host.connect({ address: RECEIVER, port });
    let sent = 0;
    const more = () => {
      for (;;) {
        const chunk = pattern(sent);
        const taken = stream.send(chunk, 0, chunk.length);
        sent += taken;
        if (taken < chunk.length) return;
      }
    };
    stream.handler = { onOpen: more, onWritable: more, onReadable() {}, onEnd() {}, onClose() {} };
    return stream;
  }

  /** Receives at our host, on a port, until the listener closes; the octets are compared. */
  #receive(port) {
    const check = new Check();
    const listener = this.host.listen({ port }, (stream) => {
      stream.handler = {
        onReadable: (s) => {
          while (s.readable > 0) {
            const span = s.peek();
            check.take(span);
            s.consume(span.length);
          }
        },
        onClose() {},
      };
    });
    this.#receivers.set(port, { check, listener });
  }

  /** Octets that have arrived at the ports, ours and the kernel's. */
  async #count(ports) {
    const theirs = ports.filter((port) => !this.#receivers.has(port));
    const { count } = await this.to.ask({ count: theirs });
    return ports.map((port) => this.#receivers.get(port)?.check.octets ?? count[theirs.indexOf(port)]);
  }

  /**
   * Runs flows of ours and of the kernel at the same time and returns what each pair delivered, octets per second, group
   * by group: over the whole time, and in `slices` of it.
   *
   * @param groups of pairs over paths of one kind:
   *   flows     pairs; the two of a pair have the same drops
   *   data      the path towards the receiver, `acks` the way back
   *   shared    both flows of a pair go over one path, and have to share it
   *   access    the way of each flow to the path that they share
   *   baseline  a second flow of the kernel takes the place of ours
   *   receive   ours receives what the kernel sends; otherwise it sends to the kernel
   * @param time ms
   * @param slice ms, of which `time` is a multiple
   */
  async run(groups, { time, slice = time }) {
    const pairs = groups.flatMap((group) => Array.from({ length: group.flows }, () => this.#pair(group)));
    const ports = pairs.flatMap(({ ours, kernel }) => [ours, kernel]);
    for (const { ours, group } of pairs) if (group.receive) this.#receive(ours);
    await this.to.ask({ listen: ports.filter((port) => !this.#receivers.has(port)) });
    const byKernel = pairs.flatMap(({ ours, kernel, group: { baseline, receive } }) => {
      const first = baseline ? [[RECEIVER, ours]] : receive ? [[OURS, ours]] : [];
      return [...first, [RECEIVER, kernel]];
    });
    this.from.tell({ send: byKernel });
    const sending = pairs.filter(({ group }) => !group.baseline && !group.receive);
    const streams = sending.map(({ ours }) => this.#send(ours));
    const counts = [ports.map(() => 0)];
    const times = [performance.now()];
    for (let due = slice; due <= time; due += slice) {
      await sleep(times[0] + due - performance.now());
      counts.push(await this.#count(ports));
      times.push(performance.now());
    }
    for (const stream of streams) stream.abort();
    this.from.tell({ stop: true });
    this.to.tell({ stop: true });
    for (const { listener } of this.#receivers.values()) listener.close();
    this.#receivers.clear();
    await sleep(50);
    const rate = (port, from, to) => ((counts[to][port] - counts[from][port]) * 1000) / (times[to] - times[from]);
    const rates = (n, from, to) => ({ ours: rate(2 * n, from, to), kernel: rate(2 * n + 1, from, to) });
    const last = times.length - 1;
    const found = pairs.map(({ group }, n) => ({
      group,
      ...rates(n, 0, last),
      slices: times.slice(1).map((_, k) => rates(n, k, k + 1)),
    }));
    return groups.map((group) => found.filter((pair) => pair.group === group));
  }

  /** Two ports and their paths. */
  #pair(group) {
    const { data, acks, access, shared = false } = group;
    const [ours, kernel] = [this.#port++, this.#port++];
    const seed = this.#seed++;
    if (shared) this.#emulator.addPath([ours, kernel], seed, data, acks, access);
    else for (const port of [ours, kernel]) this.#emulator.addPath([port], seed, data, acks);
    return { ours, kernel, group };
  }

  /** Packets that the emulator handed over, of them more than 1 ms late, and the worst, ms. */
  get lateness() {
    const { handed, late, worst } = this.#emulator;
    return { handed, late, worst };
  }

  async close() {
    this.runtime.close();
    await Promise.all([this.from.end(), this.to.end()]);
    this.#emulator.close();
    for (const name of this.#namespaces) ip(['netns', 'del', name]);
  }
}
