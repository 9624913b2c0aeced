// Every edge of the state machine is taken here by a script, or stands in a list with the reason why it is not.

import { describe, expect, test } from 'vitest';
import { NetError } from '../../src/base/errors.ts';
import { type Cause, EDGES, isEdge, MOVABLE, STATES, type State } from '../../src/base/state.ts';
import { restore, snapshot } from '../../src/host/snapshot.ts';
import { Peer, synSent } from '../rfc/peer.ts';
import { type Staged, stage } from '../rfc/states.ts';

type Name = `${State} -> ${State}: ${Cause}`;

function name(from: State, to: State, cause: Cause): Name {
  return `${from} -> ${to}: ${cause}`;
}

/** Retries are few, so that scripts that end in a timeout are short. */
const IMPATIENT = { synRetries: 1, synAckRetries: 1, dataRetries: 1, timeWaitIgnoresRst: false };

/** From a state, what takes each edge. */
type Script = (p: Peer, s: Staged) => void;

const RST: Script = (p, s) => p.send(`R ${s.rn}`);
const ABORT: Script = (_p, s) => s.c.abort();
const DOWN: Script = (p) => p.host.interfaceDown(p.iface, new NetError('ENETDOWN', 'read'));
const WAIT: Script = (p) => void p.advance(600_000);
const CLOSE: Script = (_p, s) => s.c.shutdown();
const FIN: Script = (p, s) => p.send(`F. ${s.rn} ack=${s.una}`);
const FIN_AND_ACK: Script = (p, s) => p.send(`F. ${s.rn} ack=${s.nxt}`);
const ACK: Script = (p, s) => p.send(`. ${s.rn} ack=${s.nxt}`);
/** Something in flight that is never answered. */
const DATA_LOST: Script = (p, s) => {
  s.c.send(new Uint8Array(5), 0, 5);
  p.advance(600_000);
};

