// Runs the demonstration: two hosts on a simulated network, one page over HTTP, everything recorded.
//
// Nothing here touches the process: a run follows from its options alone, so the same options give the same
// events, the same packets and the same digest.

import { Sha256 } from '../base/sha256.ts';
import { STATES, type State } from '../base/state.ts';
import type { ByteStream, StreamHandler } from '../base/stream.ts';
import type { TraceEvent } from '../base/trace.ts';
import { HttpClientStream, HttpServerStream, type ServerResponse } from '../http/index.ts';
import { type CapturedPacket, type Network, pair } from '../sim/index.ts';
import { type LoseName, Loser } from './demo-lose.ts';
import { LAST_WORDS, makePage } from './demo-page.ts';

/** Who ends the conversation. */
export type Closer = 'client' | 'server' | 'both';

/** What can be chosen about a run. Fractions are in [0, 1], times in ms, sizes in octets. */
export interface DemoOptions {
  readonly seed: number;
  readonly loss: number;
  readonly reorder: number;
  readonly dup: number;
  readonly corrupt: number;
  readonly rtt: number;
  /** Octets of the page. */
  readonly size: number;
  /** Segments that are lost on purpose, once each. */
  readonly lose: readonly LoseName[];
  readonly close: Closer;
}

/** The run that `npm start` shows. */
export const DEFAULT_DEMO: DemoOptions = {
  seed: 9293,
  loss: 0.03,
  reorder: 0.03,
  dup: 0,
  corrupt: 0,
  rtt: 40,
  size: 100_000,
  lose: ['wave4'],
  close: 'client',
};

/** A packet as it left its sender or as it arrived. */
export interface DemoPacket {
  /** Pairs it with the trace. */
  readonly id: number;
  readonly at: number;
  readonly from: 'client' | 'server';
  readonly point: 'sender' | 'receiver';
  /** The path flipped a bit of these bytes. */
  readonly corrupted: boolean;
  readonly bytes: Uint8Array;
}

/** How much went in or came out, and its hash. */
interface Amount {
  readonly octets: number;
  readonly sha256: string;
}

/** Everything a run leaves behind. */
export interface DemoResult {
  readonly options: DemoOptions;
  readonly events: readonly TraceEvent[];
  readonly packets: readonly DemoPacket[];
  /** Start lines of the HTTP messages, by the packet that carries them. */
  readonly names: ReadonlyMap<number, string>;
  readonly sent: Amount;
  readonly received: Amount;
  /** What arrived is what was sent, and both ends are closed. */
  readonly ok: boolean;
  /** Why the exchange failed; empty when it did not. */
  readonly error: string;
  /** States that either end was in, in the order of the RFC. */
  readonly states: readonly State[];
  /** Segments that were to be lost and never came by. */
  readonly notLost: readonly LoseName[];
  /** Virtual time at the end, ms. */
  readonly end: number;
  /** Fingerprint of the whole run. */
  readonly digest: string;
}

const PORT = 80;
/** How long the server thinks before its last words, and between them and its FIN, ms. */
const PONDER = 30;
const PAUSE = 50;

/** What the two programs share: only the narrator of this play knows both. */
class Play {
  readonly network: Network;
  readonly options: DemoOptions;
  readonly page: Uint8Array;
  readonly received: Sha256 = new Sha256();
  octets = 0;
  complete = false;
  error = '';

  constructor(network: Network, options: DemoOptions, page: Uint8Array) {
    this.network = network;
    this.options = options;
    this.page = page;
  }

  /** Octets that the server keeps back for its last words. */
  get keptBack(): number {
    return this.options.close === 'client' ? Math.min(LAST_WORDS, this.page.length >> 1) : 0;
  }
}

/** Calls `then` once the peer has ended its direction, beside what the stream's own handler does. */
function whenPeerEnds(stream: ByteStream, then: () => void): void {
  const inner = stream.handler as StreamHandler;
  let told = false;
  stream.handler = {
    onOpen: (s) => inner.onOpen?.(s),
    onWritable: (s) => inner.onWritable?.(s),
    onClose: (s, error) => inner.onClose?.(s, error),
    onReadable: (s) => {
      inner.onReadable?.(s);
      if (!s.ended || told) return;
      told = true;
      then();
    },
  };
}

/** The server's program: a page, and last words when the client has said that it is done. */
function serve(play: Play, stream: ByteStream): HttpServerStream {
  const { page, network } = play;
  const bulk = page.length - play.keptBack;
  let answer: ServerResponse | null = null;
  let at = 0;
  const push = () => {
    if (answer === null) return;
    if (at < bulk) at += answer.write(page, at, bulk);
    if (at === bulk && play.options.close !== 'client') answer.end();
  };
  const http = new HttpServerStream(stream, {
    onRequest(_request, response) {
      answer = response;
      response.writeHead(200, {
        'Content-Type': 'text/html; charset=utf-8',
        'Content-Length': String(page.length),
      });
      response.onDrain = push;
      response.flushHeaders();
      push();
    },
  });
  if (play.options.close === 'client') {
    whenPeerEnds(stream, () => {
      network.after(PONDER, () => {
        if (bulk < page.length) answer?.write(page, bulk, page.length);
        network.after(PAUSE, () => answer?.end());
      });
    });
  }
  return http;
}

