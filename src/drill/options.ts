// getsockopt and setsockopt, with Linux's numbers and its way of reporting.

import { FAST_OPEN_CLIENT, FAST_OPEN_SERVER } from '../base/profile.ts';
import { deferralOf, type Host, integerCubic, newReno } from '../host/index.ts';
import { TIMESTAMP_OCTETS } from '../wire/index.ts';
import { CallError, E } from './errno.ts';
import { int32, view } from './frames.ts';
import type { WritableProfile } from './profiles.ts';
import type { Socket, SocketOptions } from './socket.ts';

const SOL_IP = 0;
const SOL_SOCKET = 1;
const SOL_TCP = 6;
const SOL_IPV6 = 41;

/** TCP_INFO, which the caller answers. */
export const TCP_INFO_NAME = 11;

const SO = {
  REUSEADDR: 2,
  TYPE: 3,
  ERROR: 4,
  SNDBUF: 7,
  RCVBUF: 8,
  KEEPALIVE: 9,
  LINGER: 13,
  RCVLOWAT: 18,
  RCVTIMEO: 20,
  SNDTIMEO: 21,
  ACCEPTCONN: 30,
  SNDBUFFORCE: 32,
  RCVBUFFORCE: 33,
  PROTOCOL: 38,
  DOMAIN: 39,
} as const;

const TCP = {
  NODELAY: 1,
  MAXSEG: 2,
  CORK: 3,
  KEEPIDLE: 4,
  KEEPINTVL: 5,
  KEEPCNT: 6,
  SYNCNT: 7,
  LINGER2: 8,
  DEFER_ACCEPT: 9,
  WINDOW_CLAMP: 10,
  QUICKACK: 12,
  CONGESTION: 13,
  USER_TIMEOUT: 18,
  FASTOPEN: 23,
  TIMESTAMP: 24,
  NOTSENT_LOWAT: 25,
  FASTOPEN_CONNECT: 30,
  INQ: 36,
} as const;

/** Receive buffer of a socket that sets none, as Linux's defaults report it. */
export const DEFAULT_BUFFER = 131_072;
/** Least sizes that Linux reports for a buffer. */
const LEAST_SEND_BUFFER = 4608;
const LEAST_RECEIVE_BUFFER = 2304;

/** Options that are kept and reported and change nothing here. */
const KEPT = new Set([
  // Debugging, routing, broadcast, urgent data in line, priority, credentials, mark, busy poll, timestamps, reuse of ports,
  // zero copy, pacing rate of SOL_SOCKET
  (SOL_SOCKET << 16) | 1,
  (SOL_SOCKET << 16) | 5,
  (SOL_SOCKET << 16) | 6,
  (SOL_SOCKET << 16) | 10,
  (SOL_SOCKET << 16) | 11,
  (SOL_SOCKET << 16) | 14,
  (SOL_SOCKET << 16) | 16,
  (SOL_SOCKET << 16) | 12,
  (SOL_SOCKET << 16) | 15,
  (SOL_SOCKET << 16) | 29,
  (SOL_SOCKET << 16) | 36,
  (SOL_SOCKET << 16) | 37,
  (SOL_SOCKET << 16) | 46,
  (SOL_SOCKET << 16) | 47,
  (SOL_SOCKET << 16) | 60,
  // TOS, TTL, MTU_DISCOVER, RECVERR, RECVTOS, FREEBIND
  (SOL_IP << 16) | 1,
  (SOL_IP << 16) | 2,
  (SOL_IP << 16) | 10,
  (SOL_IP << 16) | 11,
  (SOL_IP << 16) | 13,
  (SOL_IP << 16) | 15,
  (SOL_IPV6 << 16) | 16,
  (SOL_IPV6 << 16) | 23,
  (SOL_IPV6 << 16) | 24,
  (SOL_IPV6 << 16) | 25,
  (SOL_IPV6 << 16) | 26,
  (SOL_IPV6 << 16) | 67,
  // WINDOW_CLAMP, THIN_LINEAR_TIMEOUTS, THIN_DUPACK, SAVE_SYN
  (SOL_TCP << 16) | TCP.WINDOW_CLAMP,
  (SOL_TCP << 16) | 16,
  (SOL_TCP << 16) | 17,
  (SOL_TCP << 16) | 27,
]);

/** What options may touch besides their socket. */
export interface OptionEnv {
  readonly host: Host;
  readonly profile: WritableProfile;
  /** Sockets answer as those of a BSD: sizes of buffers as they are, other errors in a few places. */
  readonly bsd: boolean;
  /** SO_RCVBUF of sockets that set none. */
  receiveSpace: number;
  /** Keep-alive of sockets that set nothing else: seconds, seconds, probes. */
  keepIdle: number;
  keepInterval: number;
  keepCount: number;
  /** The machine is a recent one, by the defaults of a suite; a few calls answer otherwise on older ones. */
  recent: boolean;
}

