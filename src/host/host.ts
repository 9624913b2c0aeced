// One host: it holds connections, listeners and interfaces, and has neither a clock nor a link of its own.
//
// Its owner (`run/` in real time, `sim/` in virtual time) gives it packets and the time, and takes packets and
// deadlines. Four kinds of methods:
//  - inputs: `receive`, `timersFire`, `interfaceDown`, `interfaceUp`, `tick`;
//  - commands of the program: `connect`, `listen`, `close`, and those of connections; and what few programs need as
//    functions of their own, so that the others are not made of it: `udp`, `ping`, `snapshot`, `restore`;
//  - outputs: `transmit`, `nextDeadline`, `deliver`;
//  - getters.
// The owner's loop: inputs in any number, `deliver()` until it returns false, `transmit` on every interface until
// it returns 0 or the link is full, sleep until `nextDeadline()`. Inputs and commands call no user code and send
// nothing; only `deliver` calls handlers. Spurious calls are no-ops.

import { NetError, StateError } from '../base/errors.ts';
import { PLAIN_LINK } from '../base/link.ts';
import type { RxMeta, TxMeta } from '../base/packet.ts';
import { DEFAULT_PROFILE, FAST_OPEN_CLIENT, FAST_OPEN_SERVER, type Profile } from '../base/profile.ts';
import { ChunkPool } from '../base/receive-buffer.ts';
import { halfSip13, SipKey } from '../base/siphash.ts';
import type { Cause, State } from '../base/state.ts';
import type { DropReason, Tracer } from '../base/trace.ts';
import { IcmpLimiter, PeerLimiter } from '../ip/icmp-limits.ts';
import { RouteTable } from '../ip/routes.ts';
import { Connection, EVENT_CLOSE, EVENT_OPEN } from '../tcp/connection.ts';
import type { TcpEnv } from '../tcp/env.ts';
import { initialSequenceNumber } from '../tcp/isn.ts';
import { openActive } from '../tcp/opening.ts';
import { Plan } from '../tcp/output.ts';
import { pathMtuIs } from '../tcp/path-mtu.ts';
import { SackBlocks } from '../tcp/sack.ts';
import { Delivery, SpareBoards } from '../tcp/scoreboard.ts';
import type { TcpCounters } from '../tcp/statistics.ts';
import type { ConnectionAddressing } from '../tcp/tcb.ts';
import { OFF, type Timers } from '../tcp/timers.ts';
import type { SuperSegments } from '../tcp/trains.ts';
import {
  type Address,
  isLoopback,
  type Prefix,
  Prefix as PrefixOf,
  parseAddress,
  parsePrefix,
} from '../wire/address.ts';
import { IPV4_HEADER, PROTO_TCP, pseudoSum4 } from '../wire/ipv4.ts';
import { IPV6_HEADER, pseudoSum6 } from '../wire/ipv6.ts';
import { ACK, RST, SYN, TCP_HEADER } from '../wire/tcp.ts';
import { SynCookies } from './cookies.ts';
import { Counters } from './counters.ts';
import { Deadlines } from './deadlines.ts';
import { Events } from './events.ts';
import type { FastOpens } from './fast-open.ts';
import { Input } from './input.ts';
import { Interface, type InterfaceOptions } from './interface.ts';
import { bindingOf, Listener, type ListenOptions } from './listener.ts';
import { LOOPBACK, Loopback } from './loopback.ts';
import { Metrics } from './metrics.ts';
import { assertSizes, type ConnectOptions, type HostOptions, sizeReceiveBuffer } from './options.ts';
import { hasOutput, queueReset, type SegmentEnds, transmitPacket } from './output.ts';
import { PathMtus } from './path-mtus.ts';
import type { Pings } from './ping.ts';
import { Ports } from './ports.ts';
import { Stencil } from './stencil.ts';
import { ConnectionTable } from './table.ts';
import { TimeWaits } from './time-wait.ts';
import type { Datagrams } from './udp.ts';

