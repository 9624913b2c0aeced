// A wrapper around any link that shows everything that passes, as it would look on a wire: for pcapng.

import { checksumOf } from '../base/checksum.ts';
import type { NetError } from '../base/errors.ts';
import type { Link, LinkCaps, LinkPort, Medium } from '../base/link.ts';
import { CHECKSUM_PARTIAL, type RxMeta, type TxMeta } from '../base/packet.ts';

/** Which way a packet went, seen from the host. */
export type TapDirection = 'in' | 'out';

/**
 * Takes one packet that passed.
 *
 * @param direction seen from the host
 * @param bytes borrowed until the call returns; checksums are complete
 * @param from offset of the first octet (Ethernet header included)
 * @param to offset past the last
 */
export type TapSink = (direction: TapDirection, bytes: Uint8Array, from: number, to: number) => void;

/** Stands between the link and its owner and shows what goes by. */
class TapPort implements LinkPort {
  readonly #port: LinkPort;
  readonly #sink: TapSink;
  #scratch = new Uint8Array(0);

  constructor(port: LinkPort, sink: TapSink) {
    this.#port = port;
    this.#sink = sink;
  }

  receive(bytes: Uint8Array, from: number, to: number, meta: RxMeta): void {
    this.#show('in', bytes, from, to, meta);
    this.#port.receive(bytes, from, to, meta);
  }

  transmit(out: Uint8Array, at: number, meta: TxMeta): number {
    // Whoever looks at packets needs them in one piece.
    meta.gather = 0;
    const length = this.#port.transmit(out, at, meta);
    if (length > 0) this.#show('out', out, at, at + length, meta);
    return length;
  }

  turn(): void {
    this.#port.turn();
  }

  writable(): void {
    this.#port.writable();
  }

  refused(): void {
    this.#port.refused();
  }

  down(error: NetError): void {
    this.#port.down(error);
  }

  #show(direction: TapDirection, bytes: Uint8Array, from: number, to: number, meta: RxMeta | TxMeta): void {
    const { csumStart, csumOffset } = meta;
    const length = to - from;
    if (meta.checksum !== CHECKSUM_PARTIAL || csumStart + csumOffset + 2 > length) {
      this.#sink(direction, bytes, from, to);
      return;
    }
    // The packet itself goes on unfinished: whoever asked for it so is faster at finishing it.
    if (this.#scratch.length < length) this.#scratch = new Uint8Array(length);
    const copy = this.#scratch;
    copy.set(bytes.subarray(from, to));
    // The pseudo-header's sum is in the field already and counts as part of the message.
    const sum = checksumOf(copy, csumStart, length, 0);
    // UDP writes a sum of zero as all ones (RFC 768); for TCP both mean the same.
    copy[csumStart + csumOffset] = sum === 0 ? 0xff : sum >>> 8;
    copy[csumStart + csumOffset + 1] = sum === 0 ? 0xff : sum & 0xff;
    this.#sink(direction, copy, 0, length);
  }
}

/** A link that shows its packets. Made by `tapLink`. */
class TapLink implements Link {
  readonly #inner: Link;
  readonly #sink: TapSink;

  constructor(inner: Link, sink: TapSink) {
    this.#inner = inner;
    this.#sink = sink;
  }

  get medium(): Medium {
    return this.#inner.medium;
  }

  get mtu(): number {
    return this.#inner.mtu;
  }

  get caps(): LinkCaps {
    return this.#inner.caps;
  }

  get mac(): Uint8Array | null {
    return this.#inner.mac;
  }

  open(port: LinkPort): void {
    this.#inner.open(new TapPort(port, this.#sink));
  }

  pump(): void {
    this.#inner.pump();
  }

  close(): void {
    this.#inner.close();
  }
}

/**
 * Wraps a link so that `sink` sees every packet, in the order in which the host sees them. Incoming packets are
 * shown before the host takes them. A super-segment is shown whole.
 *
 * @example
 * ```ts
 * const link = tapLink(openTun({ name: 'synfin0' }), (direction, bytes, from, to) => {
 *   writer.packet(bytes.subarray(from, to));
 * });
 * ```
 */
export function tapLink(link: Link, sink: TapSink): Link {
  return new TapLink(link, sink);
}