const SCRIPTS: readonly (readonly [State, Script, Name])[] = [
  ['SYN-RECEIVED', () => undefined, 'CLOSED -> LISTEN: passive open'],
  ['SYN-RECEIVED', () => undefined, 'LISTEN -> SYN-RECEIVED: rcv SYN'],
  ['SYN-RECEIVED', ACK, 'SYN-RECEIVED -> ESTABLISHED: rcv ACK of SYN'],
  ['SYN-RECEIVED', RST, 'SYN-RECEIVED -> CLOSED: rcv RST'],
  ['SYN-RECEIVED', ABORT, 'SYN-RECEIVED -> CLOSED: ABORT'],
  ['SYN-RECEIVED', WAIT, 'SYN-RECEIVED -> CLOSED: timeout'],
  ['SYN-RECEIVED', DOWN, 'SYN-RECEIVED -> CLOSED: error'],
  ['ESTABLISHED', CLOSE, 'ESTABLISHED -> FIN-WAIT-1: CLOSE'],
  ['ESTABLISHED', FIN, 'ESTABLISHED -> CLOSE-WAIT: rcv FIN'],
  ['ESTABLISHED', RST, 'ESTABLISHED -> CLOSED: rcv RST'],
  ['ESTABLISHED', ABORT, 'ESTABLISHED -> CLOSED: ABORT'],
  ['ESTABLISHED', DATA_LOST, 'ESTABLISHED -> CLOSED: timeout'],
  ['ESTABLISHED', DOWN, 'ESTABLISHED -> CLOSED: error'],
  ['FIN-WAIT-1', ACK, 'FIN-WAIT-1 -> FIN-WAIT-2: rcv ACK of FIN'],
  ['FIN-WAIT-1', FIN, 'FIN-WAIT-1 -> CLOSING: rcv FIN'],
  ['FIN-WAIT-1', FIN_AND_ACK, 'FIN-WAIT-1 -> TIME-WAIT: rcv FIN,ACK of FIN'],
  ['FIN-WAIT-1', RST, 'FIN-WAIT-1 -> CLOSED: rcv RST'],
  ['FIN-WAIT-1', ABORT, 'FIN-WAIT-1 -> CLOSED: ABORT'],
  ['FIN-WAIT-1', WAIT, 'FIN-WAIT-1 -> CLOSED: timeout'],
  ['FIN-WAIT-1', DOWN, 'FIN-WAIT-1 -> CLOSED: error'],
  ['FIN-WAIT-2', FIN_AND_ACK, 'FIN-WAIT-2 -> TIME-WAIT: rcv FIN'],
  ['FIN-WAIT-2', RST, 'FIN-WAIT-2 -> CLOSED: rcv RST'],
  ['FIN-WAIT-2', ABORT, 'FIN-WAIT-2 -> CLOSED: ABORT'],
  ['FIN-WAIT-2', DOWN, 'FIN-WAIT-2 -> CLOSED: error'],
  ['CLOSE-WAIT', CLOSE, 'CLOSE-WAIT -> LAST-ACK: CLOSE'],
  ['CLOSE-WAIT', RST, 'CLOSE-WAIT -> CLOSED: rcv RST'],
  ['CLOSE-WAIT', ABORT, 'CLOSE-WAIT -> CLOSED: ABORT'],
  ['CLOSE-WAIT', DATA_LOST, 'CLOSE-WAIT -> CLOSED: timeout'],
  ['CLOSE-WAIT', DOWN, 'CLOSE-WAIT -> CLOSED: error'],
  ['CLOSING', ACK, 'CLOSING -> TIME-WAIT: rcv ACK of FIN'],
  ['CLOSING', RST, 'CLOSING -> CLOSED: rcv RST'],
  ['CLOSING', ABORT, 'CLOSING -> CLOSED: ABORT'],
  ['CLOSING', WAIT, 'CLOSING -> CLOSED: timeout'],
  ['CLOSING', DOWN, 'CLOSING -> CLOSED: error'],
  ['LAST-ACK', ACK, 'LAST-ACK -> CLOSED: rcv ACK of FIN'],
  ['LAST-ACK', RST, 'LAST-ACK -> CLOSED: rcv RST'],
  ['LAST-ACK', ABORT, 'LAST-ACK -> CLOSED: ABORT'],
  ['LAST-ACK', WAIT, 'LAST-ACK -> CLOSED: timeout'],
  ['LAST-ACK', DOWN, 'LAST-ACK -> CLOSED: error'],
  ['TIME-WAIT', WAIT, 'TIME-WAIT -> CLOSED: 2MSL timeout'],
  ['TIME-WAIT', RST, 'TIME-WAIT -> CLOSED: rcv RST'],
  ['TIME-WAIT', (p, s) => p.send(`S ${s.rn + 9} mss=1000`), 'TIME-WAIT -> CLOSED: rcv SYN in TIME-WAIT'],
  ['TIME-WAIT', ABORT, 'TIME-WAIT -> CLOSED: ABORT'],
  ['TIME-WAIT', DOWN, 'TIME-WAIT -> CLOSED: error'],
];

/** Those that begin with an active open. */
const ACTIVE: readonly (readonly [(p: Peer) => void, Name])[] = [
  [() => undefined, 'CLOSED -> SYN-SENT: active open'],
  [(p) => p.send('S. 0 ack=1 mss=1000'), 'SYN-SENT -> ESTABLISHED: rcv SYN,ACK'],
  [(p) => p.send('S 0 mss=1000'), 'SYN-SENT -> SYN-RECEIVED: rcv SYN'],
  [(p) => p.send('R. 0 ack=1'), 'SYN-SENT -> CLOSED: rcv RST'],
  [(p) => p.host.connections()[0]!.abort(), 'SYN-SENT -> CLOSED: ABORT'],
  [(p) => void p.advance(600_000), 'SYN-SENT -> CLOSED: timeout'],
  [(p) => p.host.close(), 'SYN-SENT -> CLOSED: error'],
];

/** With SYN cookies no connection is in SYN-RECEIVED. */
const BY_COOKIE: Name = 'LISTEN -> ESTABLISHED: rcv ACK of SYN';

