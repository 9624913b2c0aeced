// A run: two hosts of the real stack in virtual time, from a scenario, a seed and a list of actions. The same
// three give the same run to the octet, which is what makes rewinding a matter of looking.

import type { ByteStream, TraceEvent } from 'synfin';
import { corrupt, DROP, DUPLICATE, deliver, type Network, PASS, type PathPacket, pair, type Verdict } from 'synfin/sim';
import { readConversation } from 'synfin/trace';
import { type Action, isPacketAction, type PacketAction, type RunSpec } from './actions.ts';
import { type Deed, type End, EXTRA_DELAY, type Fate, PATH_DELAY, PORT, type Scenario, type Step } from './scenario.ts';
import { scenarioOf } from './scenarios.ts';

/** What a program did or was told. */
export interface ProgramEvent {
  readonly at: number;
  readonly end: End;
  readonly what: 'listen' | 'connect' | 'open' | 'send' | 'read' | 'ended' | 'shutdown' | 'abort' | 'closed';
  /** What was sent or read; the error of `closed`, empty when there was none. */
  readonly text: string;
  /** Number of trace events told before it: its place among them. */
  readonly order: number;
}

/** A packet as it left its sender. */
export interface PacketRecord {
  readonly id: number;
  readonly at: number;
  readonly from: End;
  readonly bytes: Uint8Array;
  /** What was done to it, by the scenario or by hand; empty for nothing. */
  readonly fate: Fate | '';
  /** When a hand did it, ms; -1 for none. */
  readonly touchedAt: number;
}

/** Everything a run leaves behind; plain data, so that it travels out of a worker. */
export interface RunRecord {
  readonly spec: RunSpec;
  readonly events: readonly TraceEvent[];
  readonly program: readonly ProgramEvent[];
  readonly packets: readonly PacketRecord[];
  /** Virtual time when nothing was left to happen, or when it was cut off, ms. */
  readonly end: number;
  readonly digest: string;
}

/** Half an hour of virtual time and these many events are enough for every scenario and most mischief. */
const LONGEST = 1_800_000;
const MOST_EVENTS = 20_000;
/**
 * The server's first time-out, ms. With the client's one second both ends would repeat themselves in the same instant
 * when the second handshake is lost, which is true and hard to look at.
 */
const SERVER_RTO = 1400;
/** The bit that damage flips: in the sequence number, behind the IPv4 header. */
const DAMAGED_BIT = (20 + 6) * 8;

function verdictOf(fate: Fate | ''): Verdict {
  if (fate === 'drop') return DROP;
  if (fate === 'delay') return deliver(PATH_DELAY + EXTRA_DELAY);
  if (fate === 'duplicate') return DUPLICATE;
  return fate === 'corrupt' ? corrupt(DAMAGED_BIT) : PASS;
}

function octets(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** One end's program: follows its steps, and does what a hand asks. */
class Program {
  readonly end: End;
  readonly #stage: Stage;
  readonly #steps: readonly Step[];
  #next = 0;
  #waiting = false;
  #stream: ByteStream | null = null;
  #open = false;
  #ended = false;
  #over = false;
  #received = 0;

  constructor(stage: Stage, end: End, steps: readonly Step[]) {
    this.#stage = stage;
    this.end = end;
    this.#steps = steps;
  }

  /** Takes a stream that is there: a client's own, or one that was accepted. */
  take(stream: ByteStream, open: boolean): void {
    this.#stream = stream;
    this.#open = open;
    stream.handler = {
      onOpen: () => {
        this.#open = true;
        this.#tell('open');
        this.#scheduleReading();
        this.go();
      },
      onReadable: () => this.#read(),
      onClose: (_stream, error) => {
        this.#over = true;
        this.#tell('closed', error?.code ?? '');
      },
    };
    if (open) this.#tell('open');
    this.go();
  }

  /** Looks whether the next step may be taken. */
  go(): void {
    const step = this.#steps[this.#next];
    if (step === undefined || this.#waiting || !this.#holds(step.when)) return;
    const take = () => {
      this.#waiting = false;
      this.#next++;
      this.perform(step);
      this.go();
    };
    this.#waiting = true;
    // At once means in the same breath: a FIN then travels with the acknowledgement of the other's.
    if (step.after === undefined) take();
    else this.#stage.network.after(step.after, take);
  }

  #holds(when: Step['when']): boolean {
    if (when === 'start') return true;
    if (when === 'open') return this.#open;
    if (when === 'peer-ended') return this.#ended;
    return this.#received >= when.received;
  }

  /** Does something, if it can still be done: a hand may have closed what the script wants to write to. */
  perform(deed: Deed): void {
    if (deed.do === 'connect') {
      this.#tell('connect');
      this.take(this.#stage.connect(this.end), false);
      return;
    }
    const stream = this.#stream;
    if (stream === null || this.#over) return;
    if (deed.do === 'send') {
      const bytes = octets(deed.text);
      if (stream.writable === 0 || bytes.length === 0) return;
      const taken = stream.send(bytes, 0, bytes.length);
      this.#tell('send', taken === bytes.length ? deed.text : deed.text.slice(0, taken));
    } else if (deed.do === 'shutdown') {
      this.#tell('shutdown');
      stream.shutdown();
    } else {
      this.#tell('abort');
      stream.abort();
    }
  }

  /** A program that sleeps leaves what comes where it is, and the window closes. */
  #scheduleReading(): void {
    const { clientSleeps } = this.#stage.scenario;
    if (this.end === 'client' && clientSleeps > 0) {
      this.#stage.network.after(clientSleeps, () => {
        this.#stage.awake = true;
        this.#read();
      });
    }
  }

  #read(): void {
    const stream = this.#stream;
    if (stream === null || (this.end === 'client' && !this.#stage.awake)) return;
    if (stream.readable > 0) {
      const bytes = new Uint8Array(stream.readable);
      stream.read(bytes, 0, bytes.length);
      this.#received += bytes.length;
      this.#tell('read', new TextDecoder().decode(bytes));
    }
    if (stream.ended && !this.#ended) {
      this.#ended = true;
      this.#tell('ended');
    }
    this.go();
  }

  #tell(what: ProgramEvent['what'], text = ''): void {
    const { network, events, program } = this.#stage;
    program.push({ at: network.now, end: this.end, what, text, order: events.length });
  }
}

