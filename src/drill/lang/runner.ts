// Runs a script against a fresh host in virtual time, and says where the two part.

import { ACK, RST, SYN } from '../../wire/tcp.ts';
import { OP } from '../frames.ts';
import { type Actual, formatActual, formatTime } from './actual.ts';
import { AgentLink, type Returned } from './agent-link.ts';
import { runAssertions, type Value } from './assertions.ts';
import { buildIcmp, buildTcp } from './build.ts';
import { compareIcmp, compareTcp } from './compare.ts';
import { errorName, errorNumber } from './constants.ts';
import { type Conversation, Conversations } from './conversation.ts';
import { AssertionError, type Place, ScriptError } from './cursor.ts';
import { infoField } from './info-fields.ts';
import { type CallEnv, type Invocation, invoke } from './invoke.ts';
import { type Observation, Observer } from './observe.ts';
import { parseScript } from './parser.ts';
import { type RunOptions, readSettings, type Settings } from './run-options.ts';
import type { CallSpec, IcmpSpec, Script, ScriptEvent, TcpSpec } from './script.ts';
import { type AddressDefault, BodyWriter, field, numberOf } from './values.ts';

const ANYWHERE = Int32Array.of(0, 0, 0, 0);

/** Where a script and the host part. */
export interface Failure extends Place {
  /** One sentence. */
  readonly message: string;
  /** What the script says there, and what was seen; empty where there is nothing to show. */
  readonly expected: string;
  readonly actual: string;
}

/** What came of a run. */
export interface DrillResult {
  /** `broken`: the script cannot be read, or asks for what does not exist. */
  readonly outcome: 'passed' | 'failed' | 'broken';
  readonly failure: Failure | null;
  /** Events that were run. */
  readonly events: number;
  /** Virtual time at the end, microseconds. */
  readonly time: number;
  /** What `print` said in assertions. */
  readonly output: readonly string[];
  /** In which state of RFC 9293 §3.3.2 which event of §3.10 found the host. */
  readonly observed: readonly Observation[];
}

/** The host did something else than the script says. */
class Mismatch extends Error {
  readonly expected: string;
  readonly actual: string;

  constructor(message: string, expected = '', actual = '') {
    super(message);
    this.expected = expected;
    this.actual = actual;
  }
}

/** Which call a blocked call is, and when it has to return. */
interface Pending {
  readonly event: ScriptEvent;
  readonly call: CallSpec;
  readonly invocation: Invocation;
  /** Microseconds; -1 when it does not matter. */
  readonly end: number;
  readonly previous: number;
}

/**
 * Runs a script in the language of packetdrill against a fresh host. Virtual time: a script of an hour takes
 * milliseconds, and the same script gives the same result every time.
 *
 * @param text the script
 * @param options the host's profile and version of IP, tolerances, strictness
 * @example
 * ```ts
 * import { runScript } from 'synfin/drill';
 *
 * const result = runScript(`
 *   0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
 *  +0 bind(3, ..., ...) = 0
 *  +0 listen(3, 1) = 0
 *  +0 < S 0:0(0) win 1000 <mss 1460>
 *  +0 > S. 0:0(0) ack 1 <...>
 * `);
 * console.log(result.outcome, result.failure?.message ?? '');
 * ```
 */
export function runScript(text: string, options: RunOptions = {}): DrillResult {
  let runner: Runner | null = null;
  try {
    const script = parseScript(text);
    runner = new Runner(script, readSettings(options, script.options));
    runner.run();
    return runner.result('passed', null);
  } catch (error) {
    const failed = error instanceof Mismatch;
    if (!failed && !(error instanceof ScriptError)) throw error;
    const place = failed ? (runner?.place ?? { line: 1, column: 1 }) : error.place;
    const [expected, actual] = failed ? [error.expected, error.actual] : ['', ''];
    const failure = { ...place, message: error.message, expected, actual };
    const outcome = failed || error instanceof AssertionError ? 'failed' : 'broken';
    return runner?.result(outcome, failure) ?? nothing(outcome, failure);
  }
}

function nothing(outcome: DrillResult['outcome'], failure: Failure): DrillResult {
  return { outcome, failure, events: 0, time: 0, output: [], observed: [] };
}

