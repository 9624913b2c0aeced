// A passive connection brought into any of its states by the scripted peer.

import { STATES, type State } from '../../src/base/state.ts';
import type { Connection } from '../../src/tcp/connection.ts';
import { type App, established, listening, type Peer } from './peer.ts';

/** A connection in a state, and its numbers as the peer writes them. */
export interface Staged {
  readonly a: App;
  readonly c: Connection;
  /** RCV.NXT, relative to the peer's ISS. */
  readonly rn: number;
  /** SND.UNA and SND.NXT, relative to the host's ISS. */
  readonly una: number;
  readonly nxt: number;
}

/** States that can be staged: those of a passive connection that has seen a SYN. */
export const STAGED: readonly State[] = STATES.filter((s) => s !== 'LISTEN' && s !== 'SYN-SENT' && s !== 'CLOSED');

/** Those in which the peer may still send text. */
export const RECEIVING: readonly State[] = ['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2'];

/** Those after the handshake (RFC 9293 §3.3.2). */
export const SYNCHRONISED: readonly State[] = STAGED.filter((s) => s !== 'SYN-RECEIVED');

/** Brings a fresh connection of `p` into `state`; everything the host said on the way is consumed. */
export function stage(p: Peer, state: State): Staged {
  if (state === 'SYN-RECEIVED') {
    const a = listening(p);
    p.send('S 0 mss=1000');
    p.out();
    return staged(p, a, p.host.connections()[0]!, state);
  }
  const a = established(p);
  const c = a.connection!;
  const peerCloses = (ack: number): void => {
    p.send(`F. 1 ack=${ack}`);
    p.out();
  };
  const weClose = (): void => {
    c.shutdown();
    p.out();
  };
  if (state === 'CLOSE-WAIT' || state === 'LAST-ACK') peerCloses(1);
  if (state !== 'ESTABLISHED' && state !== 'CLOSE-WAIT') weClose();
  if (state === 'FIN-WAIT-2' || state === 'TIME-WAIT') p.send('. 1 ack=2');
  if (state === 'TIME-WAIT') peerCloses(2);
  if (state === 'CLOSING') peerCloses(1);
  return staged(p, a, c, state);
}

function staged(p: Peer, a: App, c: Connection, state: State): Staged {
  if (c.state !== state) throw new Error(`wanted ${state}, came to ${c.state}`);
  const rn = (c.rcv.nxt - p.peerIss) | 0;
  return { a, c, rn, una: (c.snd.una - p.hostIss) | 0, nxt: (c.snd.nxt - p.hostIss) | 0 };
}