/** The client's program: one GET, and goodbye when there is nothing left to say. */
function ask(play: Play, stream: ByteStream, serverOf: () => HttpServerStream | null): void {
  const { options, network, page } = play;
  const http = new HttpClientStream(stream);
  const enough = page.length - play.keptBack;
  const sayGoodbye = () => {
    if (options.close === 'client' && play.octets >= enough) stream.shutdown();
  };
  const headers: Record<string, string> = { Host: '10.0.0.2', 'User-Agent': 'synfin' };
  // "Both at once" needs a connection that neither end closes after the answer.
  if (options.close !== 'both') headers['Connection'] = 'close';
  http.request(
    { target: '/', headers },
    {
      onResponse: sayGoodbye,
      onData(bytes, from, to) {
        play.received.update(bytes, from, to);
        play.octets += to - from;
        sayGoodbye();
      },
      onEnd() {
        play.complete = true;
        if (options.close !== 'both') return;
        network.after(options.rtt, () => {
          http.close();
          serverOf()?.close();
        });
      },
      onError(error) {
        play.error = error.message;
      },
    },
  );
}

/** Start line of an HTTP message at the front of a packet's payload; empty when there is none. */
function startLine(bytes: Uint8Array): string {
  const header = (bytes[0]! & 15) * 4;
  const from = header + (bytes[header + 12]! >> 4) * 4;
  let line = '';
  for (let i = from; i < bytes.length && i < from + 60 && bytes[i] !== 13; i++) line += String.fromCharCode(bytes[i]!);
  return /^[A-Z]+ \S+ HTTP\/1\.1$|^HTTP\/1\.1 \d{3}/.test(line) ? line : '';
}

/** The states in the events of both ends. */
function visited(events: readonly TraceEvent[]): State[] {
  const seen = new Set<State>();
  for (const e of events) {
    if (e.type !== 'state') continue;
    seen.add(e.from);
    seen.add(e.to);
  }
  return STATES.filter((s) => seen.has(s));
}

/** Runs the demonstration to its end, in virtual time. */
export function runDemo(options: DemoOptions): DemoResult {
  const events: TraceEvent[] = [];
  const packets: DemoPacket[] = [];
  const names = new Map<number, string>();
  const { network, client, server, link, serverAddress } = pair({
    seed: options.seed,
    impairments: {
      delay: options.rtt / 2,
      loss: options.loss,
      reorder: options.reorder,
      reorderDelay: Math.max(1, options.rtt / 4),
      duplicate: options.dup,
      corrupt: options.corrupt,
    },
    trace: (event) => events.push(event),
  });
  network.capture((packet: CapturedPacket) => {
    const bytes = packet.bytes.slice(packet.from, packet.to);
    const from = packet.path.startsWith('client') ? 'client' : 'server';
    packets.push({ id: packet.id, at: packet.at, from, point: packet.point, corrupted: packet.corrupted, bytes });
    if (packet.point !== 'sender') return;
    const name = startLine(bytes);
    if (name !== '') names.set(packet.id, name);
  });
  const page = makePage(options.size);
  const play = new Play(network, options, page);
  // Some segments in, so that others follow it and ask for it; of a short page the first.
  const loser = new Loser(options.lose, PORT, options.size > 8 * 1460 ? 4 : 1);
  link.addRule(loser.rule);
  let served: HttpServerStream | null = null;
  server.listen({ port: PORT }, (stream) => {
    served = serve(play, stream);
  });
  // A host tells of LISTEN when a connection comes of it; the story shows it from where it begins.
  const listening = { type: 'state', at: network.now, host: 'server', conn: 0, from: 'CLOSED', to: 'LISTEN' } as const;
  events.push({ ...listening, cause: 'passive open' });
  const stream = client.connect({ address: serverAddress, port: PORT });
  stream.handler = {
    // A moment after the handshake, so that its third segment is seen as it usually is: empty.
    onOpen: () => {
      network.after(0, () => ask(play, stream, () => served));
    },
    onClose: (_stream, error) => {
      play.error = error?.message ?? 'closed before it was open';
    },
  };
  network.run();
  const sent = new Sha256();
  sent.update(page, 0, page.length);
  const source: Amount = { octets: page.length, sha256: sent.hex() };
  const result: Amount = { octets: play.octets, sha256: play.received.hex() };
  return {
    options,
    events,
    packets,
    names,
    sent: source,
    received: result,
    ok: play.complete && play.error === '' && result.sha256 === source.sha256 && stream.state === 'CLOSED',
    error: play.error,
    states: visited(events),
    notLost: [...loser.left],
    end: network.now,
    digest: network.digest,
  };
}
