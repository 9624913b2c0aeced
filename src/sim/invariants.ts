// What must be true of every connection after every event, whatever the path does.
//
// A scenario test shows that one story ends well; these hold in all of them, and they find the stalls and
// the off-by-one octets that no scenario was written for.

import type { State } from '../base/state.ts';
import type { Host } from '../host/host.ts';
import type { Network } from './network.ts';

/** What the checker reads of a connection: getters of `Connection`, named as RFC 9293 §3.3.1 names them. */
export interface ConnectionView {
  readonly id: number;
  readonly state: State;
  readonly snd: {
    readonly iss: number;
    readonly una: number;
    readonly nxt: number;
    readonly wnd: number;
    readonly maxWnd: number;
  };
  readonly rcv: {
    readonly irs: number;
    readonly nxt: number;
    /** First sequence number beyond the window the peer was told, as the peer computes it (scaled). */
    readonly adv: number;
    readonly finished: boolean;
  };
  /** Octets the program can read now. */
  readonly readable: number;
  /** Octets the program has consumed. */
  readonly delivered: number;
  /** Octets of sequence space sent and not acknowledged. */
  readonly flightSize: number;
  /** Octets queued and never sent. */
  readonly unsent: number;
  /** The earliest deadline of the connection, ms; `Infinity` when no timer is armed. */
  readonly timers: { readonly earliest: number };
}

/** What the checker reads of a host. */
export interface CheckedHost {
  readonly name: string;
  /** Every connection that still has state, TIME-WAIT included. */
  connections(): Iterable<ConnectionView>;
  /** Timers of connections that are armed. */
  readonly timersArmed: number;
  /** Local ports that connections hold. */
  readonly ports: { readonly inUse: number };
  /** Chunks of memory that receive buffers hold. */
  readonly chunks: { readonly inUse: number };
}

/** What was seen of a connection when it was last checked. */
interface Memory {
  readonly host: CheckedHost;
  rcvNxt: number;
  edge: number;
  sndUna: number;
  /** The peer's SYN was seen, so the receive variables mean something. */
  synchronised: boolean;
}

/** States in which the peer's initial sequence number is not known, or nothing is any more. */
const UNSYNCHRONISED: readonly State[] = ['CLOSED', 'LISTEN', 'SYN-SENT'];

/**
 * Checks the invariants of every connection of some hosts.
 *
 * 1. RCV.NXT and the right edge that the peer was told never go back.
 * 2. (consumed + readable) mod 2^32 = RCV.NXT - IRS - 1, less one after the FIN.
 * 3. SND.UNA =< SND.NXT; SND.UNA never goes back; no acknowledged octet was never sent.
 * 4. SND.NXT goes beyond SND.UNA + the largest window seen only by SYN and FIN (a probe here puts nothing in
 *    flight: it repeats the number before SND.UNA).
 * 5. Data in flight, or data queued behind a zero window, implies an armed timer.
 * 6. A connection that is CLOSED holds no timer and nothing unsent; `released` adds: no port, no memory, no packet.
 *
 * @example
 * const p = pair({ seed: 7 });
 * const checker = new InvariantChecker([p.client, p.server]);
 * checker.attach(p.network);
 */
export class InvariantChecker {
  readonly #hosts: readonly CheckedHost[];
  readonly #memory = new Map<ConnectionView, Memory>();
  #checks = 0;
  #now: () => number = () => 0;

  /** @param hosts hosts, or anything that shows what `CheckedHost` lists */
  constructor(hosts: readonly (Host | CheckedHost)[]) {
    this.#hosts = hosts;
  }

  /** How often a connection was checked: a test that means to check can see that it did. */
  get checks(): number {
    return this.#checks;
  }

  /** Checks after every event of `network` from now on; returns how to stop. */
  attach(network: Network): () => void {
    this.#now = () => network.now;
    return network.onEvent(() => this.check());
  }

  /** Checks everything once. Throws an `Error` that names host, connection, time and what is broken. */
  check(): void {
    for (const host of this.#hosts) {
      for (const c of host.connections()) {
        let m = this.#memory.get(c);
        if (m === undefined) {
          m = { host, rcvNxt: 0, edge: 0, sndUna: c.snd.una, synchronised: false };
          this.#memory.set(c, m);
        }
      }
    }
    for (const [c, m] of this.#memory) {
      this.#checks++;
      this.#checkReceiver(c, m);
      this.#checkSender(c, m);
      this.#checkTimers(c, m);
      // Checked once more in its last state, and then forgotten.
      if (c.state === 'CLOSED') this.#memory.delete(c);
    }
  }

