// A pair of hosts with a connection brought into each of the states, by real segments and real losses.

import type { Profile } from '../../src/base/profile.ts';
import { STATES, type State } from '../../src/base/state.ts';
import type { TraceEvent } from '../../src/base/trace.ts';
import { type Connection, connectPair, DROP, type Pair, type PairOptions, pair } from '../../src/sim/index.ts';

export { STATES };

/** Gives up soon, so that whatever an input has broken is over soon. */
const IMPATIENT: Partial<Profile> = {
  rtoInitial: 200,
  rtoAfterSynLoss: 200,
  rtoMin: 200,
  rtoMax: 2000,
  synRetries: 2,
  synAckRetries: 2,
  dataRetries: 3,
  probeRetries: 3,
  probeMax: 2000,
  timeWait: 500,
  arpTries: 2,
  receiveBuffer: 65_535,
  sendBuffer: 65_535,
};

/** A pair, which of its hosts is in the state, and its connection; `null` where the state has none. */
export interface Stage {
  readonly p: Pair;
  readonly side: 'client' | 'server';
  readonly connection: Connection | null;
  readonly events: TraceEvent[];
}

const PORT = 80;

/** A program that takes whatever comes. */
function listener(stream: Connection): void {
  stream.handler = {
    onReadable: () => {
      for (let span = stream.peek(); span.length > 0; span = stream.peek()) stream.consume(span.length);
    },
  };
}

/**
 * Brings a connection into `state`.
 *
 * @param octets how many the end under test has queued, where it can
 */
export function stage(state: State, options: PairOptions, octets: number): Stage {
  const events: TraceEvent[] = [];
  const p = pair({ ...options, impairments: { delay: 1 }, profile: IMPATIENT, trace: (event) => events.push(event) });
  const done = (side: 'client' | 'server', connection: Connection | null): Stage => {
    const is = connection === null ? state : connection.state;
    if (is !== state) throw new Error(`wanted ${state}, came to ${is}`);
    return { p, side, connection, events };
  };
  const settle = (): void => {
    p.network.run({ until: p.network.now + 100 });
  };
  switch (state) {
    case 'CLOSED':
      return done('client', null);
    case 'LISTEN':
      p.server.listen({ port: PORT }, listener);
      return done('server', null);
    case 'SYN-SENT': {
      const guard = p.link.addRule(() => DROP);
      const c = p.client.connect({ address: p.serverAddress, port: PORT });
      listener(c);
      p.network.run({ until: 10 });
      guard.remove();
      return done('client', c);
    }
    case 'SYN-RECEIVED': {
      const guard = p.link.bToA.addRule((packet) => (packet.tcp < 0 ? { kind: 'pass' } : DROP));
      p.server.listen({ port: PORT }, listener);
      listener(p.client.connect({ address: p.serverAddress, port: PORT }));
      p.network.run({ until: 100, when: () => p.server.connections().length > 0 });
      guard.remove();
      return done('server', p.server.connections()[0]!);
    }
    default:
      return opened(p, state, octets, settle, done);
  }
}

/** The states that come after the handshake. */
function opened(
  p: Pair,
  state: State,
  octets: number,
  settle: () => void,
  done: (side: 'client' | 'server', connection: Connection | null) => Stage,
): Stage {
  const { client, server } = connectPair(p, PORT);
  listener(client);
  listener(server);
  settle();
  const muted = (act: () => void): void => {
    const guard = p.link.aToB.addRule(() => DROP);
    act();
    settle();
    guard.remove();
  };
  const write = (): void => {
    client.send(new Uint8Array(octets).fill(0x61), 0, octets);
  };
  switch (state) {
    case 'ESTABLISHED':
      muted(write);
      break;
    case 'FIN-WAIT-1':
      muted(() => {
        write();
        client.shutdown();
      });
      break;
    case 'FIN-WAIT-2':
      client.shutdown();
      settle();
      break;
    case 'CLOSE-WAIT':
      server.shutdown();
      settle();
      muted(write);
      break;
    case 'CLOSING':
      muted(() => {
        client.shutdown();
        server.shutdown();
      });
      break;
    case 'LAST-ACK':
      server.shutdown();
      settle();
      muted(() => {
        write();
        client.shutdown();
      });
      break;
    case 'TIME-WAIT':
      client.shutdown();
      settle();
      server.shutdown();
      settle();
      break;
    default:
  }
  return done('client', client);
}
