// The socket calls of a script, answered as Linux would answer them, over a host.
//
// A call is tried; when it cannot finish it says so (`null`), and whoever holds the clock tries it again after
// everything that happens.

import { NetError, StateError } from '../base/errors.ts';
import { FAST_OPEN_CLIENT, FAST_OPEN_SEND_BARE } from '../base/profile.ts';
import { WRITE_ENDS, WRITE_MORE } from '../base/stream.ts';
import { type Host, tcpInfo } from '../host/index.ts';
import type { Connection } from '../sim/index.ts';
import { Address, addressFromBytes } from '../wire/address.ts';
import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  CallError,
  E,
  MSG_DONTWAIT,
  MSG_EOR,
  MSG_ERRQUEUE,
  MSG_FASTOPEN,
  MSG_MORE,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
  O_NONBLOCK,
  O_RDWR,
  POLLERR,
  POLLHUP,
  POLLNVAL,
  POLLOUT,
  SOCK_STREAM,
} from './errno.ts';
import { int32, type Reader, view } from './frames.ts';
import {
  applyOptions,
  fastOpenLimit,
  getOption,
  type OptionEnv,
  openingOptions,
  setOption,
  TCP_INFO_NAME,
} from './options.ts';
import { Epoll } from './poll.ts';
import { isOpening, Socket } from './socket.ts';
import { emptyTcpInfo, infoBytes } from './tcp-info.ts';

/** What a call returned. */
export interface Answer {
  readonly ret: number;
  readonly payload: Uint8Array | null;
}

/** A call that may have to wait. */
export interface Call {
  /** Tries to finish; `null` when it has to wait. Throws `CallError`. */
  attempt(): Answer | null;
  /** Whether it may wait at all. */
  readonly blocking: boolean;
  /** When it gives up, ms of the host's clock; `Infinity` for never. */
  readonly deadline: number;
  /** What it answers then. */
  timedOut(): Answer;
}

const DONE: Answer = { ret: 0, payload: null };
const SIOCINQ = 0x541b;
const SIOCOUTQ = 0x5411;

/** The sockets of one script. */
export class Calls {
  readonly env: OptionEnv;
  readonly #host: Host;
  readonly #files: Map<number, Socket | Epoll> = new Map();
  #nextFd = 0;

  constructor(env: OptionEnv) {
    this.env = env;
    this.#host = env.host;
  }

  /** Sockets that had no room and have some now: that is news to an edge-triggered poll. */
  refresh(): void {
    for (const s of this.sockets()) {
      if (!s.noSpace || s.connection?.roomy !== true) continue;
      s.noSpace = false;
      s.edges |= POLLOUT;
    }
  }

  /** All sockets. */
  *sockets(): Generator<Socket> {
    for (const file of this.#files.values()) if (file instanceof Socket) yield file;
  }

  /** The socket of a descriptor, or `null`. */
  socketAt(fd: number): Socket | null {
    const file = this.#files.get(fd);
    return file instanceof Socket ? file : null;
  }

  #socket(fd: number): Socket {
    const file = this.#files.get(fd);
    if (file === undefined) throw new CallError(E.EBADF);
    if (!(file instanceof Socket)) throw new CallError(E.ENOTSOCK);
    return file;
  }

  // --- making, naming ---

  socket(r: Reader): Answer {
    const domain = r.i32();
    const type = r.i32();
    const protocol = r.i32();
    if (domain !== AF_INET && domain !== AF_INET6) throw new CallError(E.EAFNOSUPPORT);
    if ((type & 0xf) !== SOCK_STREAM) throw new CallError(E.EPROTONOSUPPORT);
    if (protocol !== 0 && protocol !== 6) throw new CallError(E.EPROTONOSUPPORT);
    const s = new Socket(this.#nextFd++, domain, (type & O_NONBLOCK) !== 0);
    this.#files.set(s.fd, s);
    return { ret: s.fd, payload: null };
  }

  #address(s: Socket, r: Reader): { family: number; port: number; address: Address } {
    const family = r.u16();
    const port = r.u16();
    const bytes = r.span(16);
    if (family === AF_UNSPEC) return { family, port, address: new Address(0, 0, 0, 0) };
    if (bytes.length < 16) throw new CallError(E.EINVAL);
    if (family !== s.family) throw new CallError(family === AF_INET || family === AF_INET6 ? E.EINVAL : E.EAFNOSUPPORT);
    return { family, port, address: addressFromBytes(bytes, 0, family === AF_INET ? 4 : 6) };
  }