class Runner {
  readonly #script: Script;
  readonly #s: Settings;
  readonly #link: AgentLink;
  readonly #observer: Observer;
  readonly #fds: Map<number, number> = new Map();
  /** The port each bound socket has, by the script's descriptor. */
  readonly #ports: Map<number, number> = new Map();
  readonly #conversations: Conversations;
  #pending: Pending | null = null;
  /** Script time of the last event, and whether it was given as a moment. */
  #last = 0;
  #anchored = true;
  #lastFd = -1;
  readonly #variables: Map<string, Value> = new Map();
  readonly #output: string[] = [];
  #events = 0;
  /** Where the run is. */
  place: Place = { line: 1, column: 1 };

  constructor(script: Script, settings: Settings) {
    this.#script = script;
    this.#s = settings;
    const { profile, mtu, localText, remoteText, v6 } = settings;
    const args = [`--mtu=${mtu}`, `--local_ip=${localText}`, `--remote_ip=${remoteText}`];
    if (v6) args.push('--ip_version=ipv6');
    this.#link = new AgentLink(profile, args, (event) => this.#observer?.trace(event));
    this.#observer = new Observer(this.#link.session);
    this.#conversations = new Conversations(settings.bindPort);
  }

  result(outcome: DrillResult['outcome'], failure: Failure | null): DrillResult {
    const { observed } = this.#observer;
    return { outcome, failure, events: this.#events, time: this.#link.now, output: this.#output, observed };
  }

  run(): void {
    for (const event of this.#script.events) {
      this.place = event.place;
      this.#event(event);
      this.#events++;
    }
    this.#settlePending();
    const left = this.#link.packets[0];
    if (this.#s.strict && left !== undefined) {
      throw new Mismatch('a packet that the script does not have', '', this.#shown(left));
    }
  }

  // --- time ---

  #event(event: ScriptEvent): void {
    const { when, action } = event;
    const anchored = when.kind !== 'any' && !when.range;
    // Behind an event of unsure time, what is relative counts from when that one happened.
    const base = when.kind === 'absolute' ? 0 : this.#anchored && anchored ? this.#last : this.#link.now;
    const from = when.kind === 'any' ? this.#link.now : base + when.from;
    const to = base + when.to;
    if (when.kind === 'absolute' && from < this.#last) {
      throw new ScriptError('this event is before the one above it', event.place);
    }
    const previous = this.#last;
    this.#anchored = anchored;
    this.#last = from;
    if (action.kind === 'packet' && !action.packet.inbound) {
      this.#expect(event, action.packet, from, to, previous);
      return;
    }
    this.#link.advance(from);
    if (when.kind !== 'any') this.#onTime(from, to, this.#link.now, previous, 'the event');
    if (action.kind === 'packet') this.#arrive(event, action.packet);
    else if (action.kind === 'call') this.#call(event, action.call, base, previous);
    else if (action.kind === 'command') this.#command(action.text);
    else this.#assert(action.text, action.place);
  }

  /** Stops unless a moment is where it should be. */
  #onTime(from: number, to: number, actual: number, previous: number, what: string): void {
    const { tolerance, tolerancePercent } = this.#s;
    const allowed = Math.max(tolerance, Math.floor(((from - previous) * tolerancePercent) / 100));
    if (actual >= from - allowed && actual <= to + allowed) return;
    const wanted = from === to ? `at ${formatTime(from)}` : `from ${formatTime(from)} to ${formatTime(to)}`;
    throw new Mismatch(`${what} was expected ${wanted} and happened at ${formatTime(actual)}`);
  }

  // --- packets ---

  #arrive(event: ScriptEvent, packet: TcpSpec | IcmpSpec): void {
    const { ends, stampTick } = this.#s;
    const [remotePort, localPort] = packet.protocol === 'tcp' ? [packet.srcPort, packet.dstPort] : [0, 0];
    const to = this.#conversations.arriving(localPort, remotePort);
    if (packet.protocol === 'tcp') {
      const bytes = buildTcp(packet, to, ends, stampTick > 0);
      this.#observer.segment(event.place.line, to, packet);
      if ((packet.flags & (SYN | RST | ACK)) === SYN && !this.#isAlive(to)) to.renew();
      this.#link.inject(bytes);
      return;
    }
    const bytes = buildIcmp(packet, to, ends);
    if (bytes === null) throw new ScriptError('this version of IP has no such message', event.place);
    this.#link.inject(bytes);
  }