/** Chunks of receive buffers kept for reuse. */
const CHUNKS_KEPT = 128;

/** A host: TCP over IPv4 and IPv6, over Ethernet or bare IP. */
export class Host implements TcpEnv {
  readonly name: string;
  readonly profile: Profile;
  readonly trace: Tracer | null;
  readonly counters: Counters = new Counters();
  /** @internal */
  readonly counts: TcpCounters = this.counters.tcp;
  readonly interfaces: Interface[] = [];
  readonly routes: RouteTable = new RouteTable();
  /**
   * Called when a command is given outside of the owner's loop, which may make output or a deadline: the owner tells
   * the time (`tick`) and schedules a turn, and does no more here.
   */
  onWake: (() => void) | null = null;

  /** @internal */
  readonly chunks: ChunkPool;
  /** @internal */
  readonly plan: Plan = new Plan();
  /** @internal */
  readonly delivery: Delivery = new Delivery();
  /** @internal */
  readonly blocks: SackBlocks = new SackBlocks();
  /** @internal */
  readonly boards: SpareBoards = new SpareBoards();
  /** @internal */
  readonly timerRows: Timers[] = [];
  /** @internal */
  readonly table: ConnectionTable;
  /** @internal */
  readonly timeWaits: TimeWaits;
  /** @internal */
  readonly ports: Ports;
  /** @internal */
  readonly cookies: SynCookies;
  /** @internal `null` where the profile has none. */
  readonly superSegments: SuperSegments | null;
  /** @internal `null` where the host was not given `fastOpen`. */
  readonly fastOpens: FastOpens | null;
  /** @internal */
  readonly events: Events = new Events();
  /** @internal Full segments of a connection that leave one after the other. */
  readonly stencil: Stencil = new Stencil();
  /** @internal Where the host speaks to itself. */
  readonly loopback: Loopback;
  /** @internal Echo requests; made by the first `ping`. */
  pings: Pings | null = null;
  /** @internal UDP sockets; made by the first `udp`. */
  datagrams: Datagrams | null = null;
  /** @internal */
  readonly icmpLimiter: IcmpLimiter = new IcmpLimiter();
  readonly #peerLimiter: PeerLimiter = new PeerLimiter();
  /** @internal */
  packetId = 0;

  readonly #key: SipKey;
  readonly #ethernet: HostOptions['ethernet'];
  readonly #deadlines: Deadlines;
  /** Connections that their programs have closed and that have not ended, oldest first. */
  readonly #orphans: Set<Connection> = new Set();
  readonly #input: Input;
  readonly #pathMtus: PathMtus = new PathMtus();
  /** @internal */
  readonly metrics: Metrics = new Metrics();
  #ipId = 0;
  #drawn = 0;
  #now = 0;
  #lastId = 0;
  #closed = false;
  #awake = false;
  /** What `connect` was asked for last. */
  #lastPeerText = '';
  #lastPeer: Address | null = null;
  /** Our addresses by their texts. */
  readonly #ownTexts: Map<string, Address> = new Map();

