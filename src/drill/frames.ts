// The frames of the judge's protocol, read and written: little endian, packed, no padding.

/** Operations of a request, by the protocol's numbers. */
export const OP = {
  HELLO: 1,
  BYE: 2,
  ADVANCE: 3,
  RUN: 4,
  INJECT: 5,
  SYSTEM: 6,
  SOCKET: 10,
  BIND: 11,
  LISTEN: 12,
  ACCEPT: 13,
  CONNECT: 14,
  RECV: 15,
  SEND: 16,
  FCNTL: 17,
  IOCTL: 18,
  CLOSE: 19,
  SHUTDOWN: 20,
  GETSOCKOPT: 21,
  SETSOCKOPT: 22,
  POLL: 23,
  EPOLL_CREATE: 24,
  EPOLL_CTL: 25,
  EPOLL_WAIT: 26,
} as const;

/** Reply: the result of a request. */
export const RESULT = 0;
/** Reply: a packet that the stack sent. */
export const PACKET = 1;
/** Reply: the result of a call that was blocked. */
export const COMPLETE = 2;
/** Reply: the call waits, and is completed later. */
export const BLOCKED = 3;

/** Octets of a request before its body, its length field included. */
const REQUEST_HEADER = 24;
/** Octets of a reply before its payload, its length field included. */
export const REPLY_HEADER = 32;
/** Longest request believed: a write of many octets fits, a stray length does not. */
const REQUEST_MOST: number = 64 * 1024 * 1024;

/** One request. Times are microseconds of the judge's clock. */
export interface Request {
  readonly op: number;
  readonly seq: number;
  readonly now: number;
  readonly fd: number;
  readonly body: Uint8Array;
}

/** One reply. `errno` is a Linux number, meaningful when `ret` is negative. */
export interface Reply {
  readonly kind: 0 | 1 | 2 | 3;
  readonly seq: number;
  readonly time: number;
  readonly ret: number;
  readonly errno: number;
  readonly payload: Uint8Array | null;
}

/** Octets of the request at `bytes[at]`, or 0 when its length is not there yet. Throws `RangeError` for a bad one. */
export function requestLength(bytes: Uint8Array, at: number, to: number): number {
  if (to - at < 4) return 0;
  const length = view(bytes).getUint32(at, true) + 4;
  if (length < REQUEST_HEADER || length > REQUEST_MOST) throw new RangeError(`a request of ${length} octets`);
  return length;
}

/** Reads the request in `bytes[from, to)`, all of which is there. The body is a view. */
export function readRequest(bytes: Uint8Array, from: number, to: number): Request {
  const v = view(bytes);
  return {
    op: v.getUint8(from + 4),
    seq: v.getUint32(from + 8, true),
    now: Number(v.getBigInt64(from + 12, true)),
    fd: v.getInt32(from + 20, true),
    body: bytes.subarray(from + REQUEST_HEADER, to),
  };
}

/** Writes a reply into octets of its own. */
export function writeReply(reply: Reply): Uint8Array {
  const { payload } = reply;
  const out = new Uint8Array(REPLY_HEADER + (payload === null ? 0 : payload.length));
  const v = view(out);
  v.setUint32(0, out.length - 4, true);
  v.setUint8(4, reply.kind);
  v.setUint32(8, reply.seq, true);
  v.setBigInt64(12, BigInt(reply.time), true);
  v.setBigInt64(20, BigInt(reply.ret), true);
  v.setInt32(28, reply.errno, true);
  if (payload !== null) out.set(payload, REPLY_HEADER);
  return out;
}

/** Reads a body field by field. What is missing reads as 0, so that a short body is no crash. */
export class Reader {
  readonly bytes: Uint8Array;
  at = 0;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = view(bytes);
  }

  #take(octets: number): number {
    const at = this.at;
    this.at += octets;
    return this.at <= this.bytes.length ? at : -1;
  }

  u8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : this.#view.getUint8(at);
  }

  u16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : this.#view.getUint16(at, true);
  }

  i16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : this.#view.getInt16(at, true);
  }

  u32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getUint32(at, true);
  }

  i32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getInt32(at, true);
  }

  u64(): bigint {
    const at = this.#take(8);
    return at < 0 ? 0n : this.#view.getBigUint64(at, true);
  }

  i64(): number {
    const at = this.#take(8);
    return at < 0 ? 0 : Number(this.#view.getBigInt64(at, true));
  }

  /** A view of the next `octets`, or of those that are left. */
  span(octets: number): Uint8Array {
    const from = Math.min(this.at, this.bytes.length);
    this.at = from + octets;
    return this.bytes.subarray(from, this.at);
  }

  /** A view of all that is left. */
  rest(): Uint8Array {
    return this.span(Math.max(this.bytes.length - this.at, 0));
  }
}

/** A 32-bit number as octets. */
export function int32(value: number): Uint8Array {
  const out = new Uint8Array(4);
  view(out).setInt32(0, value | 0, true);
  return out;
}

/** A view of numbers over exactly these octets. */
export function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** ASCII text of octets; anything else becomes a question mark. */
export function ascii(bytes: Uint8Array): string {
  let text = '';
  for (const octet of bytes) text += octet < 0x80 ? String.fromCharCode(octet) : '?';
  return text;
}
