// The stage of one run: two hosts of the real stack, the path between them, their programs, and the hands.

import { type Connection, cubic, inspect, newReno, type TraceEvent } from 'synfin';
import {
  corrupt,
  DROP,
  DUPLICATE,
  deliver,
  type Network,
  PASS,
  type Pair,
  type PathPacket,
  pair,
  type Verdict,
} from 'synfin/sim';
import { readConversation } from 'synfin/trace';
import {
  type Action,
  type ForgeAction,
  isPacketAction,
  type KnobAction,
  type PacketAction,
  type RunSpec,
} from './actions.ts';
import { type ForgedPacket, forge } from './forge.ts';
import { type Actor, octets, Program, type Surroundings } from './program.ts';
import type { Answer, Inside, PacketRecord, ProgramEvent } from './record.ts';
import { type End, EXTRA_DELAY, type Fate, LINGER, NOBODY, PATH_DELAY, PORT, type Scenario } from './scenario.ts';
import { scenarioOf } from './scenarios.ts';
import type { WebActors } from './web.ts';

/**
 * The server's first time-out, ms. With the client's one second both ends would repeat themselves in the same instant
 * when the second handshake is lost, which is true and hard to look at.
 */
const SERVER_RTO = 1400;
/** The bit that damage flips: in the sequence number, behind the IPv4 header. */
const DAMAGED_BIT = (20 + 6) * 8;
/** Packets that may wait where the path has a rate, octets. */
const QUEUE = 16 * 1500;
/** Where a flood says that it comes from: addresses of the network that nobody has. */
const FLOOD_NETWORK = '10.0.0.';
const FLOOD_FIRST = 101;

/** A packet while the run goes on. */
type Draft = { -readonly [K in keyof PacketRecord]: PacketRecord[K] } & {
  arrivals: { at: number; bytes: Uint8Array }[];
};

/** Hosts, link, programs and hands of one run. */
export class Stage implements Surroundings {
  readonly scenario: Scenario;
  readonly events: TraceEvent[] = [];
  readonly program: ProgramEvent[] = [];
  readonly insides: Inside[] = [];
  readonly answers: Answer[] = [];
  readonly network: Network;
  readonly #pair: Pair;
  readonly #actors: Readonly<Record<End, Actor>>;
  readonly #packets = new Map<number, Draft>();
  readonly #hands: ReadonlyMap<number, PacketAction>;
  /** How often each role has been played. */
  readonly #played = new Map<string, number>();
  /** A copy that comes much later has a number of its own in the network, and is the same packet here. */
  readonly #copies = new Map<number, number>();
  readonly #connections: Record<End, Connection | null> = { client: null, server: null };
  /** What was last noted of the inside of each end. */
  readonly #noted: Record<End, string> = { client: '', server: '' };