  constructor(options: HostOptions) {
    this.name = options.name ?? 'host';
    this.profile = options.profile === undefined ? DEFAULT_PROFILE : { ...DEFAULT_PROFILE, ...options.profile };
    this.trace = options.trace ?? null;
    this.chunks = new ChunkPool(CHUNKS_KEPT, this.profile.receiveMemory);
    this.#key = new SipKey(options.key);
    this.#ethernet = options.ethernet;
    this.table = new ConnectionTable(this.#key);
    this.cookies = new SynCookies(this.#key);
    this.superSegments = this.profile.superSegment > 0 ? (options.superSegments ?? null) : null;
    if (this.profile.superSegment > 0 && this.superSegments === null) throw without('superSegments');
    this.fastOpens = options.fastOpen?.(this.#key) ?? null;
    this.timeWaits = new TimeWaits(this, this.#key);
    this.#deadlines = new Deadlines(this.timeWaits);
    this.ports = new Ports(this.#key, this.profile);
    this.#input = new Input(this);
    this.loopback = new Loopback(this, this.#input);
  }

  // --- getters ---

  /** The latest time any input told, milliseconds. Commands happen at this time. */
  get now(): number {
    return this.#now;
  }

  /** Local ports that connections use. */
  get portsInUse(): number {
    return this.ports.inUse;
  }

  /** Connections that exist, TIME-WAIT included. */
  get connectionCount(): number {
    return this.table.size + this.timeWaits.size;
  }

  /** All connections, TIME-WAIT included; a copy. */
  connections(): Connection[] {
    return [...this.table.list(), ...this.timeWaits.list()];
  }

  /** Timers that are armed. */
  get timersArmed(): number {
    this.#deadlines.settle();
    return this.#deadlines.armed;
  }

  // --- inputs ---

  /** Tells the time; it never goes back. Owners call it before commands given between inputs. */
  tick(now: number): void {
    if (now > this.#now) this.#now = now;
  }

  /**
   * Takes one packet from an interface's link.
   *
   * @param bytes borrowed until the call returns
   * @param from offset of the packet, link header included, and `to` past its end
   */
  receive(i: Interface, bytes: Uint8Array, from: number, to: number, meta: RxMeta, now: number): void {
    this.tick(now);
    this.#awake = true;
    this.packetId = meta.id;
    this.counters.packetsIn++;
    if (i.up) this.#input.receive(i, bytes, from, to, meta);
    else this.drop('link-down', null);
    this.packetId = 0;
  }

  /** Fires every timer that is due at `now`. */
  timersFire(now: number): void {
    this.tick(now);
    this.#awake = true;
    this.#deadlines.fire(now);
    this.pings?.timersFire(now);
    for (const i of this.interfaces) i.ethernet?.timersFire(now);
  }

  /** The interface's link has failed: every connection over it ends with `error`. */
  interfaceDown(i: Interface, error: NetError): void {
    if (!i.up) return;
    i.up = false;
    i.replies.clear();
    i.datagrams.clear();
    i.ethernet?.clear();
    for (const c of this.table.list()) {
      const { local } = c.addressing;
      // It leaves by this interface, or its peer's answers would have come in here.
      if (c.interfaceIndex === i.index || i.has(local.w0, local.w1, local.w2, local.w3)) c.finish('error', error);
    }
    this.timeWaits.endAll(i);
    this.#wake();
  }

  /** The interface's link works again. */
  interfaceUp(i: Interface): void {
    i.up = true;
  }

  /** A link has dropped a packet of this host's: it is lost, as if the path had dropped it. */
  linkRefused(): void {
    this.drop('link-refused', null);
  }

  // --- outputs ---

  /**
   * Writes the next packet for an interface's link at `out[at]`.
   *
   * @returns octets written, link header included; 0 when there is nothing to send
   */
  transmit(i: Interface, out: Uint8Array, at: number, meta: TxMeta, now: number): number {
    this.tick(now);
    this.#awake = true;
    if (!i.up || i.quiet) return 0;
    meta.reset();
    this.packetId = meta.id;
    const length = transmitPacket(this, i, out, at, meta);
    this.packetId = 0;
    if (length > 0) this.counters.packetsOut++;
    return length;
  }

  /**
   * Exactly when the host next wants attention; `Infinity` for never, `now` when it has something to send.
   *
   * @param before an owner that is going to wake then anyway asks only for what comes earlier: when nothing does, and
   *   something comes later, the answer may be `before`. Timers move with every segment, and most need not be looked for
   */
  nextDeadline(before: number = OFF): number {
    this.#awake = false;
    this.#deadlines.settle();
    this.loopback.refresh();
    if (this.loopback.waits) return this.#now;
    // `transmit` may have ended a connection, whose program has to hear of it.
    if (this.events.any || this.pings?.hasEvents || this.datagrams?.hasEvents) return this.#now;
    const deadlines = this.#deadlines;
    let t = before < OFF && deadlines.armed > 0 && deadlines.bound >= before ? before : deadlines.next;
    if (this.pings !== null) t = Math.min(t, this.pings.nextDeadline());
    for (let n = 0; n < this.interfaces.length; n++) {
      const i = this.interfaces[n]!;
      // A link that takes nothing makes nothing due: what waits is sent when it drains.
      if (!i.up || i.full || i.quiet) continue;
      if (hasOutput(i)) return this.#now;
      if (i.ethernet !== null) t = Math.min(t, i.ethernet.nextDeadline());
    }
    return t;
  }

  /** Calls the handlers of the events that are queued now; true when there were any. */
  deliver(): boolean {
    this.#awake = true;
    let any = !this.loopback.interface.quiet && this.loopback.carry();
    if (this.pings?.deliver()) any = true;
    if (this.datagrams?.deliver()) any = true;
    if (this.events.any && this.events.deliver()) any = true;
    return any;
  }

  // --- commands ---

  /**
   * Adds an interface; the owner binds a link to it. Throws `RangeError` for an address it cannot have, `StateError` for an
   * Ethernet on a host that was made without.
   */
  addInterface(options: InterfaceOptions): Interface {
    const prefixes = options.addresses.map((text) => prefixOf(text));
    if (!(options.mtu >= 68 && options.mtu <= 65_535)) throw new RangeError(`MTU ${options.mtu} is not in 68..65535`);
    const i = new Interface(this.interfaces.length, options, options.caps ?? PLAIN_LINK, prefixes);
    if (options.medium === 'ethernet') {
      if (this.#ethernet === undefined) throw without('ethernet');
      i.ethernet = this.#ethernet(this, i);
    }
    this.interfaces.push(i);
    for (const p of prefixes) {
      this.routes.add(p, i.index, null);
      this.#ownTexts.set(p.address.toString(), this.ours(p.address));
    }
    for (const text of options.gateways ?? []) {
      const gateway = addressOf(text);
      const everything = new PrefixOf(gateway, 0);
      this.routes.add(everything, i.index, gateway);
    }
    return i;
  }

  /**
   * Listens on a port: `accept` is called, from `deliver`, with each connection that reached ESTABLISHED,
   * or SYN-RECEIVED by text on its SYN where fast open is on (RFC 7413 §4.2).
   * Throws `NetError` EADDRINUSE or EADDRNOTAVAIL, `RangeError` for a bad port.
   */
  listen(options: ListenOptions, accept: (connection: Connection) => void): Listener {
    this.assertOpen();
    const { port } = options;
    if (!Number.isInteger(port) || port < 0 || port > 0xffff) throw new RangeError(`port ${port} is not in 0..65535`);
    const address = options.address === undefined ? null : addressOf(options.address);
    const text = address?.toString() ?? '';
    if (address !== null && !address.isUnspecified && !this.isOurs(address)) {
      throw new NetError('EADDRNOTAVAIL', 'listen', text, port);
    }
    const chosen = port === 0 ? this.ports.free() : port;
    const backlog = Math.max(1, Math.min(options.backlog ?? this.profile.backlog, this.profile.backlogMax));
    assertSizes(options);
    const listener = new Listener(this, bindingOf(options, address, chosen), backlog, accept);
    listener.receiveBuffer = options.receiveBuffer ?? 0;
    listener.maxSegment = options.maxSegment ?? 0;
    listener.deferAccept(options.deferAccept ?? 0);
    const fastOpens = options.fastOpen ?? ((this.profile.fastOpen & FAST_OPEN_SERVER) !== 0 ? backlog : 0);
    listener.fastOpen = this.#fastOpens(fastOpens !== 0)?.queue(Math.min(fastOpens, backlog)) ?? null;
    if (chosen < 0 || !this.ports.bind(listener)) throw new NetError('EADDRINUSE', 'listen', text, port);
    return listener;
  }

  /**
   * Opens a connection. It is returned in SYN-SENT, or already failed when there is no way to the peer: its
   * handler is told in either case. Throws `RangeError` for an address or a port that is none.
   */
  connect(options: ConnectOptions): Connection {
    this.assertOpen();
    this.begin();
    const remote = this.#peer(options.address);
    const { port } = options;
    if (!Number.isInteger(port) || port < 1 || port > 0xffff) throw new RangeError(`port ${port} is not in 1..65535`);
    const i = this.wayTo(remote);
    const wanted = options.localAddress === undefined ? null : this.#ownAddress(options.localAddress);
    const local = wanted ?? (i === null ? null : this.sourceFor(i, remote));
    const group =
      remote.isMulticast || remote.isBroadcast || (remote.family === 4 && i?.isBroadcast(remote.w3) === true);
    if (i === null || local === null || group) return this.#stillborn(remote, port, 'ENETUNREACH');
    // What is only known inside does not go out (RFC 1122 §3.2.1.3 (g)).
    const stays = local.isLoopback && i !== this.loopback.interface;
    if (stays || !this.isOurs(local)) return this.#stillborn(remote, port, 'EADDRNOTAVAIL');
    const localPort = this.ports.choose(this.table, this.timeWaits, local, remote, port, options.localPort ?? 0);
    if (localPort < 0) {
      return this.#stillborn(remote, port, options.localPort === undefined ? 'EADDRNOTAVAIL' : 'EADDRINUSE');
    }
    assertSizes(options);
    const asks = options.fastOpen ?? (this.profile.fastOpen & FAST_OPEN_CLIENT) !== 0;
    this.#fastOpens(asks);
    const addressing = this.addressing(i.mtu, local, localPort, remote, port, options.maxSegment);
    const c = this.makeConnection(addressing, false);
    sizeReceiveBuffer(c, options.receiveBuffer ?? 0);
    this.counters.activeOpens++;
    if (asks) this.fastOpens?.ask(c);
    openActive(c, this.issFor(c.addressing));
    return c;
  }

  /** Ends everything: connections are reset and settled with ECONNABORTED, listeners closed. */
  close(): void {
    if (this.#closed) return;
    this.begin();
    this.#closed = true;
    for (const listener of this.ports.listeners()) listener.close();
    for (const c of this.table.list()) {
      c.resetDue = c.isSynchronised() && c.state !== 'TIME-WAIT';
      c.finish('error', new NetError('ECONNABORTED', 'read'));
    }
    this.timeWaits.endAll(null);
    this.pings?.close();
    this.datagrams?.close(new NetError('ECONNABORTED', 'read'));
    this.#wake();
  }

  // --- for tcp/ (TcpEnv) ---

  /** @internal */
  begin(): void {
    if (!this.#awake) this.#wake();
  }

  /** @internal */
  touch(c: Connection): void {
    if (this.stencil.left > 0) this.stencil.end();
    this.#deadlines.touch(c);
    if (!c.inReady) {
      const i = this.interfaceOf(c);
      if (i !== null) {
        c.inReady = true;
        const urgent = c.ackNow || c.resetDue || c.snd.nxt === c.snd.iss;
        (urgent ? i.urgent : i.ready).push(c);
      }
    }
    if (!this.#awake) this.#wake();
  }

  /** @internal */
  announce(c: Connection): void {
    if (c.inEvents) return;
    this.events.push(c);
    if (!this.#awake) this.#wake();
  }

  /** @internal */
  moved(c: Connection, from: State, cause: Cause): void {
    const to = c.state;
    this.counters.moved(from, to, cause);
    if (to === 'ESTABLISHED' && c.passive) this.events.waits(c);
    if (from === 'ESTABLISHED') this.#input.forget(c);
    if (from === 'SYN-RECEIVED') c.fastOpen?.queue?.settle(cause === 'rcv RST', this.#now);
    if (c.orphan && (to === 'TIME-WAIT' || to === 'CLOSED')) this.#orphans.delete(c);
    if (to === 'TIME-WAIT' || (from === 'LAST-ACK' && cause === 'rcv ACK of FIN')) this.metrics.store(c);
    if (to !== 'CLOSED') return;
    this.table.remove(c);
    this.ports.release(c.addressing.localPort);
    if ((c.events & EVENT_OPEN) === 0) this.events.uncount(c);
  }

  /** @internal */
  pathDoubtful(c: Connection): void {
    // There is no other gateway to turn to: whether this one is alive can be asked.
    this.interfaceOf(c)?.neighbours?.suspect(c.nextHop, this.#now);
  }

  /** @internal */
  orphaned(c: Connection): void {
    // TIME-WAIT has a bound of its own; and it may have ended since, without a word, while only its record was kept.
    const { state } = c;
    if (state === 'TIME-WAIT' || state === 'CLOSED') return;
    this.#orphans.add(c);
    if (this.#orphans.size <= this.profile.orphanMax) return;
    for (const oldest of this.#orphans) {
      this.counts.abortedOnMemory++;
      oldest.abort();
      return;
    }
  }

  /** @internal */
  stillWaits(c: Connection): boolean {
    return this.timeWaits.goesOn(c);
  }

  /** @internal */
  reclaim(c: Connection): void {
    this.timeWaits.reclaim(c);
  }

  /** @internal */
  timestampOffset(c: Connection): number {
    return this.timestampOffsetOf(c.addressing);
  }

  /** @internal */
  timestampOffsetOf(a: ConnectionAddressing): number {
    const { local, localPort, remote, remotePort } = a;
    return halfSip13(this.#key, remote.w0 ^ remote.w1, remote.w2, remote.w3, local.w3, (remotePort << 16) | localPort);
  }

  /** @internal */
  reset(c: Connection, seq: number): void {
    const i = this.interfaceOf(c);
    if (i !== null) queueReset(this, i, c.addressing, seq, 0, RST);
  }

  /** @internal */
  drop(reason: DropReason, c: Connection | null): void {
    this.counters.drop(reason);
    if (this.trace !== null) {
      const conn = c === null ? 0 : c.id;
      this.trace({ type: 'drop', at: this.#now, host: this.name, packet: this.packetId, conn, reason });
    }
  }

  // --- shared with input.ts and output.ts ---

  /** @internal Whether one more ICMP error may be sent, to the peer of this address. */
  mayTellError(w0: number, w1: number, w2: number, w3: number): boolean {
    // The peer's own limit first: what it refuses must not be felt by others.
    if (!this.#peerLimiter.allow(halfSip13(this.#key, w0, w1, w2, w3, 0x1c3f), this.#now)) return false;
    return this.icmpLimiter.allow(this.#now, this.secretNumber() % 3);
  }

  /** @internal Identification of the next IPv4 packet, 16 bits. */
  nextIpId(): number {
    this.#ipId = (this.#ipId + 1) & 0xffff;
    return this.#ipId;
  }

  /** @internal The interface a connection leaves by; `null` when its route is gone or down. */
  interfaceOf(c: Connection): Interface | null {
    if (c.interfaceIndex === LOOPBACK) return this.loopback.interface;
    const i = this.interfaces[c.interfaceIndex];
    return i?.up ? i : null;
  }

  /** @internal A SYN arrived for a listener: the connection it opens, not yet open. */
  makePassive(listener: Listener, addressing: ConnectionAddressing, i: Interface): Connection {
    const c = this.makeConnection(addressing, true);
    sizeReceiveBuffer(c, listener.receiveBuffer);
    if (c.interfaceIndex < 0) c.interfaceIndex = i.index;
    this.events.count(c, listener);
    this.counters.passiveOpens++;
    return c;
  }

  /** @internal */
  makeConnection(addressing: ConnectionAddressing, passive: boolean): Connection {
    const c = new Connection(this, ++this.#lastId, addressing, passive);
    this.route(c);
    this.table.add(c);
    this.ports.hold(addressing);
    return c;
  }

  /** @internal Finds where a connection leaves the host. */
  route(c: Connection): void {
    const { remote } = c.addressing;
    const route = this.isOurs(remote) ? null : this.routes.lookup(remote.w0, remote.w1, remote.w2, remote.w3);
    if (route === null) c.interfaceIndex = this.isOurs(remote) ? LOOPBACK : -1;
    else {
      c.interfaceIndex = route.interfaceIndex;
      c.nextHop = (route.gateway ?? remote).w3;
    }
  }

  /** @internal What a connection between these ends is addressed by, on a link that carries packets of `mtu` octets. */
  addressing(
    mtu: number,
    local: Address,
    localPort: number,
    remote: Address,
    remotePort: number,
    maxSegment: number = this.profile.maxSegment,
  ): ConnectionAddressing {
    const v4 = local.family === 4;
    const { w0, w1, w2, w3 } = remote;
    const pseudo = v4
      ? pseudoSum4(local.w3, w3, PROTO_TCP, 0)
      : pseudoSum6(local.w0, local.w1, local.w2, local.w3, w0, w1, w2, w3, PROTO_TCP, 0);
    const carried = mtu - (v4 ? IPV4_HEADER : IPV6_HEADER) - TCP_HEADER;
    const localMss = maxSegment > 0 ? Math.min(maxSegment, carried) : carried;
    return { local, localPort, remote, remotePort, pseudo, localMss };
  }

  /** @internal */
  issFor(a: ConnectionAddressing): number {
    return initialSequenceNumber(this.#key, this.#now, a.local, a.localPort, a.remote, a.remotePort);
  }

  /** @internal The path of a connection carries packets of `mtu` octets: for it, and for those that come after. */
  pathMtuIs(c: Connection, mtu: number): void {
    pathMtuIs(c, mtu);
    this.#pathMtus.learn(c.addressing.remote, mtu, this.#now);
  }

  /** @internal */
  pathMtuFound(c: Connection, mtu: number): void {
    this.#pathMtus.learn(c.addressing.remote, mtu, this.#now);
  }

  /** @internal */
  pathMtu(c: Connection): number {
    const known = this.#pathMtus.recall(c.addressing.remote, this.#now);
    return known >= 0 ? known : (this.interfaceOf(c)?.mtu ?? 0);
  }

  /** @internal A new connection starts with what is known of its path. */
  recallPathMtu(c: Connection): void {
    const known = this.#pathMtus.recall(c.addressing.remote, this.#now);
    if (known >= 0) pathMtuIs(c, known);
  }

  /** @internal A segment for no connection: RFC 9293 §3.10.7.1. */
  refuse(i: Interface, ends: SegmentEnds, flags: number, ack: number, end: number): void {
    if ((flags & RST) !== 0) return;
    const { closedPorts } = this.profile;
    if (closedPorts === 'silent' || (closedPorts === 'reset-not-syn' && (flags & (SYN | ACK)) === SYN)) return;
    if ((flags & ACK) !== 0) queueReset(this, i, ends, ack, 0, RST);
    else queueReset(this, i, ends, 0, end, RST | ACK);
  }

  /** @internal */
  forgetListener(listener: Listener): void {
    this.ports.unbind(listener);
    this.events.forget(listener);
  }

  /** @internal The address in a text; throws `RangeError` when there is none. */
  addressOf(text: string): Address {
    return addressOf(text);
  }

  /** @internal A number that peers cannot foresee, 0 to 2^32 - 1. */
  secretNumber(): number {
    return halfSip13(this.#key, ++this.#drawn, 0, 0, 0, 0) >>> 0;
  }

  /** @internal Whether an address is one of this host's. */
  isOurs(a: Address): boolean {
    return this.hasAddress(a.w0, a.w1, a.w2, a.w3);
  }

  /** @internal Whether the words of an address are one of this host's, loopback included. */
  hasAddress(w0: number, w1: number, w2: number, w3: number): boolean {
    for (let i = 0; i < this.interfaces.length; i++) if (this.interfaces[i]!.has(w0, w1, w2, w3)) return true;
    return isLoopback(w0, w1, w2, w3);
  }

  /** @internal The interface that leads to an address; `null` without one that is up. */
  wayTo(remote: Address): Interface | null {
    if (remote.isUnspecified) return null;
    if (this.isOurs(remote)) return this.loopback.interface;
    const route = this.routes.lookup(remote.w0, remote.w1, remote.w2, remote.w3);
    const i = route === null ? undefined : this.interfaces[route.interfaceIndex];
    return i?.up ? i : null;
  }

  /** @internal Our address for what goes to `remote`: a host that speaks to itself does so with one address. */
  sourceFor(i: Interface, remote: Address): Address | null {
    return i !== this.loopback.interface || remote.isLoopback ? i.address(remote.family) : this.ours(remote);
  }

  /** @internal The interface's own object for an address of ours, so that connections share it; any other as it is. */
  ours(a: Address): Address {
    for (const i of this.interfaces) {
      for (const p of i.prefixes) if (p.address.equals(a)) return p.address;
    }
    return a;
  }

  /** The address in a text: the interface's own object where it is written as we write ours, which spares reading it. */
  #ownAddress(text: string): Address {
    return this.#ownTexts.get(text) ?? this.ours(addressOf(text));
  }

  /** The address in a text. Most connections of a program go where the last one went: they share its object. */
  #peer(text: string): Address {
    if (this.#lastPeer === null || text !== this.#lastPeerText) {
      this.#lastPeer = addressOf(text);
      this.#lastPeerText = text;
    }
    return this.#lastPeer;
  }

  /** Fast open; throws when it is asked for and was not handed in. */
  #fastOpens(asked: boolean): FastOpens | null {
    if (asked && this.fastOpens === null) throw without('fastOpen');
    return this.fastOpens;
  }

  /** A connection that failed before it began: its handler hears of it from `deliver`. */
  #stillborn(remote: Address, port: number, code: 'ENETUNREACH' | 'EADDRNOTAVAIL' | 'EADDRINUSE'): Connection {
    const addressing = { local: remote, localPort: 0, remote, remotePort: port, pseudo: 0, localMss: 536 };
    const c = new Connection(this, ++this.#lastId, addressing, false);
    c.error = new NetError(code, 'connect', remote.toString(), port);
    c.closeAnnounced = true;
    c.announce(EVENT_CLOSE);
    return c;
  }

  /** @internal Commands begin with this: throws `StateError` once the host is closed. */
  assertOpen(): void {
    if (this.#closed) throw new StateError('the host is closed');
  }

  #wake(): void {
    this.onWake?.();
  }
}

/** What is asked for has to be handed to a host when it is made. */
function without(what: 'ethernet' | 'fastOpen' | 'superSegments'): StateError {
  return new StateError(`this host was made without \`${what}\` of 'synfin': new Host({ ${what}, ... })`);
}

function addressOf(text: string): Address {
  const address = parseAddress(text);
  if (address === null) throw new RangeError(`${JSON.stringify(text)} is not an IP address`);
  return address;
}

function prefixOf(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new RangeError(`${JSON.stringify(text)} is not an address with a prefix length`);
  return prefix;
}
