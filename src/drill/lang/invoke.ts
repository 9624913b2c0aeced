// The socket calls of scripts: each becomes a request of the agent's protocol, and its answer is held against what
// the script expects. `src/drill/calls.ts` answers them, for scripts and for packetdrill alike.

import { ascii, OP, view } from '../frames.ts';
import { ScriptError } from './cursor.ts';
import type { CallSpec, Expression } from './script.ts';
import {
  type AddressDefault,
  addressOctets,
  BodyWriter,
  field,
  joined,
  numberOf,
  numberOr,
  optionOctets,
  textOctets,
} from './values.ts';

/** What calls need to know of their script. */
export interface CallEnv {
  /** The number that the host gave for a descriptor of the script; -1 for one that is not open. */
  fd(script: number): number;
  readonly v6: boolean;
  readonly bindTo: AddressDefault;
  readonly connectTo: AddressDefault;
}

/** What a call asks of the host, and how its answer is looked at. */
export interface Invocation {
  readonly op: number;
  readonly fd: number;
  readonly body: Uint8Array;
  /** Says what is wrong with the payload of a call that succeeded; `null` when nothing is. */
  check(payload: Uint8Array, ret: number): string | null;
  /** The call gives a new descriptor. */
  readonly opens: boolean;
}

type Maker = (call: CallSpec, env: CallEnv) => Partial<Invocation> & Pick<Invocation, 'op' | 'body'>;

const EMPTY = new Uint8Array(0);
/** More octets than any script means: a number that is longer is a mistake. */
const OCTETS_MOST = 64 * 1024 * 1024;

function arg(call: CallSpec, index: number): Expression {
  const e = call.args[index];
  if (e === undefined) throw new ScriptError(`${call.name} has ${call.args.length} arguments, too few`, call.place);
  return e;
}

function number(call: CallSpec, index: number, what: string): number {
  return numberOf(arg(call, index), what, arg(call, index));
}

function size(call: CallSpec, e: Expression, what: string): number {
  const value = numberOf(e, what, e);
  if (value < 0 || value > OCTETS_MOST) throw new ScriptError(`${value} is no length`, call.place);
  return value;
}

/** RECV: read, readv, recv, recvfrom, recvmsg. */
function receive(
  octets: number,
  flags: number,
  kind: number,
  isNull: boolean,
  control: number,
  check: Invocation['check'],
): Partial<Invocation> & Pick<Invocation, 'op' | 'body'> {
  const w = new BodyWriter()
    .u32(octets)
    .u32(flags)
    .u8(kind)
    .u8(isNull ? 1 : 0)
    .u16(1)
    .u32(control);
  return { op: OP.RECV, body: w.body, check };
}

/** SEND: write, writev, send, sendto, sendmsg. */
function send(
  data: Uint8Array,
  flags: number,
  kind: number,
  isNull: boolean,
  to: Uint8Array = new Uint8Array(20),
): Partial<Invocation> & Pick<Invocation, 'op' | 'body'> {
  const w = new BodyWriter()
    .u32(flags)
    .u8(kind)
    .u8(isNull ? 1 : 0)
    .u16(1)
    .octets(to)
    .u32(0)
    .octets(data);
  return { op: OP.SEND, body: w.body };
}

function isNull(e: Expression): boolean {
  return e.kind === 'name' && e.name === 'NULL';
}

/** What a write of `count` octets sends: a text that the script gives, zeros otherwise. */
function outgoing(call: CallSpec, data: Expression, count: number): Uint8Array {
  const out = new Uint8Array(count);
  if (data.kind === 'text') out.set(textOctets(data.value).subarray(0, count));
  else if (data.kind !== 'any' && !isNull(data)) throw new ScriptError('expected a text or ...', call.place);
  return out;
}

/** Octets that came, against the text of a script, where it gives one. */
function contents(expected: Expression): Invocation['check'] {
  return (payload, ret) => {
    if (expected.kind !== 'text' || ret < 0) return null;
    const text = ascii(payload.subarray(8, 8 + ret));
    return text === expected.value.slice(0, ret) ? null : `the octets are ${JSON.stringify(text)}`;
  };
}

/** The pieces of a vector: `[{..., 1000}, {..., 500}]`. */
function pieces(call: CallSpec, e: Expression | undefined): { data: Expression; count: number }[] {
  if (e?.kind !== 'array') throw new ScriptError('expected a vector, as [{..., 1000}]', (e ?? call).place);
  return e.items.map((item) => {
    const [data, count] = item.kind === 'struct' ? item.fields : [];
    if (data === undefined || count === undefined) throw new ScriptError('expected {..., 1000}', item.place);
    return { data: data.value, count: size(call, count.value, 'the length') };
  });
}

function vector(call: CallSpec, e: Expression | undefined): Uint8Array {
  return joined(pieces(call, e).map(({ data, count }) => outgoing(call, data, count)));
}

function length(call: CallSpec, e: Expression | undefined): number {
  return pieces(call, e).reduce((sum, piece) => sum + piece.count, 0);
}

