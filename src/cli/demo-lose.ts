// Loses chosen segments of the demonstration, by the names that the story gives them.

import { seqGe } from '../base/seq.ts';
import { DROP, PASS, type PathPacket, type Rule } from '../sim/index.ts';

/** A segment that can be lost on purpose. */
export type LoseName = 'syn' | 'synack' | 'ack' | 'request' | 'data' | 'wave1' | 'wave2' | 'wave3' | 'wave4';

/** All of them, in the order of the story. */
export const LOSE_NAMES: readonly LoseName[] = [
  'syn',
  'synack',
  'ack',
  'request',
  'data',
  'wave1',
  'wave2',
  'wave3',
  'wave4',
];

/** Other names that people use for them. */
export const LOSE_ALIASES: Readonly<Record<string, LoseName>> = {
  shake1: 'syn',
  shake2: 'synack',
  shake3: 'ack',
  fin: 'wave1',
};

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;

/** What one end has done so far, as far as names depend on it. */
interface End {
  /** Number that acknowledges its FIN, int32; meaningful when `finished`. */
  finAck: number;
  finished: boolean;
  /** It has sent a segment without SYN. */
  spoke: boolean;
  /** Segments with payload so far. */
  data: number;
}

/**
 * Drops each named segment once, each time it is named.
 *
 * @param serverPort tells the two directions apart
 * @param dataIndex which of the server's segments with payload is `data`, from 1
 */
export class Loser {
  readonly #left: LoseName[];
  readonly #serverPort: number;
  readonly #dataIndex: number;
  readonly #client: End = { finAck: 0, finished: false, spoke: false, data: 0 };
  readonly #server: End = { finAck: 0, finished: false, spoke: false, data: 0 };
  #closer: End | null = null;

  constructor(names: readonly LoseName[], serverPort: number, dataIndex: number) {
    this.#left = [...names];
    this.#serverPort = serverPort;
    this.#dataIndex = dataIndex;
  }

  /** Names whose segment has not come by. */
  get left(): readonly LoseName[] {
    return this.#left;
  }

  /** The rule to install on the link, in both directions. */
  readonly rule: Rule = (packet) => {
    if (packet.tcp < 0) return PASS;
    let lose = false;
    for (const name of this.#namesOf(packet)) {
      const at = this.#left.indexOf(name);
      if (at < 0 || lose) continue;
      this.#left.splice(at, 1);
      lose = true;
    }
    return lose ? DROP : PASS;
  };

  #namesOf(packet: PathPacket): LoseName[] {
    const { flags, payload } = packet;
    const fromClient = packet.dstPort === this.#serverPort;
    const own = fromClient ? this.#client : this.#server;
    const other = fromClient ? this.#server : this.#client;
    if ((flags & RST) !== 0) return [];
    if ((flags & SYN) !== 0) return [(flags & ACK) === 0 ? 'syn' : 'synack'];
    const names: LoseName[] = [];
    if (fromClient && !own.spoke) names.push('ack');
    own.spoke = true;
    if (payload > 0) {
      own.data++;
      if (fromClient) names.push('request');
      else if (own.data === this.#dataIndex) names.push('data');
    }
    const acksFin = other.finished && (flags & ACK) !== 0 && seqGe(packet.ack, other.finAck);
    if (acksFin) names.push(other === this.#closer ? 'wave2' : 'wave4');
    if ((flags & FIN) !== 0) {
      this.#closer ??= own;
      own.finished = true;
      own.finAck = (packet.seq + payload + 1) | 0;
      names.push(own === this.#closer ? 'wave1' : 'wave3');
    }
    return names;
  }
}
