// Inputs of every kind into a host in every state: what each seed throws at it, and what must come of it.

import { RxMeta } from '../../src/base/packet.ts';
import { Prng } from '../../src/base/prng.ts';
import type { State } from '../../src/base/state.ts';
import { InvariantChecker, type PairOptions } from '../../src/sim/index.ts';
import { concat, type Ends, icmpPacket, repair, tcpPacket, u16, u32 } from './forge.ts';
import { type Stage, stage } from './states.ts';

/** Inputs that share one stage at most; it is built anew as soon as one of them has ended the state. */
const BATCH = 20;

/** What a run of inputs is over. */
export interface Medium {
  readonly name: string;
  readonly options: PairOptions;
}

export const MEDIA: readonly Medium[] = [
  { name: 'IPv4', options: {} },
  { name: 'IPv6', options: { ipv6: true } },
  { name: 'Ethernet', options: { medium: 'ethernet' } },
];

const V4 = { client: Uint8Array.of(10, 0, 0, 1), server: Uint8Array.of(10, 0, 0, 2) };
const V6 = {
  client: Uint8Array.of(0xfd, ...new Uint8Array(14), 1),
  server: Uint8Array.of(0xfd, ...new Uint8Array(14), 2),
};

/** An input, and whether it is certain to be refused (and so to be counted). */
interface Input {
  readonly bytes: Uint8Array;
  readonly refused: boolean;
}

/** Makes the inputs of one stage. */
class Attacker {
  readonly #s: Stage;
  readonly #prng: Prng;
  readonly #ends: Ends;
  readonly #ethernet: boolean;
  /** Real packets that went to the host under attack, link header included. */
  readonly #real: Uint8Array[];

  constructor(s: Stage, prng: Prng, options: PairOptions, real: Uint8Array[]) {
    this.#s = s;
    this.#prng = prng;
    const all = options.ipv6 === true ? V6 : V4;
    const other = s.side === 'client' ? 'server' : 'client';
    this.#ends = { src: all[other], dst: all[s.side] };
    this.#ethernet = options.medium === 'ethernet';
    this.#real = real;
  }

  next(): Input {
    const kinds = [
      () => this.#noise(),
      () => this.#segment(),
      () => this.#segment(),
      () => this.#segment(),
      () => this.#truncated(),
      () => this.#flipped(),
      () => this.#mutated(),
      () => this.#icmp(),
      () => this.#layerTwo(),
    ];
    return kinds[this.#prng.below(kinds.length)]!();
  }

  #octets(most: number): Uint8Array {
    const bytes = new Uint8Array(this.#prng.below(most + 1));
    this.#prng.fill(bytes);
    return bytes;
  }

  /** An IP packet as it stands on this medium. */
  #framed(packet: Uint8Array, type = packet[0]! >> 4 === 6 ? 0x86dd : 0x0800): Uint8Array {
    if (!this.#ethernet) return packet;
    const { interfaces } = this.#s.p[this.#s.side];
    const peer = this.#s.p[this.#s.side === 'client' ? 'server' : 'client'].interfaces;
    return concat([interfaces[0]!.mac!, peer[0]!.mac!, Uint8Array.from(u16(type)), packet]);
  }

  /** Octets without any sense, sometimes behind a first one that promises some. */
  #noise(): Input {
    const bytes = this.#octets(this.#prng.chance(0.1) ? 1500 : 80);
    if (bytes.length > 0 && this.#prng.chance(0.5)) bytes[0] = this.#prng.chance(0.5) ? 0x45 : 0x60;
    return { bytes: this.#prng.chance(0.5) ? bytes : this.#framed(bytes), refused: true };
  }

  #near(number: number): number {
    const spread = [0, 1, 3, 1460, 70_000, 0x7fffffff];
    const most = spread[this.#prng.below(spread.length)]!;
    return (number + this.#prng.below(2 * most + 1) - most) | 0;
  }

  /** A segment with right checksums for the connection, the listener or nobody, with anything in it. */
  #segment(): Input {
    const p = this.#prng;
    const c = this.#s.connection;
    const flags = p.chance(0.7) ? [0x10, 0x18, 0x11, 0x04, 0x14, 0x02, 0x12, 0x19, 0x00][p.below(9)]! : p.below(256);
    const bytes = tcpPacket(this.#ends, {
      srcPort: p.chance(0.05) ? p.below(65_536) : c === null ? 40_000 : c.remotePort,
      dstPort: p.chance(0.05) ? p.below(65_536) : c === null ? 80 : c.localPort,
      seq: c === null ? p.nextInt32() : this.#near(c.rcv.nxt),
      ack: c === null ? p.nextInt32() : this.#near(p.chance(0.5) ? c.snd.una : c.snd.nxt),
      flags,
      wnd: p.chance(0.2) ? 0 : p.below(65_536),
      urgent: p.chance(0.9) ? 0 : p.below(65_536),
      options: p.chance(0.6) ? new Uint8Array(0) : this.#options(),
      payload: p.chance(0.5) ? new Uint8Array(0) : this.#octets(p.chance(0.8) ? 60 : 1400),
    });
    return { bytes: this.#framed(bytes), refused: false };
  }

  /** Options: known kinds with right and wrong lengths, and noise. */
  #options(): Uint8Array {
    const p = this.#prng;
    if (p.chance(0.3)) return this.#octets(40);
    const parts: Uint8Array[] = [];
    for (let i = p.below(5); i >= 0; i--) {
      const kind = [0, 1, 2, 3, 4, 5, 8, 28, 34, 254][p.below(10)]!;
      const right: Record<number, number> = { 2: 4, 3: 3, 4: 2, 5: 10, 8: 10, 28: 4, 34: 6, 254: 4 };
      const length = p.chance(0.8) ? (right[kind] ?? 1) : p.below(42);
      const body = new Uint8Array(Math.max(0, Math.min(length, 12) - 2));
      p.fill(body);
      parts.push(kind < 2 ? Uint8Array.of(kind) : concat([Uint8Array.of(kind, length), body]));
    }
    return concat(parts).subarray(0, 40);
  }

  #sample(): Uint8Array | null {
    return this.#real.length === 0 ? null : this.#real[this.#prng.below(this.#real.length)]!.slice();
  }