/** Sets an option. Throws `CallError`. */
export function setOption(env: OptionEnv, s: Socket, level: number, name: number, value: Uint8Array): void {
  const number = value.length >= 4 ? view(value).getInt32(0, true) : value.length > 0 ? (value[0] ?? 0) : Number.NaN;
  if (Number.isNaN(number)) throw new CallError(E.EINVAL);
  if (level === SOL_SOCKET && setSocketOption(env, s, name, number, value)) return;
  if (level === SOL_TCP && setTcpOption(env, s, name, number, value)) return;
  const key = (level << 16) | name;
  if (!KEPT.has(key)) throw new CallError(E.ENOPROTOOPT);
  s.options.other.set(key, value.slice());
}

function setSocketOption(env: OptionEnv, s: Socket, name: number, number: number, value: Uint8Array): boolean {
  const { options } = s;
  switch (name) {
    case SO.REUSEADDR:
      options.reuseAddress = number !== 0;
      return true;
    case SO.SNDBUF:
    case SO.SNDBUFFORCE:
      options.sendBuffer = env.bsd ? number : Math.max(2 * number, LEAST_SEND_BUFFER);
      s.connection?.setSendBuffer(options.sendBuffer);
      return true;
    case SO.RCVBUF:
    case SO.RCVBUFFORCE:
      options.receiveBuffer = env.bsd ? number : Math.max(2 * number, LEAST_RECEIVE_BUFFER);
      s.connection?.setReceiveBuffer(windowOf(env, options));
      if (s.listener !== null) s.listener.receiveBuffer = windowOf(env, options);
      return true;
    case SO.KEEPALIVE:
      options.keepAlive = number !== 0;
      applyLiveness(env, s);
      return true;
    case SO.LINGER:
      if (value.length < 8) throw new CallError(E.EINVAL);
      options.linger = number === 0 ? -1 : view(value).getInt32(4, true);
      s.connection?.setAbortOnClose(options.linger === 0);
      return true;
    case SO.RCVLOWAT:
      options.receiveLowWater = Math.max(number, 1);
      return true;
    case SO.RCVTIMEO:
      options.receiveTimeout = timeval(value);
      return true;
    case SO.SNDTIMEO:
      options.sendTimeout = timeval(value);
      return true;
    default:
      return false;
  }
}

/** What of a receive buffer the window may use: half of it is for headers and bookkeeping in Linux, nothing in a BSD. */
function windowOf(env: OptionEnv, { receiveBuffer }: SocketOptions): number {
  return env.bsd ? receiveBuffer : receiveBuffer >> 1;
}

function timeval(value: Uint8Array): number {
  if (value.length < 16) throw new CallError(E.EINVAL);
  const v = view(value);
  const micros = Number(v.getBigInt64(8, true));
  if (micros < 0 || micros >= 1_000_000) throw new CallError(E.EDOM);
  return Number(v.getBigInt64(0, true)) * 1000 + micros / 1000;
}

function setTcpOption(env: OptionEnv, s: Socket, name: number, number: number, value: Uint8Array): boolean {
  const { options } = s;
  switch (name) {
    case TCP.NODELAY:
      options.noDelay = number !== 0;
      s.connection?.setNoDelay(options.noDelay);
      // Linux pushes what a cork held back as well.
      if (options.noDelay) s.connection?.setCork(false);
      return true;
    case TCP.MAXSEG:
      if (number !== 0 && (number < 88 || number > 32_767)) throw new CallError(E.EINVAL);
      options.maxSegment = number;
      if (s.listener !== null) s.listener.maxSegment = number;
      return true;
    case TCP.CORK:
      options.cork = number !== 0;
      s.connection?.setCork(options.cork);
      return true;
    case TCP.KEEPIDLE:
    case TCP.KEEPINTVL:
    case TCP.KEEPCNT:
      return setKeepAlive(env, s, name, number);
    case TCP.LINGER2:
      options.linger2 = number;
      applyLinger2(env, s);
      return true;
    case TCP.QUICKACK:
      options.quickAck = number !== 0;
      s.connection?.setQuickAck(options.quickAck);
      return true;
    case TCP.SYNCNT:
      if (number < 1 || number > 127) throw new CallError(E.EINVAL);
      options.synCount = number;
      s.connection?.setSynRetries(number);
      return true;
    case TCP.DEFER_ACCEPT:
      options.deferAccept = Math.max(number, 0) * 1000;
      s.listener?.deferAccept(options.deferAccept);
      return true;
    case TCP.CONGESTION:
      return setCongestion(env, value);
    case TCP.USER_TIMEOUT:
      if (number < 0) throw new CallError(E.EINVAL);
      options.userTimeout = number;
      s.connection?.setUserTimeout(number);
      return true;
    case TCP.NOTSENT_LOWAT:
      options.notSentLowWater = number;
      applyLowWater(env, s);
      return true;
    case TCP.FASTOPEN:
      if (number < 0 || s.connection !== null) throw new CallError(E.EINVAL);
      options.fastOpen = number;
      if (s.listener?.fastOpen) s.listener.fastOpen.limit = fastOpenLimit(env, s, s.listener.backlog);
      return true;
    case TCP.FASTOPEN_CONNECT:
      if (number < 0 || number > 1 || s.connection !== null || s.listener !== null) throw new CallError(E.EINVAL);
      if ((env.profile.fastOpen & FAST_OPEN_CLIENT) === 0) throw new CallError(E.EOPNOTSUPP);
      options.fastOpenConnect = number !== 0;
      return true;
    case TCP.INQ:
      if (number < 0 || number > 1) throw new CallError(E.EINVAL);
      options.inq = number !== 0;
      return true;
    default:
      return false;
  }
}