  bind(fd: number, r: Reader): Answer {
    const s = this.#socket(fd);
    const { family, port, address } = this.#address(s, r);
    if (family === AF_UNSPEC) throw new CallError(E.EAFNOSUPPORT);
    if (s.bound !== null || s.connection !== null || s.listener !== null) throw new CallError(E.EINVAL);
    const ours = this.#host.interfaces.some((i) => i.has(address.w0, address.w1, address.w2, address.w3));
    if (!address.isUnspecified && !ours) throw new CallError(E.EADDRNOTAVAIL);
    if (port !== 0 && this.#portTaken(s, port, address)) throw new CallError(E.EADDRINUSE);
    s.bound = address;
    s.boundPort = port !== 0 ? port : this.#host.ports.free();
    return DONE;
  }

  #portTaken(s: Socket, port: number, address: Address): boolean {
    for (const other of this.sockets()) {
      if (other === s || other.boundPort !== port || other.bound === null) continue;
      const same = other.bound.isUnspecified || address.isUnspecified || other.bound.equals(address);
      const shared = s.options.reuseAddress && other.options.reuseAddress && other.listener === null;
      if (same && !shared) return true;
    }
    if (s.options.reuseAddress) return false;
    return this.#host.connections().some((c) => c.localPort === port && c.state !== 'CLOSED');
  }

