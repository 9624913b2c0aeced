// The eleven states of a connection and every edge between them.
//
// Figure 5 of RFC 9293 draws the usual edges; the text of §3.10.7 has more (resets, timeouts,
// FIN-WAIT-1 straight to TIME-WAIT). All of them are declared here, once: the connection refuses an
// edge that is not in this table, and the diagrams of the docs and of the lab are drawn from it.

/** A connection state, spelled as RFC 9293 §3.3.2 spells it. */
export type State =
  | 'CLOSED'
  | 'LISTEN'
  | 'SYN-SENT'
  | 'SYN-RECEIVED'
  | 'ESTABLISHED'
  | 'FIN-WAIT-1'
  | 'FIN-WAIT-2'
  | 'CLOSE-WAIT'
  | 'CLOSING'
  | 'LAST-ACK'
  | 'TIME-WAIT';

/** All states, in the order in which RFC 9293 §3.3.2 introduces them. */
export const STATES: readonly State[] = [
  'LISTEN',
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
  'CLOSED',
];

/** Why a connection moved from one state to another: the event half of an edge. */
export type Cause =
  | 'passive open'
  | 'active open'
  | 'rcv SYN'
  | 'rcv SYN,ACK'
  | 'rcv ACK of SYN'
  | 'rcv ACK of FIN'
  | 'rcv FIN'
  | 'rcv FIN,ACK of FIN'
  | 'rcv RST'
  | 'rcv SYN in TIME-WAIT'
  | 'CLOSE'
  | 'ABORT'
  | 'timeout'
  | '2MSL timeout'
  | 'snapshot'
  | 'restore'
  | 'error';

/** One edge of the state machine. */
export interface Edge {
  readonly from: State;
  readonly to: State;
  readonly cause: Cause;
  /** What is sent on the way, as figure 5 writes it; empty when nothing is. */
  readonly sends: '' | 'SYN' | 'SYN,ACK' | 'ACK' | 'FIN' | 'RST';
  /** True for the edges that figure 5 of RFC 9293 draws; the others come from the text. */
  readonly drawn: boolean;
}

function edge(from: State, to: State, cause: Cause, sends: Edge['sends'], drawn: boolean): Edge {
  return { from, to, cause, sends, drawn };
}

/** States in which a connection can be moved: before, there is nothing to keep; after, the host keeps a record. */
export const MOVABLE: readonly State[] = [
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
];

