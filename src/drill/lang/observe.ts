// Watches a run: which event of RFC 9293 §3.10 found the host in which state.
//
// The state is read from the host at the moment of the event, and what a segment is (an old one, a RST outside of
// the window) follows from the numbers of the connection at that moment; nothing is taken from what a script claims.

import type { State } from '../../base/state.ts';
import type { TraceEvent } from '../../base/trace.ts';
import type { Connection } from '../../sim/index.ts';
import { ACK, FIN, RST, SYN, URG } from '../../wire/tcp.ts';
import type { Session } from '../session.ts';
import type { Conversation } from './conversation.ts';
import type { CallSpec, TcpSpec } from './script.ts';

/** The calls of RFC 9293 §3.10.1 to §3.10.6, the parts of SEGMENT ARRIVES (§3.10.7), and the timeouts (§3.10.8). */
export type Happening =
  | 'OPEN'
  | 'SEND'
  | 'RECEIVE'
  | 'CLOSE'
  | 'ABORT'
  | 'STATUS'
  | 'out of window'
  | 'RST'
  | 'RST not exact'
  | 'SYN'
  | 'no ACK'
  | 'ACK'
  | 'ACK old'
  | 'ACK too new'
  | 'URG'
  | 'text'
  | 'FIN'
  | 'USER TIMEOUT'
  | 'RETRANSMISSION TIMEOUT'
  | 'TIME-WAIT TIMEOUT';

/** One event, and the state in which it found the host. */
export interface Observation {
  readonly line: number;
  readonly state: State;
  readonly happening: Happening;
}

const SENDING = new Set(['write', 'writev', 'send', 'sendto', 'sendmsg']);
const RECEIVING = new Set(['read', 'readv', 'recv', 'recvfrom', 'recvmsg']);
const TIMERS: Readonly<Record<string, Happening>> = {
  retransmit: 'RETRANSMISSION TIMEOUT',
  '2msl': 'TIME-WAIT TIMEOUT',
};

/** Collects observations of one session. */
export class Observer {
  readonly observed: Observation[] = [];
  readonly #session: Session;
  /** The state of each connection, by its number within the host. */
  readonly #states: Map<number, State> = new Map();
  #line = 0;

  /** @param session asked for its host and its sockets at every event */
  constructor(session: Session) {
    this.#session = session;
  }

  /** Takes what the host tells of itself: its timers are events too. */
  trace(event: TraceEvent): void {
    if (event.type === 'state') {
      this.#states.set(event.conn, event.to);
      // Given up: by the user timeout, or by the retransmissions that it comes down to (RFC 9293 §3.8.3, R2).
      if (event.cause === 'timeout') this.#note('USER TIMEOUT', event.from);
    }
    if (event.type !== 'timer') return;
    const happening = TIMERS[event.timer];
    if (happening !== undefined) this.#note(happening, this.#states.get(event.conn) ?? 'CLOSED');
  }

  #stateOf(fd: number): State {
    const socket = this.#session.calls?.socketAt(fd) ?? null;
    if (socket === null) return 'CLOSED';
    return socket.listener === null ? (socket.connection?.state ?? 'CLOSED') : 'LISTEN';
  }

  /** Closing resets: SO_LINGER of no time, or octets that nobody has read. */
  #aborts(fd: number): boolean {
    const socket = this.#session.calls?.socketAt(fd) ?? null;
    return socket !== null && (socket.options.linger === 0 || (socket.connection?.readable ?? 0) > 0);
  }

  /** A call is about to be made. */
  call(line: number, call: CallSpec, fd: number): void {
    this.#line = line;
    const state = this.#stateOf(fd);
    const { name } = call;
    if (name === 'connect' || name === 'listen') this.#note(isDisconnect(call) ? 'ABORT' : 'OPEN', state);
    else if (SENDING.has(name)) this.#note('SEND', state);
    else if (RECEIVING.has(name)) this.#note('RECEIVE', state);
    else if (name === 'shutdown') this.#note('CLOSE', state);
    else if (name === 'close') this.#note(this.#aborts(fd) ? 'ABORT' : 'CLOSE', state);
    else if (name === 'getsockopt') this.status(line, fd);
  }

  /** The host is asked about a connection. */
  status(line: number, fd: number): void {
    this.#line = line;
    this.#note('STATUS', this.#stateOf(fd));
  }

  /** A segment is about to arrive. */
  segment(line: number, of: Conversation, spec: TcpSpec): void {
    this.#line = line;
    const localPort = spec.dstPort > 0 ? spec.dstPort : of.localPort;
    const remotePort = spec.srcPort > 0 ? spec.srcPort : of.remotePort;
    const { host } = this.#session;
    const c = host?.connections().find((one) => one.localPort === localPort && one.remotePort === remotePort) ?? null;
    const listens = host?.ports.listeners().some((one) => one.port === localPort) ?? false;
    const state = c?.state ?? (listens ? 'LISTEN' : 'CLOSED');
    for (const happening of c === null ? plainParts(spec) : partsFor(c, state, of, spec)) this.#note(happening, state);
  }

  #note(happening: Happening, state: State): void {
    this.observed.push({ line: this.#line, state, happening });
  }
}

