// TCP fast open (RFC 7413): text on a SYN, what the answer to it means, and a connection that is used before its peer was seen.
//
// Both ends keep to the machine of RFC 9293. The asking end sends text in SYN-SENT, in a record of its own behind the SYN, and
// marks it lost where the answer does not take it. The listening end takes text and sends some in SYN-RECEIVED.
// The rest of the room knows this file by its types alone, so that programs without fast open are not made of it.

import { FAST_OPEN_SEND_BARE } from '../base/profile.ts';
import { seqLt } from '../base/seq.ts';
import { type Segment, SYN, TCP_MAX_OPTIONS } from '../wire/tcp.ts';
import { type Connection, EVENT_OPEN } from './connection.ts';
import { countText } from './output.ts';
import { PUSHED, type Scoreboard, TRAIN_END } from './scoreboard.ts';
import { processText } from './text.ts';

const NO_COOKIE: Uint8Array = new Uint8Array(0);
/** How long an opening that was reset counts as pending: as long as its SYN,ACK would be repeated (RFC 7413 §5.1). */
const RESET_HOLD = 60_000;

/** What a host knows of fast open with a peer; all connections to it share this (RFC 7413 §4.1.3.1). */
export class FastOpenPeer {
  /** The cookie it gave; empty before. */
  cookie: Uint8Array = NO_COOKIE;
  /** The MSS it named then; 0 before. */
  mss = 0;
  /** A SYN with text found no answer: no more of them before, ms. */
  pausedUntil: number = Number.NEGATIVE_INFINITY;
}

/** The fast openings of a listener whose peers have not been heard since (RFC 7413 §5.1, PendingFastOpenRequests). */
export class FastOpenQueue {
  /** Most of them; 0 takes none. */
  limit = 0;
  #pending = 0;
  /** When those that were reset count no more: a forged source answers with a RST, and must not make room so. */
  #held: number[] = [];

  /** Whether one more would be too many. */
  full(now: number): boolean {
    if (this.#held.length > 0) this.#held = this.#held.filter((until) => until > now);
    return this.#pending + this.#held.length >= this.limit;
  }

  /** One more is pending. */
  add(): void {
    this.#pending++;
  }

  /** One is not any more, because of a reset or of anything else. */
  settle(reset: boolean, now: number): void {
    this.#pending--;
    if (reset) this.#held.push(now + RESET_HOLD);
  }
}

/** Fast open on one connection. */
export class FastOpen {
  /** What is known of the peer, where this end asks. */
  readonly peer: FastOpenPeer | null;
  /** Where the opening is pending; on a connection that was opened early by text on its SYN. */
  readonly queue: FastOpenQueue | null;
  /** The cookie to put on our SYN,ACK; `null` for none. */
  readonly grant: Uint8Array | null;
  /** Octets of text on our SYN. */
  text = 0;
  /** Text on a SYN was taken, by us or by the peer (Linux: TCPI_OPT_SYN_DATA). */
  taken = false;
  /** A SYN without text replaced the one that was refused. */
  #fellBack = false;

  constructor(peer: FastOpenPeer | null, queue: FastOpenQueue | null, grant: Uint8Array | null) {
    this.peer = peer;
    this.queue = queue;
    this.grant = grant;
  }

  /** What is known of the peer, while our first SYN is still to be sent and may ask for fast open; `null` otherwise. */
  #asks(c: Connection): FastOpenPeer | null {
    const { peer } = this;
    if (peer === null || c.state !== 'SYN-SENT' || c.snd.nxt !== c.snd.iss || c.env.now < peer.pausedUntil) return null;
    return peer;
  }

