// One TCP connection: its commands, and the one place where its state changes. What it remembers is in tcb.ts.
//
// Four kinds of methods, as a sans-I/O machine has them:
//  - getters, which change nothing;
//  - inputs: `segmentArrives` (arrives.ts), `timersFire` (timeouts.ts), `unreachable`;
//  - commands of the program: `send`, `shutdown`, `abort`, `read`, `consume`;
//  - outputs: `transmit` (output.ts) and `nextDeadline`, which ask the same `whatToSend`, and `events`.
// Inputs and commands call no user code and send nothing: they change variables and tell the host
// (`env.touch`, `env.announce`). Spurious calls are no-ops. Time never goes back between calls.

import type { CongestionControl } from '../base/congestion.ts';
import { NetError, type NetErrorCode, StateError } from '../base/errors.ts';
import { SendQueue } from '../base/send-queue.ts';
import { seqDiff, seqGt } from '../base/seq.ts';
import { type Cause, isEdge, type State } from '../base/state.ts';
import type { ByteStream, StreamHandler } from '../base/stream.ts';
import type { CongestionEvent } from '../base/trace.ts';
import { growReceiveBuffer, isRoomy, sendLimit, sendMemory, tellOfRoom } from './autotune.ts';
import { armKeepAlive, Liveness } from './liveness.ts';
import { NOTHING, whatToSend } from './output.ts';
import { noteWrite } from './pieces.ts';
import type { Scoreboard } from './scoreboard.ts';
import { Statistics } from './statistics.ts';
import { ControlBlock } from './tcb.ts';
import { NO_TIMERS, OFF, Timers } from './timers.ts';
import { restartWhenIdle } from './validation.ts';
import { windowUpdateDue } from './window.ts';

/** Bits of `Connection.events`: what the program has not been told yet. */
export const EVENT_OPEN = 1;
export const EVENT_READABLE = 2;
export const EVENT_WRITABLE = 4;
export const EVENT_CLOSE = 8;
export const EVENT_TROUBLE = 16;
export const EVENT_URGENT = 32;

/** Rows of deadlines that a host keeps for the next connection that arms one: those of a busy host take turns. */
const ROWS_KEPT = 256;

const NO_OCTETS = new Uint8Array(0);

/** A TCP connection (RFC 9293), one end. Made by `Host.connect` and by listeners. */
export class Connection extends ControlBlock implements ByteStream {
  #state: State = 'CLOSED';
  #handler: StreamHandler | null = null;

  get handler(): StreamHandler | null {
    return this.#handler;
  }

  /** A handler that comes late, or takes over from another, is told of what is there to read. */
  set handler(handler: StreamHandler | null) {
    this.#handler = handler;
    if (handler === null) return;
    if (this.readable > 0 || this.rcv.finished) this.events |= EVENT_READABLE;
    if (this.events !== 0) this.env.announce(this);
  }

  // --- getters ---

  /** The state, spelled as RFC 9293 §3.3.2 spells it. */
  get state(): State {
    if (this.folded && !this.env.stillWaits(this)) {
      // The TIME-WAIT that the host kept without this object has ended.
      this.folded = false;
      this.timers.clear();
      this.#state = 'CLOSED';
    }
    return this.#state;
  }

  get localAddress(): string {
    return this.addressing.local.toString();
  }

  get localPort(): number {
    return this.addressing.localPort;
  }

  get remoteAddress(): string {
    return this.addressing.remote.toString();
  }

  get remotePort(): number {
    return this.addressing.remotePort;
  }

  get readable(): number {
    return this.receiveBuffer === null ? 0 : this.receiveBuffer.readable;
  }

  get ended(): boolean {
    return this.rcv.finished && this.readable === 0;
  }

  /**
   * Octets up to the end of what the peer called urgent, those included that have not come yet; 0 when there are none.
   * They are read in line, like all others (RFC 9293 §3.8.5, RFC 6093).
   */
  get urgent(): number {
    const { rcv, readable } = this;
    if (!rcv.hasUp) return 0;
    const left = Math.max(seqDiff(rcv.up, (rcv.nxt - (rcv.finished ? 1 : 0) - readable) | 0), 0);
    return rcv.finished ? Math.min(left, readable) : left;
  }