  /**
   * Checks that nothing of any connection is left: to be called when both ends have closed and TIME-WAIT
   * has passed.
   *
   * @param network checked too: no packet may still hold a buffer
   */
  released(network: Network): void {
    this.check();
    for (const host of this.#hosts) {
      for (const c of host.connections()) this.#fail(host, c, 'still exists', `state ${c.state}`);
      const left: [string, number][] = [
        ['timers', host.timersArmed],
        ['ports', host.ports.inUse],
        ['chunks of memory', host.chunks.inUse],
      ];
      for (const [what, count] of left) {
        if (count !== 0) throw new Error(`${host.name}: ${count} ${what} of connections are left at ${network.now} ms`);
      }
    }
    if (network.inFlight !== 0) throw new Error(`${network.inFlight} packet buffers were not given back`);
  }

  #checkReceiver(c: ConnectionView, m: Memory): void {
    if (UNSYNCHRONISED.includes(c.state)) return;
    const { rcv } = c;
    if (m.synchronised) {
      if (((rcv.nxt - m.rcvNxt) | 0) < 0) this.#fail(m.host, c, 'RCV.NXT went back', `${m.rcvNxt} -> ${rcv.nxt}`);
      if (((rcv.adv - m.edge) | 0) < 0) this.#fail(m.host, c, 'the window edge went back', `${m.edge} -> ${rcv.adv}`);
    }
    m.synchronised = true;
    m.rcvNxt = rcv.nxt;
    m.edge = rcv.adv;
    const had = (c.delivered + c.readable) | 0;
    const told = (rcv.nxt - rcv.irs - 1 - (rcv.finished ? 1 : 0)) | 0;
    if (had !== told) {
      const how = `${c.delivered} consumed and ${c.readable} readable, where RCV.NXT says ${told}`;
      this.#fail(m.host, c, 'octets were lost or invented', how);
    }
  }

  #checkSender(c: ConnectionView, m: Memory): void {
    const { snd } = c;
    const flight = (snd.nxt - snd.una) | 0;
    if (flight < 0) this.#fail(m.host, c, 'SND.UNA is beyond SND.NXT', `${snd.una} > ${snd.nxt}`);
    if (((snd.una - m.sndUna) | 0) < 0) this.#fail(m.host, c, 'SND.UNA went back', `${m.sndUna} -> ${snd.una}`);
    m.sndUna = snd.una;
    if (UNSYNCHRONISED.includes(c.state)) return;
    // Each of these takes a number that the window does not have to allow.
    const free = (snd.una === snd.iss ? 1 : 0) + (finSent(c.state) ? 1 : 0);
    if (flight > snd.maxWnd + free) {
      this.#fail(m.host, c, 'sent beyond the window', `${flight} in flight, largest window ${snd.maxWnd}`);
    }
  }

  #checkTimers(c: ConnectionView, m: Memory): void {
    const armed = c.timers.earliest !== Number.POSITIVE_INFINITY;
    if (c.state === 'CLOSED') {
      if (armed) this.#fail(m.host, c, 'is closed with a timer', '');
      if (c.unsent !== 0) this.#fail(m.host, c, 'is closed with octets to send', `${c.unsent}`);
      return;
    }
    if (armed) return;
    if (c.flightSize > 0) this.#fail(m.host, c, 'has data in flight and no timer', `${c.flightSize} in flight`);
    if (c.unsent > 0 && c.snd.wnd === 0 && !UNSYNCHRONISED.includes(c.state)) {
      this.#fail(m.host, c, 'waits for a window and has no timer', `${c.unsent} unsent`);
    }
  }

  #fail(host: CheckedHost, c: ConnectionView, what: string, how: string): never {
    throw new Error(`${host.name} connection ${c.id} (${c.state}) at ${this.#now()} ms: ${what}: ${how}`);
  }
}

/** States in which our FIN is, or may be, on its way. */
function finSent(state: State): boolean {
  return state === 'FIN-WAIT-1' || state === 'CLOSING' || state === 'LAST-ACK';
}
