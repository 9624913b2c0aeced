// What is true or false of a connection, in the bits of one integer: a field each would be 8 octets, 24 times.

const ORPHAN = 1;
const SYN_RESENT = 2;
const ACK_NOW = 4;
const PROBE_DUE = 8;
const OVERRIDE_DUE = 0x10;
const TAIL_PROBE_DUE = 0x20;
const RESET_DUE = 0x40;
const DIALOGUE = 0x80;
const TRAIN_PUSH = 0x100;
const TRAIN_WRITTEN = 0x200;
const LIMITED = 0x400;
const MORE_FOLLOWS = 0x800;
const CORKED = 0x1000;
const NO_DELAY = 0x2000;
const WANTS_WRITABLE = 0x4000;
const RECEIVE_FIXED = 0x8000;
const CLOSE_ANNOUNCED = 0x10000;
const ACCEPTED = 0x20000;
const FOLDED = 0x40000;
const IN_READY = 0x80000;
const IN_DIRTY = 0x100000;
const IN_WAITING = 0x200000;
const IN_EVENTS = 0x400000;
const PASSIVE = 0x800000;

/** `bits` with one of them set or cleared. */
export function marked(bits: number, bit: number, on: boolean): number {
  return on ? bits | bit : bits & ~bit;
}

/** The flags of a connection. All are false at first. */
export class Flags {
  /** @internal The flags, a bit each. */
  bits = 0;

  /** @internal The program has closed: it reads no more, and nobody waits for the end. */
  get orphan(): boolean {
    return (this.bits & ORPHAN) !== 0;
  }
  set orphan(on: boolean) {
    this.bits = marked(this.bits, ORPHAN, on);
  }

  /** @internal Whether the SYN had to be sent again. */
  get synResent(): boolean {
    return (this.bits & SYN_RESENT) !== 0;
  }
  set synResent(on: boolean) {
    this.bits = marked(this.bits, SYN_RESENT, on);
  }

  /** @internal An ACK is owed at once. */
  get ackNow(): boolean {
    return (this.bits & ACK_NOW) !== 0;
  }
  set ackNow(on: boolean) {
    this.bits = marked(this.bits, ACK_NOW, on);
  }

  /** @internal A zero-window probe is due. */
  get probeDue(): boolean {
    return (this.bits & PROBE_DUE) !== 0;
  }
  set probeDue(on: boolean) {
    this.bits = marked(this.bits, PROBE_DUE, on);
  }

  /** @internal A silly-window override is due. */
  get overrideDue(): boolean {
    return (this.bits & OVERRIDE_DUE) !== 0;
  }
  set overrideDue(on: boolean) {
    this.bits = marked(this.bits, OVERRIDE_DUE, on);
  }

  /** @internal A tail loss probe is due. */
  get tailProbeDue(): boolean {
    return (this.bits & TAIL_PROBE_DUE) !== 0;
  }
  set tailProbeDue(on: boolean) {
    this.bits = marked(this.bits, TAIL_PROBE_DUE, on);
  }

  /** @internal A RST is to be sent before the connection is forgotten, with SND.NXT. */
  get resetDue(): boolean {
    return (this.bits & RESET_DUE) !== 0;
  }
  set resetDue(on: boolean) {
    this.bits = marked(this.bits, RESET_DUE, on);
  }

  /** @internal We answer data with data. */
  get dialogue(): boolean {
    return (this.bits & DIALOGUE) !== 0;
  }
  set dialogue(on: boolean) {
    this.bits = marked(this.bits, DIALOGUE, on);
  }

  /** @internal PSH ends the super-segment that is on its way, of which `trainLeft` octets are left. */
  get trainPush(): boolean {
    return (this.bits & TRAIN_PUSH) !== 0;
  }
  set trainPush(on: boolean) {
    this.bits = marked(this.bits, TRAIN_PUSH, on);
  }