/** Hosts, link and programs of one run. */
class Stage {
  readonly scenario: Scenario;
  readonly events: TraceEvent[] = [];
  readonly program: ProgramEvent[] = [];
  readonly packets: PacketRecord[] = [];
  readonly network: Network;
  readonly connect: (end: End) => ByteStream;
  readonly client: Program;
  readonly server: Program;
  /** The client's program reads what comes. */
  awake: boolean;
  /** What happened to packets as they entered the path, by number. */
  readonly #fates = new Map<number, Fate>();
  readonly #hands: ReadonlyMap<number, PacketAction>;
  /** How often each role has been played. */
  readonly #played = new Map<string, number>();

  constructor(spec: RunSpec) {
    const scenario = scenarioOf(spec.scenario);
    this.scenario = scenario;
    this.awake = scenario.clientSleeps === 0;
    this.#hands = new Map(spec.actions.filter(isPacketAction).map((a) => [a.packet, a]));
    const small = scenario.clientBuffer > 0;
    const made = pair({
      seed: spec.seed,
      impairments: { delay: PATH_DELAY },
      mtu: scenario.mtu,
      serverProfile: { rtoInitial: SERVER_RTO },
      clientProfile: small ? { receiveBuffer: scenario.clientBuffer, windowScaling: false } : {},
      trace: (event) => this.events.push(event),
    });
    this.network = made.network;
    made.link.addRule((packet) => this.#judge(packet));
    this.network.capture((packet) => {
      if (packet.point !== 'sender') return;
      const from: End = packet.path.startsWith('client') ? 'client' : 'server';
      const bytes = packet.bytes.slice(packet.from, packet.to);
      this.packets.push({ id: packet.id, at: packet.at, from, bytes, fate: '', touchedAt: -1 });
    });
    const crossed = !scenario.listens && scenario.server.length > 0;
    this.connect = (end) => {
      const host = end === 'client' ? made.client : made.server;
      const address = end === 'client' ? made.serverAddress : made.clientAddress;
      return host.connect(crossed ? { address, port: PORT, localPort: PORT } : { address, port: PORT });
    };
    this.client = new Program(this, 'client', scenario.client);
    this.server = new Program(this, 'server', scenario.server);
    if (!scenario.listens) return;
    // A host tells of LISTEN when a connection comes of it; the tale begins with it.
    const listening = { type: 'state', at: 0, host: 'server', conn: 0, from: 'CLOSED', to: 'LISTEN' } as const;
    this.events.push({ ...listening, cause: 'passive open' });
    this.program.push({ at: 0, end: 'server', what: 'listen', text: '', order: 0 });
    const listener = made.server.listen({ port: PORT }, (stream) => {
      this.server.take(stream, true);
      listener.close();
    });
  }

  /** A hand decides first, then the scenario. */
  #judge(packet: PathPacket): Verdict {
    const hand = this.#hands.get(packet.id);
    const fate = this.#scripted(packet.id);
    const chosen = hand?.kind ?? fate;
    if (chosen !== '') this.#fates.set(packet.id, chosen);
    return verdictOf(chosen);
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

  /** What was done to a packet, and when by hand. */
  touched(packet: PacketRecord): PacketRecord {
    const fate = this.#fates.get(packet.id) ?? '';
    return { ...packet, fate, touchedAt: this.#hands.get(packet.id)?.at ?? -1 };
  }

  command(action: Action): void {
    if (isPacketAction(action)) return;
    const program = action.end === 'client' ? this.client : this.server;
    this.network.at(action.at, () => {
      if (action.kind === 'send') program.perform({ do: 'send', text: action.text });
      else program.perform({ do: action.kind === 'close' ? 'shutdown' : 'abort' });
    });
  }
}

/** Makes a run, from its beginning until nothing is left to happen. */
export function simulate(spec: RunSpec): RunRecord {
  const stage = new Stage(spec);
  const { network } = stage;
  for (const action of spec.actions) stage.command(action);
  stage.client.go();
  stage.server.go();
  network.run({ until: LONGEST, when: () => network.events > MOST_EVENTS || quiet(network) });
  return {
    spec,
    events: stage.events,
    program: stage.program,
    packets: stage.packets.map((p) => stage.touched(p)),
    end: network.now,
    digest: network.digest,
  };
}

/** Nothing is left to happen: the clock stays where it is. */
function quiet(network: Network): boolean {
  return network.nextAt === Number.POSITIVE_INFINITY;
}