  get writable(): number {
    if (this.snd.finQueued || !this.isOpen()) return 0;
    let room = sendLimit(this) - sendMemory(this);
    const low = this.notSentLowWater;
    if (low >= 0) room = Math.min(room, low - this.unsent);
    return Math.max(room, 0);
  }

  /** @internal There is so much room to write that a program that waits for it is told. */
  get roomy(): boolean {
    return this.isOpen() && !this.snd.finQueued && isRoomy(this);
  }

  /** Octets written and not yet acknowledged. */
  get queued(): number {
    return this.sendQueue === null ? 0 : this.sendQueue.length;
  }

  /** Octets written that were never sent. */
  get unsent(): number {
    const sent = seqDiff(this.snd.nxt, this.snd.base);
    const unsent = this.queued - Math.max(sent, 0);
    return Math.max(unsent, 0);
  }

  /** Sequence numbers sent and not yet acknowledged (RFC 5681 §2). */
  get flightSize(): number {
    return (this.snd.nxt - this.snd.una) | 0;
  }

  /** @internal Octets in the network, as far as is known (RFC 6675 §4, the pipe). */
  get inFlight(): number {
    const { board, flightSize } = this;
    if (board === null) return flightSize;
    return this.env.profile.countSegments ? board.segmentsInFlight * this.snd.mss : board.pipe(flightSize);
  }

  /** @internal What is sent and not acknowledged takes so much of the congestion window. */
  get charged(): number {
    const { board } = this;
    return board !== null && this.env.profile.countSegments ? board.count * this.snd.mss : this.flightSize;
  }

  /** @internal What a segment with `octets` of text takes of the congestion window. */
  chargeOf(octets: number): number {
    return this.env.profile.countSegments ? this.snd.mss : octets;
  }

  /** @internal Sequence number just past the last octet written; a queued FIN has this number. */
  get dataEnd(): number {
    return (this.snd.base + this.queued) | 0;
  }

  /** @internal Our FIN has been sent at least once. */
  get finSent(): boolean {
    return this.snd.finQueued && seqGt(this.snd.nxt, this.dataEnd);
  }

  /** @internal Our FIN has been acknowledged. */
  get finAcked(): boolean {
    return this.snd.finQueued && seqGt(this.snd.una, this.dataEnd);
  }

  /** @internal Whether text may still be sent in this state, or queued for it. */
  isOpen(): boolean {
    const s = this.#state;
    return s === 'ESTABLISHED' || s === 'CLOSE-WAIT' || s === 'SYN-SENT' || s === 'SYN-RECEIVED';
  }

  /** @internal Past the handshake (RFC 9293 §3.3.2: a synchronised state). */
  isSynchronised(): boolean {
    const s = this.#state;
    return s !== 'CLOSED' && s !== 'LISTEN' && s !== 'SYN-SENT' && s !== 'SYN-RECEIVED';
  }

  /** When this connection next wants attention: `now` or earlier when it has something to send. */
  nextDeadline(): number {
    return whatToSend(this) === NOTHING ? this.timers.earliest : Number.NEGATIVE_INFINITY;
  }

  // --- commands ---

  /** Turns Nagle's algorithm off (`true`) or on again. */
  setNoDelay(on: boolean): void {
    this.env.begin();
    this.noDelay = on;
    if (on) this.releasedTo = this.dataEnd;
    this.env.touch(this);
  }

  /**
   * Lets another algorithm govern the congestion window from now on (TCP_CONGESTION): it starts from the window and the
   * threshold as they are, and what it knew of the path is learnt anew.
   */
  setCongestionControl(control: CongestionControl): void {
    const { cwnd, ssthresh, name } = this.cc;
    const next = control();
    if (next.name === name) return;
    this.env.begin();
    this.cc = next;
    this.cc.opened(this.snd.mss, this.env.profile.initialWindow);
    // Before the connection is open there is no window to hand on.
    if (cwnd > 0) this.cc.cwnd = cwnd;
    this.cc.ssthresh = ssthresh;
    this.env.touch(this);
  }

