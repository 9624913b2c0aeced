// Scripted owners of links: they send what they were told to and remember what came.

import type { NetError } from '../../src/base/errors.ts';
import type { LinkPort } from '../../src/base/link.ts';
import type { KeptPackets, RxMeta, TxMeta } from '../../src/base/packet.ts';

/** A port with a queue of packets to send and a diary of everything that the link did. */
export class TestPort implements LinkPort {
  readonly outgoing: Uint8Array[] = [];
  readonly received: Uint8Array[] = [];
  readonly metas: Omit<RxMeta, 'reset'>[] = [];
  /** Takes the memory of packets over, where it is offered. */
  keeps = false;
  kept: KeptPackets | null = null;
  readonly diary: string[] = [];
  /** Called for each packet sent: sets its descriptor. */
  describe: (meta: TxMeta) => void = () => {};
  onTurn: () => void = () => {};
  inside = 0;

  queue(...packets: number[][]): this {
    for (const packet of packets) this.outgoing.push(Uint8Array.from(packet));
    return this;
  }

  receive(bytes: Uint8Array, from: number, to: number, meta: RxMeta): void {
    this.inside++;
    this.received.push(bytes.slice(from, to));
    this.metas.push({ ...meta });
    if (this.keeps && meta.lender !== null) this.kept = meta.lender.keep(this.kept, from, to);
    this.diary.push(`receive ${to - from}`);
    this.inside--;
  }

  transmit(out: Uint8Array, at: number, meta: TxMeta): number {
    const packet = this.outgoing.shift();
    if (packet === undefined) return 0;
    out.set(packet, at);
    this.describe(meta);
    return packet.length;
  }

  turn(): void {
    this.diary.push('turn');
    this.onTurn();
  }

  writable(): void {
    this.diary.push('writable');
  }

  refused(): void {
    this.diary.push('refused');
  }

  down(error: NetError): void {
    this.diary.push(`down ${error.code}`);
  }
}