  /** @internal And a write ends there. */
  get trainWritten(): boolean {
    return (this.bits & TRAIN_WRITTEN) !== 0;
  }
  set trainWritten(on: boolean) {
    this.bits = marked(this.bits, TRAIN_WRITTEN, on);
  }

  /** @internal Congestion control was what stopped sending, up to `limitedSeq`. */
  get limited(): boolean {
    return (this.bits & LIMITED) !== 0;
  }
  set limited(on: boolean) {
    this.bits = marked(this.bits, LIMITED, on);
  }

  /** @internal More is to be written at once: a small segment waits for it, or for the next thing that happens. */
  get moreFollows(): boolean {
    return (this.bits & MORE_FOLLOWS) !== 0;
  }
  set moreFollows(on: boolean) {
    this.bits = marked(this.bits, MORE_FOLLOWS, on);
  }

  /** @internal Small segments are held back until `setCork(false)`, or for an RTO. */
  get corked(): boolean {
    return (this.bits & CORKED) !== 0;
  }
  set corked(on: boolean) {
    this.bits = marked(this.bits, CORKED, on);
  }

  /** @internal Nagle's algorithm is off. */
  get noDelay(): boolean {
    return (this.bits & NO_DELAY) !== 0;
  }
  set noDelay(on: boolean) {
    this.bits = marked(this.bits, NO_DELAY, on);
  }

  /** @internal The program waits for room in the send buffer. */
  get wantsWritable(): boolean {
    return (this.bits & WANTS_WRITABLE) !== 0;
  }
  set wantsWritable(on: boolean) {
    this.bits = marked(this.bits, WANTS_WRITABLE, on);
  }

  /** @internal The program has set the size of the receive buffer: it does not grow by itself any more. */
  get receiveFixed(): boolean {
    return (this.bits & RECEIVE_FIXED) !== 0;
  }
  set receiveFixed(on: boolean) {
    this.bits = marked(this.bits, RECEIVE_FIXED, on);
  }

  /** @internal The program was told, or will be, that it is over. */
  get closeAnnounced(): boolean {
    return (this.bits & CLOSE_ANNOUNCED) !== 0;
  }
  set closeAnnounced(on: boolean) {
    this.bits = marked(this.bits, CLOSE_ANNOUNCED, on);
  }

  /** @internal A listener has handed it to the program. */
  get accepted(): boolean {
    return (this.bits & ACCEPTED) !== 0;
  }
  set accepted(on: boolean) {
    this.bits = marked(this.bits, ACCEPTED, on);
  }

  /** @internal It is in TIME-WAIT, and the host keeps a record instead of this object. */
  get folded(): boolean {
    return (this.bits & FOLDED) !== 0;
  }
  set folded(on: boolean) {
    this.bits = marked(this.bits, FOLDED, on);
  }

  /** @internal Bookkeeping of the host: it is among the connections with something to send, */
  get inReady(): boolean {
    return (this.bits & IN_READY) !== 0;
  }
  set inReady(on: boolean) {
    this.bits = marked(this.bits, IN_READY, on);
  }

  /** @internal those whose deadlines may have changed, */
  get inDirty(): boolean {
    return (this.bits & IN_DIRTY) !== 0;
  }
  set inDirty(on: boolean) {
    this.bits = marked(this.bits, IN_DIRTY, on);
  }

  /** @internal those that wait aside for their next hop to be resolved, */
  get inWaiting(): boolean {
    return (this.bits & IN_WAITING) !== 0;
  }
  set inWaiting(on: boolean) {
    this.bits = marked(this.bits, IN_WAITING, on);
  }

  /** @internal those with events for the program. */
  get inEvents(): boolean {
    return (this.bits & IN_EVENTS) !== 0;
  }
  set inEvents(on: boolean) {
    this.bits = marked(this.bits, IN_EVENTS, on);
  }

  /** The open was passive: this end listened (RFC 9293 §3.3.2). */
  get passive(): boolean {
    return (this.bits & PASSIVE) !== 0;
  }
  set passive(on: boolean) {
    this.bits = marked(this.bits, PASSIVE, on);
  }
}