  /**
   * Sets the size of the receive buffer (SO_RCVBUF), which from then on does not grow by itself. A smaller one offers
   * nothing new until it has drained: the window's right edge, once told, never moves left (RFC 9293 §3.8.6).
   *
   * @param octets 1 and more; anything else is a `RangeError`
   */
  setReceiveBuffer(octets: number): void {
    if (!(octets >= 1)) throw new RangeError(`a receive buffer of ${octets} octets is none`);
    this.env.begin();
    this.receiveLimit = octets;
    this.receiveFixed = true;
    if (!this.ackNow && windowUpdateDue(this)) this.ackNow = true;
    this.env.touch(this);
  }

  /** Holds back small segments (`true`) until there is enough for a full one, or lets them go again (TCP_CORK). */
  setCork(on: boolean): void {
    this.env.begin();
    this.corked = on;
    this.moreFollows = false;
    this.env.touch(this);
  }

  /**
   * Sets the size of the send buffer (SO_SNDBUF), which from then on does not grow by itself.
   *
   * @param octets 1 and more; anything else is a `RangeError`
   */
  setSendBuffer(octets: number): void {
    if (!(octets >= 1)) throw new RangeError(`a send buffer of ${octets} octets is none`);
    this.ownRare().sendFixed = octets;
  }

  /**
   * Takes no more to send while so many octets or more were never sent, and says `onWritable` when it is less than half
   * (TCP_NOTSENT_LOWAT): what is said late can then still be decided late.
   *
   * @param octets 1 and more; -1 for no limit. Anything else is a `RangeError`
   */
  setNotSentLowWater(octets: number): void {
    if (!(octets >= 1 || octets === -1)) throw new RangeError(`a low-water mark of ${octets} octets is none`);
    this.env.begin();
    this.notSentLowWater = octets;
    tellOfRoom(this);
    this.env.touch(this);
  }

  /**
   * As `ByteStream.send`; with `write`, the program says more of it.
   *
   * @param write `WRITE_MORE`: more follows at once, so a small segment waits for it, or until something else happens
   *   (MSG_MORE). `WRITE_ENDS`: a record ends here, and what is written later shares no segment with it (MSG_EOR)
   */
  send(bytes: Uint8Array, from: number, to: number, write = 0): number {
    if (this.snd.finQueued) throw new StateError('send after shutdown: this direction of the connection has ended');
    this.env.begin();
    const offered = to - from;
    if (offered <= 0 || !this.isOpen()) return 0;
    restartWhenIdle(this);
    let count: number;
    const { superSegments } = this.env;
    if (superSegments !== null) count = superSegments.take(this, offered, write);
    else {
      count = Math.min(offered, this.writable);
      if (write !== 0 || this.pieces !== null) noteWrite(this, count, count < offered, write);
    }
    if (count < offered) this.wantsWritable = true;
    if (count <= 0) return 0;
    this.sendQueue ??= new SendQueue();
    this.sendQueue.grain = this.snd.mss;
    this.sendQueue.push(bytes, from, from + count);
    this.written += count;
    this.env.touch(this);
    return count;
  }

  /**
   * CLOSE of RFC 9293 §3.10.4, for our direction only: what was written still goes out, then a FIN.
   *
   * Before the handshake is over the FIN waits for ESTABLISHED, as §3.10.4 says for SYN-RECEIVED. For
   * SYN-SENT it says "delete the TCB", which is what `abort` does; a program that connects, writes and ends in
   * one breath means that its octets should arrive.
   */
  shutdown(): void {
    if (this.snd.finQueued || !this.isOpen()) return;
    this.env.begin();
    this.snd.finQueued = true;
    this.wantsWritable = false;
    this.closeOurs();
    this.env.touch(this);
  }