  listen(fd: number, r: Reader): Answer {
    const s = this.#socket(fd);
    const backlog = r.i32();
    if (s.connection !== null) throw new CallError(E.EINVAL);
    if (s.listener !== null) return DONE;
    const address = s.bound !== null && !s.bound.isUnspecified ? s.bound.toString() : undefined;
    const most = Math.max(backlog < 0 ? 4096 : backlog, 0) + 1;
    const fastOpen = fastOpenLimit(this.env, s, most);
    const { deferAccept } = s.options;
    const options = { port: s.boundPort, backlog: most, fastOpen, deferAccept, ...openingOptions(this.env, s) };
    s.listener = this.#host.listen(address === undefined ? options : { ...options, address }, (c) => {
      s.backlog.push(c);
      // Until it is accepted, what happens to it happens to the listener's queue.
      c.handler = {};
    });
    s.boundPort = s.listener.port;
    return DONE;
  }

  accept(fd: number): Call {
    const s = this.#socket(fd);
    if (s.listener === null) throw new CallError(E.EINVAL);
    const deadline = s.options.receiveTimeout > 0 ? this.#host.now + s.options.receiveTimeout : Infinity;
    return this.#call(s, !s.nonBlocking, deadline, () => {
      if (s.listener === null) throw new CallError(E.EINVAL);
      const c = s.backlog.shift();
      if (c === undefined) return null;
      if (this.env.bsd && c.state === 'CLOSED') throw new CallError(E.ECONNABORTED);
      const child = new Socket(this.#nextFd++, s.family, false);
      child.options = s.options.inherit();
      child.opened = true;
      child.bound = c.addressing.local;
      child.boundPort = c.localPort;
      child.attach(c, this.env.bsd);
      if (c.error !== null) child.error = -c.error.errno;
      applyOptions(this.env, child);
      this.#files.set(child.fd, child);
      return { ret: child.fd, payload: this.#name(s.family, c.addressing.remote, c.remotePort) };
    });
  }

  #name(family: number, address: Address, port: number): Uint8Array {
    const out = new Uint8Array(20);
    const v = view(out);
    v.setUint16(0, family, true);
    v.setUint16(2, port, true);
    if (family === AF_INET) {
      v.setInt32(4, address.w3, false);
      return out;
    }
    v.setInt32(4, address.w0, false);
    v.setInt32(8, address.w1, false);
    v.setInt32(12, address.w2, false);
    v.setInt32(16, address.w3, false);
    return out;
  }

  connect(fd: number, r: Reader): Call {
    const s = this.#socket(fd);
    const { family, port, address } = this.#address(s, r);
    if (family === AF_UNSPEC) {
      s.connection?.abort();
      s.connection = null;
      s.connecting = false;
      s.opened = false;
      return this.#call(s, false, Infinity, () => DONE);
    }
    if (s.listener !== null) throw new CallError(this.env.bsd ? E.EOPNOTSUPP : E.EISCONN);
    if (s.connection !== null && s.connecting && isOpening(s.connection) && s.nonBlocking) {
      throw new CallError(E.EALREADY);
    }
    if (s.opened && s.connection !== null && !s.connecting) throw new CallError(E.EISCONN);
    if (s.deferred !== null) throw new CallError(E.EISCONN);
    if (s.options.fastOpenConnect && s.connection === null && this.#mayRide(address)) {
      s.deferred = { port, address };
      return this.#call(s, false, Infinity, () => DONE);
    }
    if (s.connection === null) this.#open(s, port, address, s.options.fastOpenConnect);
    const deadline = s.options.sendTimeout > 0 ? this.#host.now + s.options.sendTimeout : Infinity;
    return {
      blocking: !s.nonBlocking,
      deadline,
      attempt: () => this.#connected(s),
      timedOut: () => {
        throw new CallError(E.EINPROGRESS);
      },
    };
  }

  #open(s: Socket, port: number, address: Address, fastOpen: boolean): void {
    const c = this.#host.connect({
      address: address.toString(),
      port,
      fastOpen,
      ...(s.bound === null || s.bound.isUnspecified ? {} : { localAddress: s.bound.toString() }),
      ...(s.boundPort > 0 ? { localPort: s.boundPort } : {}),
      ...openingOptions(this.env, s),
    });
    s.attach(c, this.env.bsd);
    s.connecting = true;
    s.boundPort = c.localPort;
    applyOptions(this.env, s);
  }

  #connected(s: Socket): Answer | null {
    const c = s.connection;
    if (c === null) throw new CallError(E.ECONNABORTED);
    if (isOpening(c)) return null;
    s.connecting = false;
    if (s.opened || c.state !== 'CLOSED') {
      s.opened = true;
      return DONE;
    }
    const errno = s.error !== 0 ? s.error : E.ECONNABORTED;
    s.error = 0;
    s.connection = null;
    throw new CallError(errno);
  }

  // --- octets ---

  receive(fd: number, r: Reader): Call {
    const s = this.#socket(fd);
    const size = r.u32();
    const flags = r.i32();
    r.u8();
    const isNull = r.u8() !== 0;
    r.u16();
    const controlRoom = r.u32();
    if (s.listener !== null || s.connection === null) throw new CallError(E.ENOTCONN);
    if ((flags & MSG_ERRQUEUE) !== 0) throw new CallError(E.EAGAIN);
    if ((flags & MSG_OOB) !== 0) throw new CallError(E.EINVAL);
    const blocking = !s.nonBlocking && (flags & MSG_DONTWAIT) === 0;
    const deadline = s.options.receiveTimeout > 0 ? this.#host.now + s.options.receiveTimeout : Infinity;
    const enough = (flags & MSG_WAITALL) !== 0 ? size : Math.min(size, s.options.receiveLowWater);
    const parts: Uint8Array[] = [];
    let got = 0;
    const result = (): Answer => received(s, parts, got, controlRoom);
    const attempt = (): Answer | null => {
      const c = s.connection;
      if (c === null) throw new CallError(E.ENOTCONN);
      if (size === 0) return result();
      if (c.readable > 0 && isNull) throw new CallError(E.EFAULT);
      if ((flags & MSG_PEEK) !== 0) {
        if (c.readable > 0) {
          const seen = c.peek().subarray(0, size);
          return received(s, [seen.slice()], seen.length, controlRoom);
        }
      } else if (c.readable >= Math.min(enough - got, size - got) || s.receiveShut || !blocking) {
        const part = new Uint8Array(Math.min(size - got, c.readable));
        got += c.read(part, 0, part.length);
        if (part.length > 0 && (flags & MSG_TRUNC) === 0) parts.push(part);
        if (got >= enough || (got > 0 && (s.receiveShut || !blocking))) return result();
      }
      if (got > 0 && s.receiveShut) return result();
      if (s.error !== 0) {
        const { error } = s;
        s.error = 0;
        throw new CallError(error);
      }
      if (s.receiveShut) return result();
      if (!s.opened && c.state === 'CLOSED') throw new CallError(E.ENOTCONN);
      return null;
    };
    return {
      blocking,
      deadline,
      attempt,
      timedOut: () => {
        if (got > 0) return result();
        throw new CallError(E.EAGAIN);
      },
    };
  }

  send(fd: number, r: Reader): Call {
    const s = this.#socket(fd);
    const flags = r.i32();
    r.u8();
    const isNull = r.u8() !== 0;
    r.u16();
    const to = this.#fastTarget(s, r, flags);
    r.span(r.u32());
    const data = r.rest();
    const blocking = !s.nonBlocking && (flags & MSG_DONTWAIT) === 0;
    const deadline = s.options.sendTimeout > 0 ? this.#host.now + s.options.sendTimeout : Infinity;
    let sent = 0;
    let begins = to !== null;
    const attempt = (): Answer | null => {
      if (begins && to !== null) {
        begins = false;
        sent = this.#openWith(s, to.port, to.address, data);
        if (sent > 0 && (!blocking || sent === data.length)) return { ret: sent, payload: null };
        if (!blocking && s.error === 0) throw new CallError(E.EINPROGRESS);
      }
      const c = s.connection;
      if (sent === 0 && s.error !== 0) {
        const { error } = s;
        s.error = 0;
        throw new CallError(error);
      }
      if (c === null) throw new CallError(this.env.bsd ? E.ENOTCONN : E.EPIPE);
      if (isOpening(c)) {
        if (this.env.bsd && !blocking) throw new CallError(E.ENOTCONN);
        return null;
      }
      if (s.sendShut) {
        if (sent > 0) return { ret: sent, payload: null };
        throw new CallError(E.EPIPE);
      }
      if (isNull && data.length > 0) throw new CallError(E.EFAULT);
      // A writer that found no room sleeps until there is enough of it to be worth waking up for.
      if (s.noSpace && blocking && sent > 0 && !c.roomy) return null;
      const write = ((flags & MSG_MORE) !== 0 ? WRITE_MORE : 0) | ((flags & MSG_EOR) !== 0 ? WRITE_ENDS : 0);
      sent += c.send(data, sent, data.length, write);
      if (sent === data.length) return { ret: sent, payload: null };
      s.noSpace = true;
      return blocking || sent === 0 ? null : { ret: sent, payload: null };
    };
    return {
      blocking,
      deadline,
      attempt,
      timedOut: () => {
        if (sent > 0) return { ret: sent, payload: null };
        throw new CallError(E.EAGAIN);
      },
    };
  }

  /** Where a write connects to that comes with MSG_FASTOPEN, or after a `connect` that waits for it; `null` for any other. */
  #fastTarget(s: Socket, r: Reader, flags: number): { port: number; address: Address } | null {
    if ((flags & MSG_FASTOPEN) === 0) {
      r.span(20);
      return s.deferred;
    }
    if ((this.env.profile.fastOpen & FAST_OPEN_CLIENT) === 0) throw new CallError(E.EOPNOTSUPP);
    const { family, port, address } = this.#address(s, r);
    if (family === AF_UNSPEC) throw new CallError(E.EOPNOTSUPP);
    if (s.listener !== null || s.connection !== null) {
      throw new CallError(s.connection !== null && isOpening(s.connection) ? E.EALREADY : E.EISCONN);
    }
    return { port, address };
  }

  /** Whether text may ride on a SYN to this address. */
  #mayRide(address: Address): boolean {
    const bare = (this.env.profile.fastOpen & FAST_OPEN_SEND_BARE) !== 0;
    return bare || this.#host.fastOpens?.knows(address, this.#host.now) === true;
  }

  /** Connects, and gives the SYN what it has room for; returns how much that is. */
  #openWith(s: Socket, port: number, address: Address, data: Uint8Array): number {
    s.deferred = null;
    this.#open(s, port, address, true);
    const c = s.connection;
    const part = c === null ? 0 : Math.min(c.fastOpen?.roomOnSyn(c) ?? 0, data.length);
    return c === null || part === 0 ? 0 : c.send(data, 0, part);
  }

  // --- the rest ---

  fcntl(fd: number, r: Reader): Answer {
    const s = this.#socket(fd);
    const command = r.i32();
    const arg = r.i32();
    if (command === 3) return { ret: O_RDWR | (s.nonBlocking ? O_NONBLOCK : 0), payload: null };
    if (command !== 4) throw new CallError(E.EINVAL);
    s.nonBlocking = (arg & O_NONBLOCK) !== 0;
    return DONE;
  }

  ioctl(fd: number, r: Reader): Answer {
    const s = this.#socket(fd);
    const request = r.u32();
    const c = s.connection;
    if (request !== SIOCINQ && request !== SIOCOUTQ) throw new CallError(E.ENOTTY);
    if (s.listener !== null) throw new CallError(E.EINVAL);
    let value = 0;
    if (c !== null && request === SIOCINQ) value = inQueue(c);
    else if (c !== null) value = c.queued + (c.snd.finQueued && !c.finAcked && c.state !== 'CLOSED' ? 1 : 0);
    return { ret: 0, payload: int32(value) };
  }

  close(fd: number): Call {
    const file = this.#files.get(fd);
    if (file === undefined) throw new CallError(E.EBADF);
    this.#files.delete(fd);
    if (!(file instanceof Socket)) return this.#call(null, false, Infinity, () => DONE);
    for (const other of this.#files.values()) if (other instanceof Epoll) other.forget(file);
    if (file.listener !== null) {
      file.listener.close();
      for (const c of file.backlog.splice(0)) c.abort();
    }
    const c = file.connection;
    c?.close();
    // SO_LINGER with time: a blocking close waits for the last acknowledgement.
    const linger = file.options.linger;
    const waits = c !== null && linger > 0 && !file.nonBlocking;
    return {
      blocking: waits,
      deadline: this.#host.now + Math.max(linger, 0) * 1000,
      attempt: () => (waits && c !== null && lingers(c) ? null : DONE),
      timedOut: () => DONE,
    };
  }

  shutdown(fd: number, r: Reader): Answer {
    const s = this.#socket(fd);
    const how = r.i32();
    if (how < 0 || how > 2) throw new CallError(E.EINVAL);
    if (s.listener !== null) {
      if (this.env.bsd) throw new CallError(E.ENOTCONN);
      if (how === 1) return DONE;
      s.listener.close();
      s.listener = null;
      for (const c of s.backlog.splice(0)) c.abort();
      return DONE;
    }
    const c = s.connection;
    if (c === null || c.state === 'CLOSED') throw new CallError(E.ENOTCONN);
    if (c.state === 'SYN-SENT' && !this.env.bsd) {
      s.shutRead ||= how !== 1;
      s.shutWrite ||= how !== 0;
      c.abort();
      return DONE;
    }
    if (how !== 1) s.shutRead = true;
    if (how !== 0) {
      s.shutWrite = true;
      c.shutdown();
    }
    return DONE;
  }

  getsockopt(fd: number, r: Reader): Answer {
    const s = this.#socket(fd);
    const level = r.i32();
    const name = r.i32();
    const room = r.u32();
    let value: Uint8Array;
    if (level === 6 && name === TCP_INFO_NAME) {
      const c = s.connection;
      value = c === null ? emptyTcpInfo(s.listener === null ? 'CLOSED' : 'LISTEN') : infoBytes(tcpInfo(c));
    } else {
      value = getOption(this.env, s, level, name);
    }
    return { ret: 0, payload: value.subarray(0, room) };
  }

  setsockopt(fd: number, r: Reader): Answer {
    const s = this.#socket(fd);
    const level = r.i32();
    const name = r.i32();
    setOption(this.env, s, level, name, r.rest());
    return DONE;
  }

  poll(r: Reader): Call {
    const timeout = r.i32();
    const count = r.u32();
    const asked: { fd: number; events: number }[] = [];
    for (let i = 0; i < Math.min(count, 4096); i++) {
      asked.push({ fd: r.i32(), events: r.i16() });
      r.i16();
    }
    const look = (): Answer => {
      const payload = new Uint8Array(asked.length * 2);
      let ready = 0;
      asked.forEach(({ fd, events }, i) => {
        if (fd < 0) return;
        const file = this.#files.get(fd);
        const mask = file instanceof Socket ? file.poll() & (events | POLLERR | POLLHUP) : POLLNVAL;
        view(payload).setInt16(2 * i, mask, true);
        if (mask !== 0) ready++;
      });
      return { ret: ready, payload };
    };
    return {
      blocking: timeout !== 0,
      deadline: timeout < 0 ? Infinity : this.#host.now + timeout,
      attempt: () => {
        const answer = look();
        return answer.ret > 0 || timeout === 0 ? answer : null;
      },
      timedOut: look,
    };
  }

  epollCreate(): Answer {
    const fd = this.#nextFd++;
    this.#files.set(fd, new Epoll());
    return { ret: fd, payload: null };
  }

  #epoll(fd: number): Epoll {
    const file = this.#files.get(fd);
    if (file === undefined) throw new CallError(E.EBADF);
    if (!(file instanceof Epoll)) throw new CallError(E.EINVAL);
    return file;
  }

  epollControl(fd: number, r: Reader): Answer {
    const set = this.#epoll(fd);
    const op = r.i32();
    const s = this.#socket(r.i32());
    set.control(op, s, r.u32(), r.u64());
    return DONE;
  }

  epollWait(fd: number, r: Reader): Call {
    const set = this.#epoll(fd);
    const most = r.i32();
    const timeout = r.i32();
    if (most <= 0) throw new CallError(E.EINVAL);
    return {
      blocking: timeout !== 0,
      deadline: timeout < 0 ? Infinity : this.#host.now + timeout,
      attempt: () => {
        const ready = set.take(most);
        if (ready.length === 0 && timeout !== 0) return null;
        const payload = new Uint8Array(ready.length * 12);
        ready.forEach(({ events, data }, i) => {
          view(payload).setUint32(12 * i, events, true);
          view(payload).setBigUint64(12 * i + 4, data, true);
        });
        return { ret: ready.length, payload };
      },
      timedOut: () => DONE,
    };
  }

  #call(s: Socket | null, blocking: boolean, deadline: number, attempt: () => Answer | null): Call {
    return {
      blocking,
      deadline,
      attempt,
      timedOut: () => {
        throw new CallError(s === null ? E.EINVAL : E.EAGAIN);
      },
    };
  }
}