  /** The host has this connection, and it is not only waiting for old duplicates. */
  #isAlive(to: Conversation): boolean {
    const all = this.#link.session.host?.connections() ?? [];
    const c = all.find((one) => one.localPort === to.localPort && one.remotePort === to.remotePort);
    return c !== undefined && c.state !== 'TIME-WAIT' && c.state !== 'CLOSED';
  }

  /** Waits for a packet of the host and holds it against the script. */
  #expect(event: ScriptEvent, spec: TcpSpec | IcmpSpec, from: number, to: number, previous: number): void {
    const first = this.#nextPacket(spec.protocol);
    if (first === null) throw new Mismatch('no packet: the host has nothing more to do', event.text);
    const of = this.#conversationOf(first, spec);
    const difference =
      spec.protocol === 'icmp' ? compareIcmp(spec, first, this.#s.v6) : this.#compareSegment(spec, first, of);
    if (difference !== null) throw new Mismatch(difference, event.text, this.#shown(first));
    if (event.when.kind !== 'any') {
      try {
        this.#onTime(from, to, first.time, previous, 'the packet');
      } catch (error) {
        if (!(error instanceof Mismatch)) throw error;
        throw new Mismatch(error.message, event.text, this.#shown(first));
      }
    }
    if (spec.protocol === 'tcp' && of !== null) this.#wholeSegment(event, spec, first, of);
  }

  /**
   * The next packet of the host, for which time passes if it has to. Where the script expects a segment, ICMP is not
   * looked at (an answer to an echo), except in a strict run.
   */
  #nextPacket(protocol: 'tcp' | 'icmp'): Actual | null {
    while (this.#link.runUntilPacket()) {
      const packet = this.#link.packets.shift();
      if (packet === undefined) return null;
      if (protocol === 'icmp' || packet.icmp === null || this.#s.strict) return packet;
    }
    return null;
  }

  /** The connection of a packet that the host sent; its SYN says which number it begins with. */
  #conversationOf(packet: Actual, spec: TcpSpec | IcmpSpec): Conversation | null {
    const t = packet.tcp;
    if (t === null) return null;
    const found = this.#conversations.leaving(t.srcPort, t.dstPort, (t.flags & (SYN | ACK)) === SYN);
    if (spec.protocol === 'tcp' && (t.flags & SYN) !== 0) found.learn(spec.seq, t.seq);
    return found;
  }

  #compareSegment(spec: TcpSpec, actual: Actual, of: Conversation | null): string | null {
    if (of === null) return 'it is no TCP segment';
    const { stampTick, tolerance } = this.#s;
    const parts = (actual.tcp?.length ?? 0) < spec.length;
    return compareTcp(spec, actual, of, { tick: stampTick, tolerance }, !parts);
  }

  /** A script may write several segments of one size as one large one; the others follow at once. */
  #wholeSegment(event: ScriptEvent, spec: TcpSpec, first: Actual, of: Conversation): void {
    const size = first.tcp?.length ?? 0;
    let next = of.script(first.tcp?.seq ?? 0);
    if (size < spec.length && next !== (spec.seq | 0)) {
      throw new Mismatch(`the sequence number is ${next >>> 0}, not ${spec.seq}`, event.text, this.#shown(first));
    }
    let covered = size;
    next = (next + size) | 0;
    while (covered < spec.length) {
      if (size === 0 || !this.#link.runUntilPacket()) {
        throw new Mismatch(`${covered} octets came, not ${spec.length}`, event.text, this.#shown(first));
      }
      const part = this.#link.packets.shift();
      if (part === undefined) return;
      const length = part.tcp?.length ?? 0;
      const last = covered + length === spec.length;
      const spot: TcpSpec = { ...spec, seq: next, length: Math.min(size, spec.length - covered) };
      const wrong =
        compareTcp(spot, part, of, { tick: 0, tolerance: 0 }, last) ??
        (of.script(part.tcp?.seq ?? 0) === next && length === spot.length ? null : 'it is not the next piece') ??
        (part.time === first.time ? null : 'it came later than the first part');
      if (wrong !== null) throw new Mismatch(`a part of the segment: ${wrong}`, event.text, this.#shown(part));
      covered += length;
      next = (next + length) | 0;
    }
  }

  #shown(packet: Actual): string {
    const t = packet.tcp;
    return formatActual(packet, t === null ? null : this.#conversations.find(t.srcPort, t.dstPort));
  }

  // --- calls ---

  #env(): CallEnv {
    const { v6, bindPort, connectPort, ends } = this.#s;
    const bindTo: AddressDefault = { v6, address: ANYWHERE, port: bindPort };
    const connectTo: AddressDefault = { v6, address: ends.remote, port: connectPort };
    return { v6, bindTo, connectTo, fd: (script) => this.#fds.get(script) ?? -1 };
  }

  #call(event: ScriptEvent, call: CallSpec, base: number, previous: number): void {
    this.#settlePending();
    this.place = event.place;
    const env = this.#env();
    const invocation = invoke(call, env);
    this.#observer.call(event.place.line, call, invocation.fd);
    const returned = this.#link.call(invocation.op, invocation.fd, invocation.body);
    const end = call.end < 0 ? -1 : (event.when.kind === 'absolute' ? 0 : base) + call.end;
    this.#note(call);
    const pending = { event, call, invocation, end, previous };
    if (returned !== null) {
      this.#returned(pending, returned);
      return;
    }
    this.#pending = pending;
    if (end < 0) this.#settlePending();
  }

  /** What a call does to the runner's own view of sockets and ports. */
  #note(call: CallSpec): void {
    const [first, second] = call.args;
    const fd = first?.kind === 'number' ? first.value : -1;
    if (call.name === 'bind' && second !== undefined) {
      const port = field(second, 'sin_port') ?? field(second, 'sin6_port');
      this.#ports.set(fd, port === undefined ? this.#s.bindPort : numberOf(port, 'sin_port', second));
    }
    if (call.name === 'listen') {
      this.#conversations.listens(this.#ports.get(fd) ?? this.#s.bindPort);
    }
    if (call.name === 'connect') this.#conversations.connects();
  }

  /** Waits for the blocked call, if there is one, and looks at what it gave. */
  #settlePending(): void {
    const pending = this.#pending;
    if (pending === null) return;
    this.#pending = null;
    this.place = pending.event.place;
    const returned = this.#link.runUntilReturn();
    if (returned === null) {
      throw new Mismatch(`${pending.call.name} never returns: the host has nothing more to do`, pending.event.text);
    }
    this.#returned(pending, returned);
  }

  #returned(pending: Pending, returned: Returned): void {
    const { event, call, invocation, end, previous } = pending;
    const { ret, errno, payload } = returned;
    const error = errno === 0 ? '' : ` ${errorName(errno)}`;
    const fail = (what: string): never => {
      throw new Mismatch(what, event.text, `${formatTime(returned.time)} ${call.name}(...) = ${ret}${error}`);
    };
    const wanted = call.result.kind === 'any' ? ret : numberOf(call.result, 'what the call returns', call.result);
    const opened = invocation.opens && wanted >= 0 && ret >= 0;
    if (wanted !== ret && !opened) fail(`${call.name} returned ${ret}${error}, not ${wanted}`);
    if (ret < 0 && call.error !== '') {
      const number = errorNumber(call.error);
      if (number === undefined) throw new ScriptError(`no error has the name '${call.error}'`, call.place);
      if (number !== errno) fail(`${call.name} failed with${error}, not ${call.error}`);
    }
    if (end >= 0) this.#onTime(end, end, returned.time, previous, `the return of ${call.name}`);
    const wrong = ret < 0 ? null : invocation.check(payload, ret);
    if (wrong !== null) fail(`${call.name}: ${wrong}`);
    if (opened) {
      this.#fds.set(wanted, ret);
      if (call.name !== 'epoll_create' && call.name !== 'epoll_create1') this.#lastFd = ret;
    }
    if (call.name === 'close' && ret === 0) this.#closed(call);
  }

  #closed(call: CallSpec): void {
    const [first] = call.args;
    if (first?.kind !== 'number') return;
    const agent = this.#fds.get(first.value);
    this.#fds.delete(first.value);
    if (agent !== this.#lastFd) return;
    // Assertions look at the newest socket that is still there.
    this.#lastFd = [...this.#fds.values()].reduce((most, fd) => Math.max(most, fd), -1);
  }

  // --- the rest ---

  #command(text: string): void {
    if (this.#link.system(text) !== 0)
      throw new ScriptError(`the command is not understood: ${text.trim()}`, this.place);
  }

  #assert(text: string, place: Place): void {
    const body = new BodyWriter().u32(6).u32(11).u32(280).body;
    const info = this.#lastFd < 0 ? null : this.#link.call(OP.GETSOCKOPT, this.#lastFd, body);
    this.#observer.status(this.place.line, this.#lastFd);
    const bytes = info !== null && info.ret === 0 ? info.payload : new Uint8Array(0);
    runAssertions(text, place, {
      variables: this.#variables,
      lookup: (name) => infoField(bytes, name),
      print: (line) => this.#output.push(line),
    });
  }
}