  /** A real packet, cut short. */
  #truncated(): Input {
    const real = this.#sample();
    if (real === null) return this.#noise();
    return { bytes: real.subarray(0, this.#prng.below(real.length)), refused: true };
  }

  /** A real packet with one bit flipped, above layer 2. */
  #flipped(): Input {
    const real = this.#sample();
    if (real === null) return this.#noise();
    const from = this.#ethernet ? 14 : 0;
    const bit = this.#prng.below((real.length - from) * 8);
    real[from + (bit >> 3)]! ^= 0x80 >> (bit & 7);
    // IPv6 has no header checksum: traffic class, flow label and hop limit may be anything.
    const unprotected = !this.#ethernet && real[0]! >> 4 === 6 && (bit < 32 || bit >> 3 === 7);
    const arp = this.#ethernet && real[12] === 8 && real[13] === 6;
    return { bytes: real, refused: !unprotected && !arp };
  }

  /** A real packet with octets changed and its checksums made right again. */
  #mutated(): Input {
    const real = this.#sample();
    if (real === null) return this.#segment();
    const from = this.#ethernet ? 14 : 0;
    for (let i = this.#prng.below(4); i >= 0; i--) {
      real[from + this.#prng.below(real.length - from)] = this.#prng.below(256);
    }
    repair(real.subarray(from));
    return { bytes: real, refused: false };
  }