  /** @internal Follows a queued FIN into the next state, once there is one. */
  closeOurs(): void {
    if (!this.snd.finQueued) return;
    if (this.#state === 'CLOSE-WAIT') this.enter('LAST-ACK', 'CLOSE');
    else if (this.#state === 'ESTABLISHED') this.enter('FIN-WAIT-1', 'CLOSE');
  }

  /**
   * Ends both directions for the program: nothing is read any more, what was written still goes out, then a FIN. Octets
   * that were not read, or that come later, are answered with a RST, so that the peer learns that they were lost.
   */
  close(): void {
    if (this.#state === 'CLOSED' || this.orphan) return;
    this.env.begin();
    if (this.#state === 'SYN-SENT') {
      // "Delete the TCB and return 'error: closing' to any queued SENDs" (RFC 9293 §3.10.4).
      this.finish('CLOSE', null);
      return;
    }
    const aborts = this.rare.linger === 0;
    if (aborts || (this.readable > 0 && this.env.profile.resetOnUnread)) {
      if (aborts) this.env.counts.abortedOnLinger++;
      else this.env.counts.abortedOnData++;
      this.abort();
      return;
    }
    this.orphan = true;
    this.env.orphaned(this);
    this.shutdown();
    if (this.#state === 'FIN-WAIT-2') waitForFin(this);
    this.env.touch(this);
  }

  /** What `close` does with what was not sent: `true` drops it and resets, as SO_LINGER with 0 does. */
  setAbortOnClose(on: boolean): void {
    this.ownRare().linger = on ? 0 : -1;
  }

  /**
   * Asks an idle peer whether it is still there (RFC 9293 §3.8.4); off by default.
   *
   * @param idle ms without a segment before the first probe; 2 hours by default
   * @param interval ms between probes; 75 s by default
   * @param count probes without an answer before ETIMEDOUT; 9 by default
   */
  setKeepAlive(on: boolean, idle = 7_200_000, interval = 75_000, count = 9): void {
    if (!(idle > 0 && interval > 0 && count >= 1)) throw new RangeError('keep-alive needs positive times and a count');
    this.env.begin();
    const liveness = ownLiveness(this);
    liveness.keepAlive = on;
    liveness.idle = idle;
    liveness.interval = interval;
    liveness.count = count;
    liveness.heard = this.env.now;
    liveness.probes = 0;
    armKeepAlive(this);
    this.env.touch(this);
  }

  /** How long, in ms, data may stay unacknowledged before ETIMEDOUT (RFC 9293 §3.8.3); 0 leaves it to the retries. */
  setUserTimeout(timeout: number): void {
    if (!(timeout >= 0)) throw new RangeError(`a user timeout of ${timeout} ms is none`);
    ownLiveness(this).userTimeout = timeout;
  }

  /** How often our SYN is tried again before ETIMEDOUT (TCP_SYNCNT), 0 to 255; by default the profile's `synRetries`. */
  setSynRetries(count: number): void {
    if (!(Number.isInteger(count) && count >= 0 && count <= 255)) throw new RangeError(`${count} retries are none`);
    ownLiveness(this).synRetries = count;
  }

  /** @internal The peer has our SYN,ACK, which is not repeated for so many timeouts. */
  awaitText(timeouts: number): void {
    ownLiveness(this).deferral = timeouts;
  }

  /**
   * What acknowledgements of data do from now on: they go at once for a while, and so does one that waits; or they wait for
   * company (TCP_QUICKACK). Data that comes after a pause is acknowledged quickly again.
   */
  setQuickAck(on: boolean): void {
    this.env.begin();
    this.quickAcks = on ? this.env.profile.quickAcks : 0;
    this.dialogue = !on;
    if (on && this.timers.delayedAck !== OFF) this.ackNow = true;
    this.env.touch(this);
  }

  /**
   * Sets the Differentiated Services codepoint of every segment from the next one on (RFC 9293 §3.9.1.9, RFC 2474 §3).
   *
   * @param codepoint 0 to 63; 0 is best effort and the default. Anything else is a `RangeError`
   */
  setDiffserv(codepoint: number): void {
    if (!Number.isInteger(codepoint) || codepoint < 0 || codepoint > 63) {
      throw new RangeError(`a Differentiated Services codepoint of ${codepoint} is not in 0..63`);
    }
    this.ownRare().diffserv = codepoint;
  }

  /** ABORT of RFC 9293 §3.10.5: everything queued is lost, the peer gets a RST where it would notice. */
  abort(): void {
    const s = this.state;
    if (s === 'CLOSED') return;
    this.env.begin();
    const tells =
      s === 'SYN-RECEIVED' || s === 'ESTABLISHED' || s === 'FIN-WAIT-1' || s === 'FIN-WAIT-2' || s === 'CLOSE-WAIT';
    this.resetDue = tells;
    this.finish('ABORT', null);
    // Who aborts reads no more.
    this.receiveBuffer?.clear();
  }

  peek(): Uint8Array {
    return this.receiveBuffer === null ? NO_OCTETS : this.receiveBuffer.peek();
  }

  consume(count: number): void {
    if (this.receiveBuffer === null || count === 0) return;
    this.receiveBuffer.consume(count);
    consumed(this, count);
  }

  read(into: Uint8Array, from: number, to: number): number {
    if (this.receiveBuffer === null) return 0;
    const count = this.receiveBuffer.read(into, from, to);
    if (count > 0) consumed(this, count);
    return count;
  }

  // --- the machine's own ---

  /** @internal Our timestamp clock: milliseconds, from an offset of the connection's own (RFC 7323 §5.4). */
  timestamp(): number {
    return (Math.floor(this.env.now) + this.snd.tsOffset) | 0;
  }

  /** @internal Its figures, made when there is something to tell. */
  count(): Statistics {
    if (this.statistics !== null) return this.statistics;
    this.statistics = new Statistics();
    this.statistics.smallEnd = this.snd.una;
    this.statistics.account(0, this.env.now);
    return this.statistics;
  }

  /** @internal The row to arm a deadline in, borrowed from the host when there was none. */
  arm(): Timers {
    if (this.timers !== NO_TIMERS) return this.timers;
    const row = this.env.timerRows.pop() ?? new Timers();
    row.rack.begin(this.rtt.latest);
    this.timers = row;
    return row;
  }

  /** @internal Nothing is armed: the row goes back, unless it holds what may matter later. */
  disarm(): void {
    const { timers } = this;
    if (timers === NO_TIMERS || !timers.recovery.isIdle || !timers.rack.isIdle(this.rtt.latest)) return;
    this.timers = NO_TIMERS;
    timers.reset();
    if (this.env.timerRows.length < ROWS_KEPT) this.env.timerRows.push(timers);
  }

  /** @internal The scoreboard, borrowed from the host when there was none. */
  takeBoard(): Scoreboard {
    this.board ??= this.env.boards.take();
    if (this.board.count === 0) this.board.fack = this.snd.una;
    this.arm();
    return this.board;
  }

  /** @internal Nothing is in flight: the scoreboard goes back. */
  releaseBoard(): void {
    const { board } = this;
    this.timers.reorder = Number.POSITIVE_INFINITY;
    this.timers.probe = Number.POSITIVE_INFINITY;
    this.tailProbeDue = false;
    if (board === null) return;
    this.board = null;
    this.env.boards.give(board);
  }

  /** @internal It goes on elsewhere: nothing is sent, and nobody here hears of it again. */
  leave(): void {
    this.handler = null;
    this.events = 0;
    this.closeAnnounced = true;
    this.receiveBuffer?.clear();
    this.finish('snapshot', null);
  }

  /** @internal A connection that was kept in another form comes back in this state; nothing happened, so nobody is told. */
  adopt(state: State): void {
    this.#state = state;
  }

  /** @internal The only place where the state changes. */
  enter(to: State, cause: Cause): void {
    const from = this.#state;
    if (!isEdge(from, to, cause)) throw new StateError(`no edge ${from} -> ${to} (${cause})`);
    this.#state = to;
    const { trace } = this.env;
    if (trace !== null) {
      trace({ type: 'state', at: this.env.now, host: this.env.name, conn: this.id, from, to, cause });
    }
    if (to === 'TIME-WAIT') this.startTimeWait(false);
    else if (to === 'FIN-WAIT-2' && this.orphan) waitForFin(this);
    if (this.liveness !== null && to === 'ESTABLISHED') armKeepAlive(this);
    if (to === 'TIME-WAIT' || to === 'CLOSED') announceClose(this);
    this.env.moved(this, from, cause);
  }

  /** @internal Starts 2MSL, or starts it again (RFC 9293 §3.10.7.4, eighth). */
  startTimeWait(again: boolean): void {
    const { env } = this;
    this.timers.clear();
    const until = env.now + env.profile.timeWait;
    this.arm().timeWait = until;
    if (this.recovery.active) this.recovery.active = false;
    this.releaseBoard();
    if (env.trace !== null) {
      env.trace({ type: 'time-wait', at: env.now, host: env.name, conn: this.id, until, again });
    }
    env.touch(this);
  }

  /** @internal The end, in any state: nothing stays armed, and the program learns why. */
  finish(cause: Cause, error: NetError | null): void {
    if (this.state === 'CLOSED') return;
    if (this.folded) this.env.reclaim(this);
    if (error !== null && !this.closeAnnounced) this.error = error;
    this.timers.clear();
    this.sendQueue?.clear();
    this.pieces = null;
    this.receiveBuffer?.dropPending();
    this.releaseBoard();
    this.ackNow = false;
    this.probeDue = false;
    this.enter('CLOSED', cause);
    this.env.touch(this);
  }

  /**
   * @internal The network says that the peer cannot be reached. While opening that is the answer; later it is a
   * hint, kept for the case that the connection times out (RFC 9293 §3.9.2.2, RFC 5461).
   *
   * @param ends whether an opening ends at once; otherwise when one more such message comes after the third SYN (BSD)
   */
  unreachable(code: NetErrorCode, ends = true): void {
    if (this.#state === 'SYN-SENT' || (this.#state === 'SYN-RECEIVED' && !this.passive)) {
      if (ends || (this.retries > 3 && this.softError !== null)) this.fail(code, 'error');
      else this.ownRare().softError = code;
    } else if (this.isSynchronised()) {
      this.ownRare().softError = code;
      this.report(code);
    }
  }

  /** @internal A soft error, which the program is told of while the connection goes on (RFC 9293 §3.9.1.8). */
  report(code: NetErrorCode): void {
    this.ownRare().trouble = code;
    this.announce(EVENT_TROUBLE);
  }

  /** @internal Ends the connection with an error of this code. */
  fail(code: NetErrorCode, cause: Cause): void {
    const opening = this.#state === 'SYN-SENT' || (this.#state === 'SYN-RECEIVED' && !this.passive);
    if (cause === 'timeout') this.env.counts.abortedOnTimeout++;
    this.finish(
      cause,
      new NetError(
        code,
        opening ? 'connect' : 'read',
        opening ? this.remoteAddress : '',
        opening ? this.remotePort : -1,
      ),
    );
  }

  /** @internal Marks events for the program. */
  announce(events: number): void {
    this.events |= events;
    this.env.announce(this);
  }

  /** @internal There is something new to read, or the end. */
  announceReadable(): void {
    if ((this.events & EVENT_READABLE) === 0) this.announce(EVENT_READABLE);
  }

  /** @internal A RST outside of the connection's own numbering: <SEQ=ack><CTL=RST> (RFC 9293 §3.10.7). */
  resetOutOfBlue(ack: number): void {
    this.env.reset(this, ack);
  }

  /** @internal Tells the trace of the congestion state. */
  traceCongestion(why: CongestionEvent['why']): void {
    const { env } = this;
    if (env.trace === null) return;
    env.trace({
      type: 'congestion',
      at: env.now,
      host: env.name,
      conn: this.id,
      why,
      cwnd: this.cc.cwnd,
      ssthresh: this.cc.ssthresh,
      flightSize: this.flightSize,
      srtt: this.rtt.srtt,
      rto: this.rtt.timeout(env.profile),
    });
  }
}

/** The program has taken octets: the receive buffer and the window may grow. */
function consumed(c: Connection, count: number): void {
  c.delivered += count;
  if (c.rcv.hasUp && c.urgent === 0) c.rcv.hasUp = false;
  growReceiveBuffer(c);
  if (!c.ackNow && windowUpdateDue(c)) {
    c.ackNow = true;
    c.env.touch(c);
  }
}

/** FIN-WAIT-2, and nobody reads what may come: it lasts no longer than it may. */
function waitForFin(c: Connection): void {
  const { finWaitTime } = c.rare;
  c.arm().finWait2 = c.env.now + (finWaitTime < 0 ? c.env.profile.finWait2 : finWaitTime);
}

/** The program is told, once, that it is over. */
function announceClose(c: Connection): void {
  if (c.closeAnnounced) return;
  c.closeAnnounced = true;
  c.announce(EVENT_CLOSE);
}

/** What it has of keep-alive and the user timeout, made when it is first asked for. */
function ownLiveness(c: Connection): Liveness {
  const rare = c.ownRare();
  rare.liveness ??= new Liveness();
  return rare.liveness;
}
