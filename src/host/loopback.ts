// What a host sends to itself: 127/8, ::1, and its own addresses, without a link and without re-entry.
//
// A packet is written as for any link and taken in as from any link, one after the other, between two deliveries of
// events: no connection is inside a call of another, and no program is called meanwhile.

import type { LinkCaps } from '../base/link.ts';
import { CHECKSUM_PARTIAL, CHECKSUM_VERIFIED, RxMeta, TxMeta } from '../base/packet.ts';
import { parsePrefix } from '../wire/address.ts';
import type { Host } from './host.ts';
import type { Input } from './input.ts';
import { Interface } from './interface.ts';
import { hasOutput, transmitPacket } from './output.ts';

/** Index of the loopback interface, which is not among `Host.interfaces`. */
export const LOOPBACK = -2;
/** The largest IP packet. */
const MTU = 65_535;
/** Packets between two questions for the next deadline: two programs that never stop talking let others live. */
const CREDIT = 4096;
/** Packets between two deliveries of events, so that programs read what comes. */
const BATCH = 64;

/** Nothing can damage a packet on the way, so nobody sums it. */
const CAPS: LinkCaps = { txChecksum: true, tso: 0 };

/** The loopback interface of one host. */
export class Loopback {
  readonly interface: Interface;
  readonly #host: Host;
  readonly #input: Input;
  readonly #out: TxMeta = new TxMeta();
  readonly #in: RxMeta = new RxMeta();
  /** Made with the first packet. */
  #buffer: Uint8Array | null = null;
  #credit = CREDIT;

  constructor(host: Host, input: Input) {
    const prefixes = ['127.0.0.1/8', '::1/128'].map((text) => parsePrefix(text)!);
    const options = { name: 'lo', medium: 'ip' as const, mtu: MTU, addresses: [] };
    this.interface = new Interface(LOOPBACK, options, CAPS, prefixes);
    this.#host = host;
    this.#input = input;
  }

  /** Whether a packet waits. */
  get waits(): boolean {
    return !this.interface.quiet && hasOutput(this.interface);
  }

  /** The owner has had its chance to do something else. */
  refresh(): void {
    this.#credit = CREDIT;
  }

  /** Carries what waits, up to a bound; true when there was any. */
  carry(): boolean {
    const host = this.#host;
    const i = this.interface;
    const meta = this.#out;
    let any = false;
    for (let n = 0; n < BATCH && this.#credit > 0; n++) {
      if (!any && !this.waits) return false;
      this.#buffer ??= new Uint8Array(MTU);
      meta.reset();
      const length = transmitPacket(host, i, this.#buffer, 0, meta);
      if (length === 0) break;
      any = true;
      this.#credit--;
      host.counters.packetsOut++;
      host.counters.packetsIn++;
      this.#in.reset();
      this.#in.checksum = meta.checksum === CHECKSUM_PARTIAL ? CHECKSUM_VERIFIED : meta.checksum;
      this.#input.receive(i, this.#buffer, 0, length, this.#in);
    }
    return any;
  }
}