function setKeepAlive(env: OptionEnv, s: Socket, name: number, number: number): boolean {
  const most = name === TCP.KEEPCNT ? 127 : 32_767;
  if (number < 1 || number > most) throw new CallError(E.EINVAL);
  const { options } = s;
  if (name === TCP.KEEPIDLE) options.keepIdle = number;
  else if (name === TCP.KEEPINTVL) options.keepInterval = number;
  else options.keepCount = number;
  applyLiveness(env, s);
  return true;
}

function setCongestion(env: OptionEnv, value: Uint8Array): boolean {
  let name = '';
  for (const octet of value) {
    if (octet === 0) break;
    name += String.fromCharCode(octet);
  }
  if (name !== 'cubic' && name !== 'reno') throw new CallError(E.ENOENT);
  env.profile.congestionControl = name === 'reno' ? newReno : integerCubic;
  return true;
}

/** 0 leaves it to the system's value. */
function applyLinger2(env: OptionEnv, s: Socket): void {
  const { linger2 } = s.options;
  if (s.connection !== null && linger2 >= 0)
    s.connection.ownRare().finWaitTime = linger2 > 0 ? linger2 * 1000 : env.profile.finWait2;
}

/** 0 leaves it to the system's value, and what is too large for an int is no limit. */
function applyLowWater(env: OptionEnv, s: Socket): void {
  const { notSentLowWater } = s.options;
  const octets = notSentLowWater === 0 ? env.profile.notSentLowWater : notSentLowWater;
  s.connection?.setNotSentLowWater(octets > 0 ? octets : -1);
}

function applyLiveness(env: OptionEnv, s: Socket): void {
  const { keepAlive } = s.options;
  const keepIdle = s.options.keepIdle || env.keepIdle;
  const keepInterval = s.options.keepInterval || env.keepInterval;
  const keepCount = s.options.keepCount || env.keepCount;
  if (s.connection === null || (!keepAlive && s.connection.liveness === null)) return;
  s.connection.setKeepAlive(keepAlive, keepIdle * 1000, keepInterval * 1000, keepCount);
}

/** Brings the options of a socket to the connection it has just got. */
export function applyOptions(env: OptionEnv, s: Socket): void {
  const c = s.connection;
  if (c === null) return;
  const o: SocketOptions = s.options;
  if (o.noDelay) c.setNoDelay(true);
  if (o.cork) c.setCork(true);
  if (o.linger === 0) c.setAbortOnClose(true);
  if (o.synCount > 0) c.setSynRetries(o.synCount);
  if (o.userTimeout > 0) c.setUserTimeout(o.userTimeout);
  if (o.keepAlive) applyLiveness(env, s);
  applyLinger2(env, s);
  if (o.sendBuffer > 0) c.setSendBuffer(o.sendBuffer);
  // A size that was asked for does not grow by itself.
  if (o.receiveBuffer > 0) c.setReceiveBuffer(windowOf(env, o));
  if (o.notSentLowWater !== 0) c.setNotSentLowWater(o.notSentLowWater > 0 ? o.notSentLowWater : -1);
}

/** Listeners that do not ask for fast open have it all the same (net.ipv4.tcp_fastopen). */
const EVERY_LISTENER = 0x400;

/** Pending fast openings that a listener allows. */
export function fastOpenLimit({ profile }: OptionEnv, s: Socket, backlog: number): number {
  if ((profile.fastOpen & FAST_OPEN_SERVER) === 0) return 0;
  const asked = s.options.fastOpen;
  if (asked >= 0) return Math.min(asked, backlog);
  return (profile.fastOpen & EVERY_LISTENER) !== 0 ? backlog : 0;
}