/** Octets to read, and one for the end of the stream when there is nothing else (tcp_inq). */
function inQueue(c: Connection): number {
  if (isOpening(c)) return 0;
  return c.readable;
}

function lingers(c: Connection): boolean {
  const { state } = c;
  return state === 'FIN-WAIT-1' || state === 'CLOSING' || state === 'LAST-ACK';
}

/** The payload of a receive: count, flags, octets, control messages. */
function received(s: Socket, parts: readonly Uint8Array[], got: number, controlRoom: number): Answer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const c = s.connection;
  const inq = s.options.inq && c !== null && controlRoom >= 24;
  const payload = new Uint8Array(8 + length + (inq ? 24 : 0));
  const v = view(payload);
  v.setUint32(0, length, true);
  let at = 8;
  for (const part of parts) {
    payload.set(part, at);
    at += part.length;
  }
  if (inq && c !== null) {
    // A control message: its length, level SOL_TCP, type TCP_CM_INQ, the number; padded to 8 octets.
    v.setBigUint64(at, 20n, true);
    v.setInt32(at + 8, 6, true);
    v.setInt32(at + 12, 36, true);
    // The end of the stream counts as one octet when everything before it has been read.
    v.setInt32(at + 16, c.readable === 0 && c.rcv.finished ? 1 : c.readable, true);
  }
  return { ret: got, payload };
}

/** The errno of anything a command throws; what is no such thing is thrown on. */
export function errnoOf(error: unknown): number {
  if (error instanceof CallError) return error.errno;
  if (error instanceof NetError) return -error.errno;
  if (error instanceof StateError) return E.EPIPE;
  if (error instanceof RangeError) return E.EINVAL;
  throw error;
}