/** Every edge a connection may take (RFC 9293 §3.3.2 figure 5, §3.10). */
export const EDGES: readonly Edge[] = [
  edge('CLOSED', 'LISTEN', 'passive open', '', true),
  edge('CLOSED', 'SYN-SENT', 'active open', 'SYN', true),
  edge('LISTEN', 'SYN-RECEIVED', 'rcv SYN', 'SYN,ACK', true),
  edge('LISTEN', 'CLOSED', 'CLOSE', '', true),
  edge('SYN-SENT', 'SYN-RECEIVED', 'rcv SYN', 'SYN,ACK', true),
  edge('SYN-SENT', 'ESTABLISHED', 'rcv SYN,ACK', 'ACK', true),
  edge('SYN-SENT', 'CLOSED', 'CLOSE', '', true),
  edge('SYN-RECEIVED', 'ESTABLISHED', 'rcv ACK of SYN', '', true),
  edge('SYN-RECEIVED', 'FIN-WAIT-1', 'CLOSE', 'FIN', true),
  edge('ESTABLISHED', 'FIN-WAIT-1', 'CLOSE', 'FIN', true),
  edge('ESTABLISHED', 'CLOSE-WAIT', 'rcv FIN', 'ACK', true),
  edge('FIN-WAIT-1', 'FIN-WAIT-2', 'rcv ACK of FIN', '', true),
  edge('FIN-WAIT-1', 'CLOSING', 'rcv FIN', 'ACK', true),
  edge('FIN-WAIT-2', 'TIME-WAIT', 'rcv FIN', 'ACK', true),
  edge('CLOSING', 'TIME-WAIT', 'rcv ACK of FIN', '', true),
  edge('CLOSE-WAIT', 'LAST-ACK', 'CLOSE', 'FIN', true),
  edge('LAST-ACK', 'CLOSED', 'rcv ACK of FIN', '', true),
  edge('TIME-WAIT', 'CLOSED', '2MSL timeout', '', true),

  // §3.10.7.4 eighth: the FIN and the acknowledgement of ours in one segment: three waves.
  edge('FIN-WAIT-1', 'TIME-WAIT', 'rcv FIN,ACK of FIN', 'ACK', false),
  // SYN cookies: SYN-RECEIVED was passed without anybody remembering it (RFC 4987 §3.6).
  edge('LISTEN', 'ESTABLISHED', 'rcv ACK of SYN', '', false),
  // A reset or a CLOSE in SYN-RECEIVED of a passive open goes back to the listener, which here is
  // an object of its own, so the connection itself ends (§3.10.7.4 second).
  edge('SYN-RECEIVED', 'CLOSED', 'rcv RST', '', false),
  edge('SYN-SENT', 'CLOSED', 'rcv RST', '', false),
  edge('ESTABLISHED', 'CLOSED', 'rcv RST', '', false),
  edge('FIN-WAIT-1', 'CLOSED', 'rcv RST', '', false),
  edge('FIN-WAIT-2', 'CLOSED', 'rcv RST', '', false),
  edge('CLOSE-WAIT', 'CLOSED', 'rcv RST', '', false),
  edge('CLOSING', 'CLOSED', 'rcv RST', '', false),
  edge('LAST-ACK', 'CLOSED', 'rcv RST', '', false),
  edge('TIME-WAIT', 'CLOSED', 'rcv RST', '', false),
  // RFC 9293 §3.6.1 and RFC 6191: a new, later SYN may end TIME-WAIT early.
  edge('TIME-WAIT', 'CLOSED', 'rcv SYN in TIME-WAIT', '', false),
  // §3.10.5 ABORT.
  edge('SYN-SENT', 'CLOSED', 'ABORT', '', false),
  edge('SYN-RECEIVED', 'CLOSED', 'ABORT', 'RST', false),
  edge('ESTABLISHED', 'CLOSED', 'ABORT', 'RST', false),
  edge('FIN-WAIT-1', 'CLOSED', 'ABORT', 'RST', false),
  edge('FIN-WAIT-2', 'CLOSED', 'ABORT', 'RST', false),
  edge('CLOSE-WAIT', 'CLOSED', 'ABORT', 'RST', false),
  edge('CLOSING', 'CLOSED', 'ABORT', '', false),
  edge('LAST-ACK', 'CLOSED', 'ABORT', '', false),
  edge('TIME-WAIT', 'CLOSED', 'ABORT', '', false),
  // §3.8.3: retransmissions that stay unanswered, and the user timeout of §3.10.8.
  edge('SYN-SENT', 'CLOSED', 'timeout', '', false),
  edge('SYN-RECEIVED', 'CLOSED', 'timeout', '', false),
  edge('ESTABLISHED', 'CLOSED', 'timeout', '', false),
  edge('FIN-WAIT-1', 'CLOSED', 'timeout', '', false),
  edge('FIN-WAIT-2', 'CLOSED', 'timeout', '', false),
  edge('CLOSE-WAIT', 'CLOSED', 'timeout', '', false),
  edge('CLOSING', 'CLOSED', 'timeout', '', false),
  edge('LAST-ACK', 'CLOSED', 'timeout', '', false),
  // The way to the peer is gone: a hard ICMP error while opening (§3.9.2.2), an interface taken
  // down, or the host closed. Nothing can be sent, so nothing is.
  edge('SYN-SENT', 'CLOSED', 'error', '', false),
  edge('SYN-RECEIVED', 'CLOSED', 'error', '', false),
  edge('ESTABLISHED', 'CLOSED', 'error', '', false),
  edge('FIN-WAIT-1', 'CLOSED', 'error', '', false),
  edge('FIN-WAIT-2', 'CLOSED', 'error', '', false),
  edge('CLOSE-WAIT', 'CLOSED', 'error', '', false),
  edge('CLOSING', 'CLOSED', 'error', '', false),
  edge('LAST-ACK', 'CLOSED', 'error', '', false),
  edge('TIME-WAIT', 'CLOSED', 'error', '', false),
  // A connection leaves this host for another, and comes from one (`snapshot`, `restore`).
  ...MOVABLE.flatMap((state) => [
    edge(state, 'CLOSED', 'snapshot', '', false),
    edge('CLOSED', state, 'restore', '', false),
  ]),
];

const CAUSES: Readonly<Record<string, Readonly<Record<string, readonly Cause[]>>>> = indexEdges();

function indexEdges(): Record<string, Record<string, Cause[]>> {
  const index: Record<string, Record<string, Cause[]>> = {};
  for (const { from, to, cause } of EDGES) {
    const row = index[from] ?? {};
    index[from] = row;
    row[to] = [...(row[to] ?? []), cause];
  }
  return index;
}

/**
 * Whether the machine has this edge.
 *
 * @param from the state left
 * @param to the state entered
 * @param cause why
 */
export function isEdge(from: State, to: State, cause: Cause): boolean {
  return CAUSES[from]?.[to]?.includes(cause) ?? false;
}