const nothing = (): null => null;

/** `read` and its like, into one buffer: the second and third argument say which, and how much it takes. */
function receiveInto(call: CallSpec, kind: number, flags: number): ReturnType<Maker> {
  const into = arg(call, 1);
  return receive(size(call, arg(call, 2), 'the length'), flags, kind, isNull(into), 0, contents(into));
}

const MAKERS: Readonly<Record<string, Maker>> = {
  socket: (call, env) => {
    const domain = numberOr(arg(call, 0), env.v6 ? 10 : 2, 'the domain', arg(call, 0));
    const body = new BodyWriter()
      .u32(domain)
      .u32(number(call, 1, 'the type'))
      .u32(number(call, 2, 'the protocol'));
    return { op: OP.SOCKET, fd: -1, body: body.body, opens: true };
  },
  bind: (call, env) => ({ op: OP.BIND, body: addressOctets(call.args[1], env.bindTo) }),
  connect: (call, env) => ({ op: OP.CONNECT, body: addressOctets(call.args[1], env.connectTo) }),
  listen: (call) => ({ op: OP.LISTEN, body: new BodyWriter().u32(number(call, 1, 'the backlog')).body }),
  accept: () => ({ op: OP.ACCEPT, body: EMPTY, opens: true }),
  read: (call) => receiveInto(call, 0, 0),
  recv: (call) => receiveInto(call, 2, number(call, 3, 'the flags')),
  recvfrom: (call) => receiveInto(call, 3, number(call, 3, 'the flags')),
  readv: (call) => receive(length(call, arg(call, 1)), 0, 1, false, 0, nothing),
  recvmsg: (call) => {
    const message = arg(call, 1);
    const control = field(message, 'msg_control');
    const room = control?.kind === 'array' && control.items.length > 0 ? 512 : 0;
    const octets = length(call, field(message, 'msg_iov'));
    return receive(octets, number(call, 2, 'the flags'), 4, false, room, (payload) => controls(payload, control));
  },
  write: (call) => {
    const count = size(call, arg(call, 2), 'the length');
    return send(outgoing(call, arg(call, 1), count), 0, 0, isNull(arg(call, 1)));
  },
  writev: (call) => send(vector(call, arg(call, 1)), 0, 1, false),
  send: (call) => {
    const count = size(call, arg(call, 2), 'the length');
    return send(outgoing(call, arg(call, 1), count), number(call, 3, 'the flags'), 2, isNull(arg(call, 1)));
  },
  sendto: (call, env) => {
    const count = size(call, arg(call, 2), 'the length');
    const data = outgoing(call, arg(call, 1), count);
    const to = addressOctets(call.args[4], env.connectTo);
    return send(data, number(call, 3, 'the flags'), 3, isNull(arg(call, 1)), to);
  },
  sendmsg: (call) => send(vector(call, field(arg(call, 1), 'msg_iov')), number(call, 2, 'the flags'), 4, false),
  close: () => ({ op: OP.CLOSE, body: EMPTY }),
  shutdown: (call) => ({ op: OP.SHUTDOWN, body: new BodyWriter().u32(number(call, 1, 'how')).body }),
  fcntl: (call) => {
    const value = call.args[2] === undefined ? 0 : number(call, 2, 'the argument');
    return { op: OP.FCNTL, body: new BodyWriter().u32(number(call, 1, 'the command')).u32(value).body };
  },
  ioctl: (call) => ({
    op: OP.IOCTL,
    body: new BodyWriter().u32(number(call, 1, 'the request')).body,
    check: (payload) => numbers(call.args[2], payload),
  }),
  setsockopt: (call) => {
    const room = size(call, arg(call, 4), 'the length');
    const value = optionOctets(arg(call, 3));
    const body = new BodyWriter().u32(number(call, 1, 'the level')).u32(number(call, 2, 'the option'));
    return { op: OP.SETSOCKOPT, body: body.octets(fitted(value, room)).body };
  },
  getsockopt: (call) => {
    const lengths = arg(call, 4);
    const room = lengths.kind === 'array' ? numberOr(lengths.items[0], 280, 'the length', lengths) : 280;
    const body = new BodyWriter()
      .u32(number(call, 1, 'the level'))
      .u32(number(call, 2, 'the option'))
      .u32(room);
    return { op: OP.GETSOCKOPT, body: body.body, check: (payload) => numbers(call.args[3], payload) };
  },
  poll: (call, env) => {
    const asked = arg(call, 0);
    if (asked.kind !== 'array') throw new ScriptError('expected [{fd=3, events=POLLIN}]', asked.place);
    const body = new BodyWriter().u32(number(call, 2, 'the timeout')).u32(asked.items.length);
    for (const item of asked.items) {
      const fd = numberOf(field(item, 'fd'), 'fd', item);
      body
        .u32(fd < 0 ? fd : env.fd(fd))
        .u16(numberOf(field(item, 'events'), 'events', item))
        .u16(0);
    }
    return { op: OP.POLL, fd: -1, body: body.body, check: (payload) => revents(asked.items, payload) };
  },
  epoll_create: () => ({ op: OP.EPOLL_CREATE, fd: -1, body: EMPTY, opens: true }),
  epoll_create1: () => ({ op: OP.EPOLL_CREATE, fd: -1, body: EMPTY, opens: true }),
  epoll_ctl: (call, env) => {
    const event = call.args[3];
    const events = event?.kind === 'struct' ? numberOf(field(event, 'events'), 'events', event) : 0;
    const data = event === undefined ? 0n : epollData(event);
    const body = new BodyWriter().u32(number(call, 1, 'the operation')).u32(env.fd(number(call, 2, 'fd')));
    return { op: OP.EPOLL_CTL, body: body.u32(events).u64(data).body };
  },
  epoll_wait: (call) => {
    const body = new BodyWriter().u32(number(call, 2, 'how many')).u32(number(call, 3, 'the timeout'));
    return { op: OP.EPOLL_WAIT, body: body.body, check: (payload) => epollEvents(arg(call, 1), payload) };
  },
};