function isDisconnect(call: CallSpec): boolean {
  const [, to] = call.args;
  const family = to?.kind === 'struct' ? to.fields.find((f) => f.name === 'sa_family')?.value : undefined;
  return family?.kind === 'name' && family.name === 'AF_UNSPEC';
}

/** What a segment is to a host without a connection for it (RFC 9293 §3.10.7.1, §3.10.7.2). */
function plainParts(spec: TcpSpec): Happening[] {
  if ((spec.flags & RST) !== 0) return ['RST'];
  const parts: Happening[] = [];
  if ((spec.flags & ACK) !== 0) parts.push('ACK');
  if ((spec.flags & SYN) !== 0) parts.push('SYN');
  if ((spec.flags & URG) !== 0) parts.push('URG');
  if ((spec.flags & (SYN | ACK)) === 0) parts.push('no ACK');
  if (spec.length > 0) parts.push('text');
  if ((spec.flags & FIN) !== 0) parts.push('FIN');
  return parts;
}

/** What a segment is to a connection, check by check as RFC 9293 §3.10.7.3 and §3.10.7.4 have them. */
function partsFor(c: Connection, state: State, of: Conversation, spec: TcpSpec): Happening[] {
  const ack = of.live(spec.ack);
  const hasAck = (spec.flags & ACK) !== 0;
  const parts: Happening[] = [];
  if (state !== 'SYN-SENT') {
    const length = spec.length + ((spec.flags & SYN) >> 1) + (spec.flags & FIN);
    const first = (spec.seq - c.rcv.nxt) | 0;
    const acceptable =
      c.rcv.wnd === 0
        ? length === 0 && first === 0
        : (first >= 0 && first < c.rcv.wnd) || (length > 0 && first + length > 0 && first < c.rcv.wnd);
    // The only thing that is expected in TIME-WAIT is the peer's FIN again, which lies in front of the window.
    if (!acceptable && state === 'TIME-WAIT' && (spec.flags & FIN) !== 0) return ['out of window', 'FIN'];
    if (!acceptable) return ['out of window'];
    if ((spec.flags & RST) !== 0) return [first === 0 ? 'RST' : 'RST not exact'];
    if ((spec.flags & SYN) !== 0) return ['SYN'];
    if (!hasAck) return ['no ACK'];
  }
  if (hasAck) {
    if (((ack - c.snd.nxt) | 0) > 0) return ['ACK too new'];
    const old = state === 'SYN-SENT' ? ((ack - c.snd.iss) | 0) <= 0 : ((ack - c.snd.una) | 0) <= 0;
    parts.push(old ? 'ACK old' : 'ACK');
    if (state === 'SYN-SENT' && old) return parts;
  } else parts.push('no ACK');
  if ((spec.flags & RST) !== 0) parts.push('RST');
  else {
    if ((spec.flags & SYN) !== 0) parts.push('SYN');
    if ((spec.flags & URG) !== 0) parts.push('URG');
    if (spec.length > 0) parts.push('text');
    if ((spec.flags & FIN) !== 0) parts.push('FIN');
  }
  return parts;
}