  /** Octets of text that the SYN to be sent now has room for: only the first has any. */
  roomOnSyn(c: Connection): number {
    const peer = this.#asks(c);
    if (peer === null || (peer.cookie.length === 0 && (c.env.profile.fastOpen & FAST_OPEN_SEND_BARE) === 0)) return 0;
    const { addressing } = c;
    const { defaultMss4, defaultMss6 } = c.env.profile;
    const known = peer.mss > 0 ? peer.mss : addressing.local.family === 4 ? defaultMss4 : defaultMss6;
    // The MSS counts no options (RFC 6691), and a SYN may be full of them.
    return Math.max(Math.min(known, addressing.localMss) - TCP_MAX_OPTIONS, 0);
  }

  /** The cookie of the option on our SYN or SYN,ACK, empty to ask for one; `null` for no option. */
  cookieOnSyn(c: Connection): Uint8Array | null {
    if (c.state === 'SYN-RECEIVED') return this.grant;
    const peer = this.#asks(c);
    if (peer === null || (peer.cookie.length === 0 && (c.env.profile.fastOpen & FAST_OPEN_SEND_BARE) !== 0))
      return null;
    return peer.cookie;
  }

  /** The planned text rode on the SYN: a record of its own, since the SYN may be acknowledged without it. */
  sentOnSyn(c: Connection, board: Scoreboard, now: number): void {
    const { snd } = c;
    const { len } = c.env.plan;
    const end = (snd.nxt + len) | 0;
    board.sent(snd.nxt, end, snd.mss, c.env, TRAIN_END | (end === c.dataEnd ? PUSHED : 0));
    snd.nxt = end;
    this.text = len;
    c.pieces?.sent(end);
    countText(c, false);
    c.count().lastDataSent = now;
  }

  /** A SYN,ACK came: what it says of fast open is remembered (RFC 7413 §4.1.3). */
  learn(c: Connection, seg: Segment): void {
    const { peer } = this;
    if (peer === null) return;
    this.taken = this.text > 0 && seqLt((c.snd.iss + 1) | 0, seg.ack);
    if (this.taken) peer.pausedUntil = Number.NEGATIVE_INFINITY;
    if (seg.cookieLength > 0) peer.cookie = seg.bytes.slice(seg.cookieAt, seg.cookieAt + seg.cookieLength);
    if (seg.cookieLength > 0 || this.taken) peer.mss = Math.max(seg.mss, 0);
  }

  /** Our SYN is acknowledged: what of its text is not is sent again at once. Nothing says that the path lost it. */
  sendAgain(c: Connection): void {
    const { board } = c;
    if (board === null || this.text === 0) return;
    for (let i = 0; i < board.count; i++) board.markLost(i);
  }

  /** A SYN with text was not answered: for a while there are no more of them (RFC 7413 §4.1.3.1, §7.1). */
  pause(c: Connection): void {
    if (this.peer === null || this.text === 0) return;
    this.peer.pausedUntil = c.env.now + c.env.profile.fastOpenPause;
  }

  /**
   * A SYN with text was refused. That may be the doing of a box on the path, so the SYN is sent once more without.
   *
   * @returns false when there was no text, or that has been tried: the refusal counts
   */
  fallsBack(c: Connection): boolean {
    if (this.text === 0 || this.#fellBack) return false;
    this.#fellBack = true;
    this.pause(c);
    c.board?.markLost(0);
    return true;
  }

  /** A SYN with a good cookie opened this connection: it takes the text, and may send, in SYN-RECEIVED (RFC 7413 §4.2). */
  openEarly(c: Connection, seg: Segment): void {
    const { rcv, env } = c;
    c.ownRare().fastOpen = this;
    this.queue?.add();
    c.cc.opened(c.snd.mss, env.profile.initialWindow);
    const irs = rcv.nxt;
    seg.flags &= ~SYN;
    seg.seq = irs;
    seg.len = Math.min(seg.len, rcv.wnd);
    if (seg.len > 0) processText(c, seg);
    this.taken = rcv.nxt !== irs;
    // The window of our SYN,ACK counts from what it acknowledges.
    rcv.adv = (rcv.nxt + Math.min(c.receiveLimit, 0xffff)) | 0;
    c.announce(EVENT_OPEN);
  }
}
