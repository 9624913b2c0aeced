// Two hosts on a perfect wire, and packets made by hand: what tests of the host need besides the scripted peer.

import { RxMeta, TxMeta } from '../../src/base/packet.ts';
import type { Profile } from '../../src/base/profile.ts';
import type { TraceEvent } from '../../src/base/trace.ts';
import { ethernet } from '../../src/host/ethernet.ts';
import { Host } from '../../src/host/host.ts';
import type { Interface } from '../../src/host/interface.ts';
import type { Connection } from '../../src/tcp/connection.ts';
import { superSegments } from '../../src/tcp/trains.ts';
import { parseAddress } from '../../src/wire/address.ts';
import { finishIcmp, writeIcmp } from '../../src/wire/icmp.ts';
import { writeIpv4 } from '../../src/wire/ipv4.ts';

/** A host with one interface, and its log. */
export interface End {
  readonly host: Host;
  readonly iface: Interface;
  readonly trace: TraceEvent[];
}

/** Makes one end; by default on a bare-IP link. */
export function end(
  name: string,
  address: string,
  profile: Partial<Profile> = {},
  mac: Uint8Array | null = null,
  secret: number = name.charCodeAt(0),
): End {
  const trace: TraceEvent[] = [];
  const key = new Uint8Array(16).fill(secret);
  const host = new Host({ name, key, ethernet, superSegments, profile, trace: (e) => trace.push(e) });
  const medium = mac === null ? 'ip' : 'ethernet';
  const iface = host.addInterface({ medium, mtu: 1500, addresses: [address], mac });
  return { host, iface, trace };
}

/** Everything an end has to send now, whole packets. */
export function drain(e: End, now: number = e.host.now): Uint8Array[] {
  const out = new Uint8Array(70_000);
  const meta = new TxMeta();
  const packets: Uint8Array[] = [];
  while (e.host.deliver());
  for (let n = 0; n < 10_000; n++) {
    const length = e.host.transmit(e.iface, out, 0, meta, now);
    if (length === 0) return packets;
    packets.push(out.slice(0, length));
  }
  throw new Error(`${e.host.name} does not stop sending`);
}

/** An end takes a packet. */
export function feed(e: End, packet: Uint8Array, now: number = e.host.now): void {
  e.host.receive(e.iface, packet, 0, packet.length, new RxMeta(), now);
  while (e.host.deliver());
}

/** Runs two ends until both are silent or `ms` have passed; `lose` may swallow packets. */
export function run(a: End, b: End, ms: number, lose: (from: End, packet: Uint8Array) => boolean = () => false): void {
  let now = Math.max(a.host.now, b.host.now);
  const stop = now + ms;
  for (let n = 0; n < 200_000; n++) {
    let moved = false;
    // Both speak before either hears: what is said at once crosses on the wire.
    const said = [drain(a, now), drain(b, now)] as const;
    for (const [from, to, packets] of [
      [a, b, said[0]],
      [b, a, said[1]],
    ] as const) {
      for (const packet of packets) {
        moved = true;
        if (!lose(from, packet)) feed(to, packet, now);
      }
    }
    if (moved) continue;
    const t = Math.min(a.host.nextDeadline(), b.host.nextDeadline());
    if (t > stop) break;
    now = Math.max(now, t);
    a.host.timersFire(now);
    b.host.timersFire(now);
  }
  a.host.tick(stop);
  b.host.tick(stop);
}

/** What a program is told, in order, and what it read. */
export interface Program {
  readonly log: string[];
  readonly read: number[];
}

/** Attaches a program that reads everything and, when asked, ends when the peer has ended. */
export function program(c: Connection, shutsDownAtEnd = false): Program {
  const told: Program = { log: [], read: [] };
  c.handler = {
    onOpen: () => told.log.push('open'),
    onWritable: () => told.log.push('writable'),
    onReadable: (s) => {
      while (s.readable > 0) {
        told.read.push(...s.peek());
        s.consume(s.peek().length);
      }
      if (!s.ended) return;
      told.log.push('ended');
      if (shutsDownAtEnd) s.shutdown();
    },
    onClose: (_s, error) => told.log.push(error === null ? 'closed' : `closed ${error.code}`),
  };
  return told;
}

/** An ICMP error from `source` about the packet `quoted`. */
export function icmpError(
  type: number,
  code: number,
  quoted: Uint8Array,
  source: string,
  target: string,
  rest = 0,
): Uint8Array {
  const quote = quoted.subarray(0, 28);
  const b = new Uint8Array(20 + 8 + quote.length);
  writeIcmp(b, 20, type, code, rest);
  b.set(quote, 28);
  finishIcmp(b, 20, 8 + quote.length);
  writeIpv4(b, 0, 8 + quote.length, 1, 64, 1, 0, parseAddress(source)!.w3, parseAddress(target)!.w3, false);
  return b;
}