/** A connection goes on in another host. */
const LEAVES = (state: State): Name => name(state, 'CLOSED', 'snapshot');
const COMES = (state: State): Name => name('CLOSED', state, 'restore');

/** Edges that no script takes, and why. */
const NOT_TAKEN: ReadonlyMap<Name, string> = new Map<Name, string>([
  [
    'LISTEN -> CLOSED: CLOSE',
    'a listener is an object of its own; a connection is in LISTEN only while its SYN is taken',
  ],
  ['SYN-SENT -> CLOSED: CLOSE', 'a CLOSE in SYN-SENT waits for ESTABLISHED, and deleting the connection is ABORT'],
  ['SYN-RECEIVED -> FIN-WAIT-1: CLOSE', '§3.10.4 lets the CLOSE be queued until ESTABLISHED, which is done'],
  [
    'FIN-WAIT-2 -> CLOSED: timeout',
    'half-closed lasts as long as the peer likes; `finWait2` waits for a close of both directions',
  ],
]);

/** The edges a script took. */
function taken(p: Peer): Name[] {
  p.out();
  return p.trace.filter((e) => e.type === 'state').map((e) => name(e.from, e.to, e.cause));
}

describe('edges', () => {
  for (const [state, script, edge] of SCRIPTS) {
    test(edge, () => {
      const p = new Peer({ profile: IMPATIENT });
      const s = stage(p, state);
      script(p, s);
      expect(taken(p)).toContain(edge);
    });
  }

  for (const [script, edge] of ACTIVE) {
    test(edge, () => {
      const p = new Peer({ profile: IMPATIENT });
      synSent(p);
      script(p);
      expect(taken(p)).toContain(edge);
    });
  }

  test(BY_COOKIE, () => {
    const p = new Peer({ profile: { synCookies: 'always' } });
    p.host.listen({ port: 80 }, () => undefined);
    p.send('S 0 mss=1000');
    p.out();
    p.send('. 1 ack=1');
    expect(taken(p)).toContain(BY_COOKIE);
  });

  for (const state of MOVABLE) {
    test(`${LEAVES(state)}, and back`, () => {
      const p = new Peer();
      const s = stage(p, state);
      restore(p.host, snapshot(p.host, s.c));
      expect(taken(p)).toEqual(expect.arrayContaining([LEAVES(state), COMES(state)]));
    });
  }

  test('every edge has a script or a reason, and none has both', () => {
    const scripted = new Set<Name>([
      ...SCRIPTS.map((row) => row[2]),
      ...ACTIVE.map((row) => row[1]),
      BY_COOKIE,
      ...MOVABLE.flatMap((s) => [LEAVES(s), COMES(s)]),
    ]);
    for (const e of EDGES) {
      const edge = name(e.from, e.to, e.cause);
      expect([edge, scripted.has(edge), NOT_TAKEN.has(edge)]).toEqual([
        edge,
        !NOT_TAKEN.has(edge),
        NOT_TAKEN.has(edge),
      ]);
    }
    expect(scripted.size + NOT_TAKEN.size).toBe(EDGES.length);
  });

  test('the table has no edge twice, and none from a state to itself', () => {
    const all = EDGES.map((e) => name(e.from, e.to, e.cause));
    expect(new Set(all).size).toBe(all.length);
    for (const e of EDGES) expect(e.from).not.toBe(e.to);
  });

  test('from every state there is a way to CLOSED', () => {
    for (const start of STATES) {
      const seen = new Set<State>([start]);
      for (const s of seen) for (const e of EDGES) if (e.from === s) seen.add(e.to);
      expect(seen.has('CLOSED')).toBe(true);
    }
  });

  test('an edge that is not in the table is refused', () => {
    const p = new Peer();
    const { c } = stage(p, 'ESTABLISHED');
    expect(() => c.enter('SYN-SENT', 'active open')).toThrow(/no edge ESTABLISHED -> SYN-SENT/);
    expect(isEdge('TIME-WAIT', 'ESTABLISHED', 'rcv ACK of SYN')).toBe(false);
  });
});
