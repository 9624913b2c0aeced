// A judge for tests: it speaks the agent's protocol to a session and builds the packets of a scripted peer.

import { OP, Session } from '../../src/drill/index.ts';
import { PROTO_TCP, pseudoSum4, writeIpv4 } from '../../src/wire/ipv4.ts';
import { finishTcp, writeTcp } from '../../src/wire/tcp.ts';

const EPOCH = 1e15;

/** One reply, as the judge reads it. Times are microseconds since the beginning of the script. */
export interface Frame {
  readonly kind: number;
  readonly seq: number;
  readonly time: number;
  readonly ret: number;
  readonly errno: number;
  readonly payload: Uint8Array;
}

/** Fields of a request's body. */
export type Field = ['u8' | 'u16' | 'u32' | 'i32' | 'i64', number] | Uint8Array;

const LOCAL = 0xc0a80001 | 0;
const REMOTE = 0xc0000201 | 0;

/** An address of IPv4 as requests carry it. */
export function address(port: number, ip = LOCAL): Uint8Array {
  const out = new Uint8Array(20);
  const v = new DataView(out.buffer);
  v.setUint16(0, 2, true);
  v.setUint16(2, port, true);
  v.setInt32(4, ip, false);
  return out;
}

export const PEER: Uint8Array = address(80, REMOTE);

function body(fields: readonly Field[]): Uint8Array {
  const out: number[] = [];
  for (const field of fields) {
    if (field instanceof Uint8Array) {
      out.push(...field);
      continue;
    }
    const [kind, value] = field;
    const octets = kind === 'u8' ? 1 : kind === 'u16' ? 2 : kind === 'i64' ? 8 : 4;
    let left = BigInt.asUintN(64, BigInt(value));
    for (let i = 0; i < octets; i++) {
      out.push(Number(left & 255n));
      left >>= 8n;
    }
  }
  return Uint8Array.from(out);
}

/** One script. */
export class Judge {
  readonly session: Session = new Session();
  now = 0;
  #seq = 0;

  constructor(profile = 'linux', ...args: string[]) {
    const text = [`flags\t/agent.sock,profile=${profile}`, ...args.map((arg) => `arg\t${arg}`)].join('\n');
    this.call(
      OP.HELLO,
      1,
      Uint8Array.from(text, (c) => c.charCodeAt(0)),
    );
  }

  /** Sends one request and returns all frames that answer it; the last one ends it. */
  call(op: number, fd: number, ...fields: readonly Field[]): Frame[] {
    const frames = this.session.request({ op, seq: ++this.#seq, now: EPOCH + this.now, fd, body: body(fields) });
    const read = frames.map((bytes) => {
      const v = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return {
        kind: v.getUint8(4),
        seq: v.getUint32(8, true),
        time: Number(v.getBigInt64(12, true)) - EPOCH,
        ret: Number(v.getBigInt64(20, true)),
        errno: v.getInt32(28, true),
        payload: bytes.subarray(32),
      };
    });
    for (const frame of read) this.now = Math.max(this.now, frame.time);
    return read;
  }

  /** The frame that ends a request. */
  last(op: number, fd: number, ...fields: readonly Field[]): Frame {
    const frames = this.call(op, fd, ...fields);
    const frame = frames[frames.length - 1];
    if (frame === undefined) throw new Error('no answer');
    return frame;
  }

  advance(micros: number): Frame[] {
    const frames = this.call(OP.ADVANCE, -1, ['i64', EPOCH + this.now + micros]);
    return frames;
  }

  run(until: number): Frame[] {
    return this.call(OP.RUN, -1, ['i64', EPOCH + this.now + 86_400_000_000], ['u8', until]);
  }

  system(text: string): number {
    return this.last(
      OP.SYSTEM,
      -1,
      Uint8Array.from(text, (c) => c.charCodeAt(0)),
    ).ret;
  }

  /** A segment of the peer at port 80 arrives for port 8080. */
  inject(seq: number, ack: number, flags: number, text = 0): Frame[] {
    const packet = new Uint8Array(40 + text);
    writeIpv4(packet, 0, 20 + text, 1, 64, PROTO_TCP, 0, REMOTE, LOCAL, true);
    writeTcp(packet, 20, 80, 8080, seq, ack, flags, 60_000, 0, 0);
    finishTcp(packet, 20, 20 + text, pseudoSum4(REMOTE, LOCAL, PROTO_TCP, 20 + text));
    return this.call(OP.INJECT, -1, packet);
  }
}

/** Flags, sequence and acknowledgement number, and text of a packet frame. */
export function segment(frame: Frame): { flags: number; seq: number; ack: number; len: number } {
  const v = new DataView(frame.payload.buffer, frame.payload.byteOffset, frame.payload.byteLength);
  return {
    flags: v.getUint8(33),
    seq: v.getInt32(24),
    ack: v.getInt32(28),
    len: frame.payload.length - 20 - (v.getUint8(32) >> 4) * 4,
  };
}