  /** Echo requests and errors, about packets that were sent and about ones that never were. */
  #icmp(): Input {
    const p = this.#prng;
    const v6 = this.#ends.src.length === 16;
    const type = v6 ? [1, 2, 3, 4, 128, 129, 135, 136][p.below(8)]! : [0, 3, 3, 3, 4, 5, 8, 11, 12, 13][p.below(10)]!;
    const c = this.#s.connection;
    const back = { src: this.#ends.dst, dst: this.#ends.src };
    const quoted =
      c === null || p.chance(0.2)
        ? this.#octets(80)
        : tcpPacket(back, {
            srcPort: c.localPort,
            dstPort: c.remotePort,
            seq: this.#near(c.snd.una),
            ack: c.rcv.nxt,
            flags: 0x10,
            wnd: 0,
            urgent: 0,
            options: new Uint8Array(0),
            payload: this.#octets(20),
          });
    const body = concat([Uint8Array.from(u32(p.chance(0.5) ? p.below(2000) : p.nextInt32())), quoted]);
    const cut = p.chance(0.3) ? body.subarray(0, p.below(body.length)) : body;
    return { bytes: this.#framed(icmpPacket(this.#ends, type, p.below(16), cut)), refused: false };
  }

  /** ARP, other EtherTypes, frames for others; on bare IP a packet with another version. */
  #layerTwo(): Input {
    const p = this.#prng;
    if (!this.#ethernet) {
      const other = this.#octets(60);
      if (other.length > 0) other[0] = (other[0]! & 0x0f) | ([0, 1, 2, 3, 5, 7, 8, 15][p.below(8)]! << 4);
      return { bytes: other, refused: true };
    }
    if (p.chance(0.2)) return { bytes: this.#framed(this.#octets(60), p.below(65_536)), refused: false };
    const mac = this.#s.p[this.#s.side === 'client' ? 'server' : 'client'].interfaces[0]!.mac!;
    const arp = concat([
      Uint8Array.of(0, 1, 8, 0, 6, 4, 0, 1 + p.below(2)),
      p.chance(0.8) ? mac : this.#octets(6),
      p.chance(0.8) ? this.#ends.src : this.#octets(4),
      new Uint8Array(6),
      p.chance(0.8) ? this.#ends.dst : this.#octets(4),
    ]);
    if (p.chance(0.3)) arp[p.below(arp.length)] = p.below(256);
    const cut = p.chance(0.2) ? arp.subarray(0, p.below(arp.length)) : arp;
    return { bytes: this.#framed(cut, 0x0806), refused: false };
  }
}

/** A descriptor as links fill it: most say nothing, some claim what a link could claim. */
function describe(meta: RxMeta, prng: Prng): boolean {
  meta.reset();
  if (!prng.chance(0.05)) return false;
  meta.checksum = prng.chance(0.5) ? 1 : 2;
  meta.csumStart = prng.below(80);
  meta.csumOffset = prng.below(40);
  return true;
}

/** What came of some inputs. */
export interface Outcome {
  /** Inputs thrown: one a seed. */
  readonly inputs: number;
  /** Inputs that were counted as dropped, and traced. */
  readonly dropped: number;
  /** Inputs after which the connection was in the state still. */
  readonly survived: number;
}

/**
 * Throws the inputs of seeds `[from, from + count)` at a host in `state`.
 *
 * Throws an `Error` that names the seed when the host throws, an invariant breaks, an input that had to be refused
 * was not counted, what was counted was not traced, or anything is left once both hosts are closed.
 */
export function fuzz(state: State, medium: Medium, from: number, count: number): Outcome {
  let inputs = 0;
  let dropped = 0;
  let survived = 0;
  while (inputs < count) {
    const first = from + inputs;
    let seed = first;
    try {
      const part = batch(state, medium, first, Math.min(BATCH, count - inputs), (at) => {
        seed = at;
      });
      inputs += part.inputs;
      dropped += part.dropped;
      survived += part.survived;
    } catch (error) {
      const where = `${state}, ${medium.name}, stage of seed ${first}, input of seed ${seed}`;
      throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
    }
  }
  return { inputs, dropped, survived };
}

function batch(state: State, medium: Medium, first: number, most: number, tell: (seed: number) => void): Outcome {
  const s = stage(state, { ...medium.options, seed: first }, [0, 10, 5000, 60_000][first & 3]!);
  const { network, link } = s.p;
  const host = s.p[s.side];
  const checker = new InvariantChecker([s.p.client, s.p.server]);
  checker.attach(network);
  const real: Uint8Array[] = [];
  const toHost = s.side === 'client' ? link.bToA.name : link.aToB.name;
  network.capture((packet) => {
    if (packet.point === 'sender' && packet.path === toHost && real.length < 30) {
      real.push(packet.bytes.slice(packet.from, packet.to));
    }
  });
  const meta = new RxMeta();
  let inputs = 0;
  let survived = 0;
  while (inputs < most && survived === inputs) {
    const prng = new Prng(first + inputs);
    tell(first + inputs);
    const { bytes, refused } = new Attacker(s, prng, medium.options, real).next();
    // Headroom and what follows belong to somebody else, and are rubbish.
    const headroom = prng.below(20);
    const buffer = new Uint8Array(headroom + bytes.length + prng.below(20)).fill(0xee);
    buffer.set(bytes, headroom);
    const claims = describe(meta, prng);
    const before = host.counters.dropped;
    host.tick(network.now);
    host.receive(host.interfaces[0]!, buffer, headroom, headroom + bytes.length, meta, network.now);
    if (refused && !claims && host.counters.dropped === before) throw new Error('refused, and not counted');
    buffer.fill(0xdb);
    network.run({ until: network.now + (prng.chance(0.8) ? 0 : prng.below(100)), maxEvents: 2000 });
    checker.check();
    inputs++;
    if (s.connection === null || s.connection.state === state) survived++;
  }
  // Whatever the inputs have broken has to come to rest, and everything can be taken down.
  network.run({ until: network.now + 60_000, maxEvents: 20_000 });
  s.p.client.close();
  s.p.server.close();
  network.run({ until: network.now + 60_000, maxEvents: 1000 });
  checker.released(network);
  const traced = s.events.filter((event) => event.type === 'drop' && event.host === host.name).length;
  const { dropped } = host.counters;
  if (traced !== dropped) throw new Error(`${dropped} drops were counted and ${traced} traced`);
  return { inputs, dropped, survived };
}