/** What of a socket's options counts from the SYN on, as `Host.listen` and `Host.connect` take it. */
export function openingOptions(env: OptionEnv, s: Socket): { receiveBuffer?: number; maxSegment?: number } {
  const { receiveBuffer, maxSegment } = s.options;
  return {
    ...(receiveBuffer > 0 ? { receiveBuffer: windowOf(env, s.options) } : {}),
    ...(maxSegment > 0 ? { maxSegment } : {}),
  };
}

/** The value of an option. Throws `CallError`. */
export function getOption(env: OptionEnv, s: Socket, level: number, name: number): Uint8Array {
  const value =
    level === SOL_SOCKET ? getSocketOption(env, s, name) : level === SOL_TCP ? getTcpOption(env, s, name) : null;
  if (value !== null) return value;
  const key = (level << 16) | name;
  const kept = s.options.other.get(key);
  if (kept !== undefined) return kept;
  if (!KEPT.has(key)) throw new CallError(E.ENOPROTOOPT);
  return int32(0);
}

function getSocketOption(env: OptionEnv, s: Socket, name: number): Uint8Array | null {
  const o = s.options;
  switch (name) {
    case SO.REUSEADDR:
      return int32(o.reuseAddress ? 1 : 0);
    case SO.TYPE:
      return int32(1);
    case SO.ERROR: {
      const { error } = s;
      s.error = 0;
      return int32(error);
    }
    case SO.SNDBUF:
      return int32(wholeSegments(env, s, o.sendBuffer < 0 ? env.profile.sendBuffer : o.sendBuffer));
    case SO.RCVBUF:
      return int32(wholeSegments(env, s, o.receiveBuffer < 0 ? env.receiveSpace : o.receiveBuffer));
    case SO.KEEPALIVE:
      return int32(o.keepAlive ? 1 : 0);
    case SO.LINGER: {
      const out = new Uint8Array(8);
      view(out).setInt32(0, o.linger < 0 ? 0 : 1, true);
      view(out).setInt32(4, Math.max(o.linger, 0), true);
      return out;
    }
    case SO.RCVLOWAT:
      return int32(o.receiveLowWater);
    case SO.ACCEPTCONN:
      return int32(s.listener === null ? 0 : 1);
    case SO.PROTOCOL:
      return int32(6);
    case SO.DOMAIN:
      return int32(s.family);
    default:
      return null;
  }
}

/** A BSD rounds the buffers of a connection up to whole segments, once their size is known. */
function wholeSegments({ bsd }: OptionEnv, { connection: c }: Socket, octets: number): number {
  if (!bsd || c === null || !c.isSynchronised()) return octets;
  const segment = c.snd.mss + (c.snd.tsOk ? TIMESTAMP_OCTETS : 0);
  return Math.ceil(octets / segment) * segment;
}

function getTcpOption(env: OptionEnv, s: Socket, name: number): Uint8Array | null {
  const o = s.options;
  const c = s.connection;
  switch (name) {
    case TCP.NODELAY:
      return int32(o.noDelay ? 1 : 0);
    case TCP.MAXSEG:
      // A socket without a connection reports what it was given, or the default; older machines the default always.
      if (c === null || c.state === 'CLOSED') {
        return int32(o.maxSegment > 0 && env.recent ? o.maxSegment : env.profile.defaultMss4);
      }
      return int32(c.snd.mss);
    case TCP.CORK:
      return int32(o.cork ? 1 : 0);
    case TCP.KEEPIDLE:
      return int32(o.keepIdle || env.keepIdle);
    case TCP.KEEPINTVL:
      return int32(o.keepInterval || env.keepInterval);
    case TCP.KEEPCNT:
      return int32(o.keepCount || env.keepCount);
    case TCP.SYNCNT:
      return int32(o.synCount > 0 ? o.synCount : env.profile.synRetries);
    case TCP.DEFER_ACCEPT:
      // Linux keeps the timeouts that a wait is made of, and reports their sum, in seconds.
      return int32(Math.round(deferralOf(env.profile, o.deferAccept).time / 1000));
    case TCP.LINGER2:
      return int32(o.linger2 < 0 ? Math.round(env.profile.finWait2 / 1000) : o.linger2);
    case TCP.QUICKACK:
      return int32(o.quickAck ? 1 : 0);
    case TCP.CONGESTION: {
      const text = env.profile.congestionControl === newReno ? 'reno' : 'cubic';
      return Uint8Array.from({ length: 16 }, (_, i) => (i < text.length ? text.charCodeAt(i) : 0));
    }
    case TCP.USER_TIMEOUT:
      return int32(o.userTimeout);
    case TCP.NOTSENT_LOWAT:
      return int32(o.notSentLowWater);
    case TCP.FASTOPEN:
      return int32(Math.max(o.fastOpen, 0));
    case TCP.FASTOPEN_CONNECT:
      return int32(o.fastOpenConnect ? 1 : 0);
    case TCP.INQ:
      return int32(o.inq ? 1 : 0);
    default:
      return null;
  }
}