  /** @param web who plays where the scenario wants a browser and a web server; `null` where it does not */
  constructor(spec: RunSpec, web: WebActors | null) {
    const scenario = scenarioOf(spec.scenario);
    this.scenario = scenario;
    this.#hands = new Map(spec.actions.filter(isPacketAction).map((a) => [a.packet, a]));
    const window = scenario.initialWindow > 0 ? { initialWindow: scenario.initialWindow } : {};
    const { flood } = scenario;
    const memory =
      flood === null ? {} : ({ synBacklog: flood.backlog, synCookies: flood.cookies ? 'pressure' : 'never' } as const);
    const small = scenario.clientBuffer > 0;
    this.#pair = pair({
      seed: spec.seed,
      impairments: { delay: PATH_DELAY, rate: scenario.rate, ...(scenario.queue > 0 ? { queue: scenario.queue } : {}) },
      mtu: scenario.mtu,
      serverProfile: { rtoInitial: SERVER_RTO, ...window, ...memory },
      clientProfile: { ...window, ...(small ? { receiveBuffer: scenario.clientBuffer, windowScaling: false } : {}) },
      trace: (event) => this.#trace(event),
    });
    this.network = this.#pair.network;
    this.#pair.link.addRule((packet) => this.#judge(packet));
    this.network.capture((packet) => {
      const bytes = packet.bytes.slice(packet.from, packet.to);
      const id = this.#copies.get(packet.id) ?? packet.id;
      if (packet.point === 'receiver') {
        this.#packets.get(id)?.arrivals.push({ at: packet.at, bytes });
      } else if (!this.#packets.has(id)) {
        const from: End = packet.path.startsWith('client') ? 'client' : 'server';
        const { delay } = (from === 'client' ? this.#pair.link.aToB : this.#pair.link.bToA).impairments;
        const fresh = { id, at: packet.at, from, bytes, fate: '', touchedAt: -1, delay, forged: false } as const;
        this.#packets.set(id, { ...fresh, arrivals: [] });
      }
    });
    this.network.onEvent(() => this.note());
    if (scenario.web && web === null) throw new TypeError(`${scenario.id} needs a browser and a web server`);
    this.#actors =
      web !== null && scenario.web
        ? web(this, this.answers)
        : {
            client: new Program(this, 'client', scenario.client, scenario.clientSleeps),
            server: new Program(this, 'server', scenario.server, 0),
          };
    if (scenario.listens) this.#listen();
    this.#flood();
    for (const action of spec.actions) this.#schedule(action);
  }

  get now(): number {
    return this.network.now;
  }

  /** Begins. */
  start(): void {
    this.#actors.client.go();
    this.#actors.server.go();
  }

  // --- what programs use ---

  connect(end: End): Connection {
    const { client, server, clientAddress, serverAddress } = this.#pair;
    const host = end === 'client' ? client : server;
    const address = end === 'client' ? serverAddress : clientAddress;
    const crossed = !this.scenario.listens && this.scenario.server.length > 0;
    const made = host.connect(crossed ? { address, port: PORT, localPort: PORT } : { address, port: PORT });
    this.#connections[end] = made;
    return made;
  }

  after(delay: number, act: () => void): void {
    this.network.after(delay, act);
  }

  tell(end: End, what: ProgramEvent['what'], text = ''): void {
    this.program.push({ at: this.network.now, end, what, text, order: this.events.length });
  }

  #listen(): void {
    const { server } = this.#pair;
    const { flood } = this.scenario;
    // A host tells of LISTEN when a connection comes of it; the tale begins with it.
    const listening = { type: 'state', at: 0, host: 'server', conn: 0, from: 'CLOSED', to: 'LISTEN' } as const;
    this.events.push({ ...listening, cause: 'passive open' });
    this.tell('server', 'listen');
    const listener = server.listen({ port: PORT, ...(flood === null ? {} : { backlog: flood.backlog }) }, (stream) => {
      this.#connections.server = stream;
      this.#actors.server.take(stream, true);
      // One connection is the tale; a listener that a flood has filled goes on being one.
      if (flood === null) listener.close();
    });
  }

  // --- the path ---

  #trace(event: TraceEvent): void {
    const packet = 'packet' in event ? this.#copies.get(event.packet) : undefined;
    this.events.push(packet === undefined ? event : ({ ...event, packet } as TraceEvent));
  }

  /** A hand decides first, then the scenario. */
  #judge(packet: PathPacket): Verdict {
    // A copy has had its fate.
    if (this.#copies.has(packet.id)) return PASS;
    const hand = this.#hands.get(packet.id);
    const fate = hand?.kind ?? this.#scripted(packet.id);
    const draft = this.#packets.get(packet.id);
    if (draft !== undefined) {
      draft.fate = fate;
      draft.touchedAt = hand?.at ?? -1;
    }
    return this.#verdictOf(fate, packet);
  }

  #verdictOf(fate: Fate | '', packet: PathPacket): Verdict {
    const draft = this.#packets.get(packet.id);
    if (fate === 'drop') return DROP;
    if (fate === 'delay') return deliver((draft?.delay ?? PATH_DELAY) + EXTRA_DELAY);
    if (fate === 'duplicate') return DUPLICATE;
    if (fate === 'corrupt') return corrupt(DAMAGED_BIT);
    if (fate === 'linger' && draft !== undefined) {
      this.network.after(Math.max(LINGER - draft.delay, 1), () => this.#inject(draft.from, draft.bytes, draft.id));
    }
    return PASS;
  }

  /** Puts a packet on the way from an end; `copyOf` names the packet it is a late copy of, 0 for none. */
  #inject(from: End, bytes: Uint8Array, copyOf: number): number {
    const id = this.network.packets + 1;
    if (copyOf > 0) this.#copies.set(id, copyOf);
    this.#pair.link.inject(from === 'client' ? 'b' : 'a', bytes);
    return id;
  }

  /** What the scenario has in mind for the packet, by the part it plays in what was told so far. */
  #scripted(id: number): Fate | '' {
    const { fates } = this.scenario;
    if (fates.length === 0) return '';
    const crossing = readConversation(this.events, { left: 'client' })?.crossings.find((c) => c.packet === id);
    if (crossing === undefined) return '';
    const nth = (this.#played.get(crossing.role) ?? 0) + 1;
    this.#played.set(crossing.role, nth);
    return fates.find((f) => f.role === crossing.role && f.nth === nth)?.fate ?? '';
  }

  // --- segments that no host of ours sent ---

  #flood(): void {
    const { flood } = this.scenario;
    if (flood === null) return;
    for (let i = 0; i < flood.count; i++) {
      this.network.at(flood.from + i * flood.every, () => {
        const source = `${FLOOD_NETWORK}${FLOOD_FIRST + i}`;
        // Any number will do: the answer goes to nobody.
        const seq = Math.imul(i + 1, 0x9e37_79b1);
        const base = { sourcePort: 1024 + 7 * i, destination: this.#pair.serverAddress, destinationPort: PORT };
        const rest = { ack: 0, flags: 2, wnd: 1024, payload: new Uint8Array(0), timestamps: null };
        this.#sendForged('client', NOBODY, { source, ...base, seq, ...rest });
      });
    }
  }

  /** Sends a packet made by hand, and tells of it as a host would. */
  #sendForged(from: End, host: string, p: ForgedPacket): void {
    const id = this.#inject(from, forge(p), 0);
    const draft = this.#packets.get(id);
    if (draft !== undefined) draft.forged = true;
    this.events.push({
      type: 'segment',
      at: this.network.now,
      host,
      dir: 'out',
      packet: id,
      conn: host === NOBODY ? 0 : (this.#connections[from]?.id ?? 0),
      src: p.source,
      srcPort: p.sourcePort,
      dst: p.destination,
      dstPort: p.destinationPort,
      seq: p.seq,
      ack: p.ack,
      flags: p.flags,
      len: p.payload.length,
      wnd: p.wnd,
      state: host === NOBODY ? 'CLOSED' : (this.#connections[from]?.state ?? 'CLOSED'),
      again: false,
      probe: false,
    });
  }

  /** A segment by hand: its numbers are told from where the receiver stands. */
  #forge(action: ForgeAction): void {
    const { end, segment } = action;
    const receiver = this.connectionAt(end === 'client' ? 'server' : 'client');
    if (receiver === null) return;
    const view = inspect(receiver);
    this.#sendForged(end, end, {
      source: receiver.remoteAddress,
      sourcePort: receiver.remotePort,
      destination: receiver.localAddress,
      destinationPort: receiver.localPort,
      seq: (view.rcvNxt + segment.seq) | 0,
      ack: (view.sndNxt + segment.ack) | 0,
      flags: segment.flags,
      wnd: segment.wnd,
      payload: octets(segment.text).slice(0, view.mss),
      timestamps: view.timestamps ? [view.tsRecent, 0] : null,
    });
  }

  // --- hands ---

  #schedule(action: Action): void {
    if (isPacketAction(action)) return;
    this.network.at(action.at, () => {
      if (action.kind === 'set') this.#turn(action);
      else if (action.kind === 'forge') this.#forge(action);
      else if (action.kind === 'send' || action.kind === 'get')
        this.#actors[action.end].perform({ do: action.kind, text: action.text });
      else this.#actors[action.end].perform({ do: action.kind === 'close' ? 'shutdown' : 'abort' });
    });
  }

  #turn({ knob, end, value }: KnobAction): void {
    const { link } = this.#pair;
    if (knob === 'delay') link.impair({ delay: value });
    else if (knob === 'loss') link.impair({ loss: value / 100 });
    else if (knob === 'rate') link.impair({ rate: value * 1000, queue: QUEUE });
    if (end === '') return;
    if (knob === 'reads') this.#actors[end].setReading(value === 1);
    const connection = this.connectionAt(end);
    if (connection === null) return;
    if (knob === 'nagle') connection.setNoDelay(value === 0);
    else if (knob === 'window') connection.setReceiveBuffer(value);
    else if (knob === 'congestion') connection.setCongestionControl(value === 1 ? newReno : cubic);
  }

  // --- what is noted ---

  /** The connection of the tale at an end: half-open ones too, which no program has been given yet. */
  connectionAt(end: End): Connection | null {
    const known = this.#connections[end];
    if (known !== null || end === 'client') return known;
    const client = this.#connections.client;
    const mine = (c: Connection) => c.remotePort === client?.localPort && c.remoteAddress === client.localAddress;
    this.#connections.server = this.#pair.server.connections().find(mine) ?? null;
    return this.#connections.server;
  }

  /** Notes the inside of both ends, where it has changed. */
  note(): void {
    for (const end of ['client', 'server'] as const) {
      const connection = this.connectionAt(end);
      if (connection === null) continue;
      const view = inspect(connection);
      const text = JSON.stringify(view);
      if (text === this.#noted[end]) continue;
      this.#noted[end] = text;
      this.insides.push({ end, at: this.network.now, order: this.events.length, view });
    }
  }

  /** Every packet, in order of sending. */
  packets(): PacketRecord[] {
    return [...this.#packets.values()];
  }
}