/** Makes the request of a call. Throws `ScriptError` for what it cannot mean. */
export function invoke(call: CallSpec, env: CallEnv): Invocation {
  const maker = Object.hasOwn(MAKERS, call.name) ? MAKERS[call.name] : undefined;
  if (maker === undefined) throw new ScriptError(`the call '${call.name}' is not understood`, call.place);
  const made = maker(call, env);
  const fd = made.fd ?? env.fd(number(call, 0, 'the descriptor'));
  return { fd, op: made.op, body: made.body, check: made.check ?? nothing, opens: made.opens ?? false };
}

function fitted(value: Uint8Array, room: number): Uint8Array {
  if (room <= value.length) return value.subarray(0, room);
  const out = new Uint8Array(room);
  out.set(value);
  return out;
}

/** The value of an option or an ioctl, against `[N]`, a text or a structure. */
function numbers(expected: Expression | undefined, payload: Uint8Array): string | null {
  if (expected === undefined || expected.kind === 'any') return null;
  const wanted = optionOctets(expected);
  const same = wanted.length <= payload.length && wanted.every((octet, i) => octet === payload[i]);
  if (same) return null;
  if (expected.kind === 'text') return `the value is ${JSON.stringify(ascii(payload).replace(/\0.*$/, ''))}`;
  const v = view(payload);
  const words = Array.from({ length: Math.min(payload.length >> 2, 8) }, (_, i) => v.getInt32(4 * i, true));
  return `the value is [${words.join(', ')}]`;
}

function revents(items: readonly Expression[], payload: Uint8Array): string | null {
  for (const [i, item] of items.entries()) {
    const expected = numberOr(field(item, 'revents'), 0, 'revents', item);
    const is = 2 * i + 2 <= payload.length ? view(payload).getUint16(2 * i, true) : 0;
    if (is !== expected) return `revents of entry ${i} is 0x${is.toString(16)}, not 0x${expected.toString(16)}`;
  }
  return null;
}

function epollData(event: Expression): bigint {
  const data = field(event, 'fd') ?? field(event, 'u32') ?? field(event, 'u64') ?? field(event, 'ptr');
  return data === undefined ? 0n : BigInt(numberOf(data, 'the data', event));
}

function epollEvents(expected: Expression, payload: Uint8Array): string | null {
  const items = expected.kind === 'array' ? expected.items : [expected];
  for (const [i, item] of items.entries()) {
    if (item.kind !== 'struct' || 12 * i + 12 > payload.length) continue;
    const events = view(payload).getUint32(12 * i, true);
    const data = view(payload).getBigUint64(12 * i + 4, true);
    const wanted = numberOf(field(item, 'events'), 'events', item);
    if (events !== wanted) return `events of entry ${i} is 0x${events.toString(16)}, not 0x${wanted.toString(16)}`;
    if (data !== epollData(item)) return `the data of entry ${i} is ${data}`;
  }
  return null;
}

/** Control messages, against `[{cmsg_level=..., cmsg_type=..., cmsg_data=N}]`. */
function controls(payload: Uint8Array, expected: Expression | undefined): string | null {
  if (expected?.kind !== 'array') return null;
  const v = view(payload);
  let at = 8 + (payload.length >= 4 ? v.getUint32(0, true) : 0);
  for (const item of expected.items) {
    if (at + 20 > payload.length) return 'a control message is missing';
    const level = numberOf(field(item, 'cmsg_level'), 'cmsg_level', item);
    const type = numberOf(field(item, 'cmsg_type'), 'cmsg_type', item);
    if (v.getInt32(at + 8, true) !== level || v.getInt32(at + 12, true) !== type) return 'another control message';
    const data = field(item, 'cmsg_data');
    const is = v.getInt32(at + 16, true);
    if (data !== undefined && data.kind !== 'any' && numberOf(data, 'cmsg_data', item) !== is) {
      return `cmsg_data is ${is}`;
    }
    at += (Number(v.getBigUint64(at, true)) + 7) & ~7;
  }
  return null;
}
