// The two halves of an HTTP/1.1 exchange as declared state machines, and the keep-alive decision.
//
// Rule: everything that decides whether a message may start, or a connection go on, is in this file. A half
// is a direction: one is read and one is written, whichever role we play; both follow the same table. A
// server answers in order because it starts no request before both halves of the last one are done (RFC 9112
// §9.3.2), which also answers a good request before the bad one behind it.

import { StateError } from '../base/errors.ts';
import { type HeaderList, hasToken } from './fields.ts';

/** Where a direction of a connection stands. */
export type HalfState =
  /** Between messages. */
  | 'idle'
  /** Octets of a head were seen or written; for responses also between an interim response and the final one. */
  | 'head'
  /** The head is complete, the body is not. */
  | 'body'
  /** The message is complete; the other half may not be. */
  | 'done'
  /** Complete, and the last one in this direction. */
  | 'must-close'
  /** This direction has ended in good order. */
  | 'closed'
  /** Its octets can no longer be told apart into messages. */
  | 'error';

/** Why a half moved. */
export type HalfCause =
  | 'head begins'
  | 'head with body'
  | 'head without body'
  | 'interim response'
  | 'body ends'
  | 'next exchange'
  | 'no keep-alive'
  | 'end of stream'
  | 'fault';

/** One edge of the machine. */
export interface HalfEdge {
  readonly from: HalfState;
  readonly to: HalfState;
  readonly cause: HalfCause;
}

function edge(from: HalfState, to: HalfState, cause: HalfCause): HalfEdge {
  return { from, to, cause };
}

/** Every edge a half may take, those of every message first; diagrams are drawn from this table. */
export const HALF_EDGES: readonly HalfEdge[] = [
  edge('idle', 'head', 'head begins'),
  edge('head', 'body', 'head with body'),
  edge('body', 'done', 'body ends'),
  edge('done', 'idle', 'next exchange'),
  edge('head', 'done', 'head without body'),
  edge('head', 'head', 'interim response'),
  edge('done', 'must-close', 'no keep-alive'),
  edge('idle', 'must-close', 'no keep-alive'),
  edge('idle', 'closed', 'end of stream'),
  edge('done', 'closed', 'end of stream'),
  edge('must-close', 'closed', 'end of stream'),
  edge('error', 'closed', 'end of stream'),
  edge('idle', 'error', 'fault'),
  edge('head', 'error', 'fault'),
  edge('body', 'error', 'fault'),
  edge('done', 'error', 'fault'),
  edge('must-close', 'error', 'fault'),
];

/** One direction of a connection. */
export class Half {
  #state: HalfState = 'idle';

  /** Where it stands. */
  get state(): HalfState {
    return this.#state;
  }

  /** Takes the declared edge to `to`; throws `StateError` when there is none. */
  enter(to: HalfState, cause: HalfCause): void {
    const from = this.#state;
    for (let i = 0; i < HALF_EDGES.length; i++) {
      const known = HALF_EDGES[i]!;
      if (known.from !== from || known.to !== to || known.cause !== cause) continue;
      this.#state = to;
      return;
    }
    throw new StateError(`an HTTP half cannot go from ${from} to ${to} because of: ${cause}`);
  }
}

/**
 * Whether the sender of a message with these fields keeps the connection open after it (RFC 9112 §9.3): 1.1
 * unless it says `close`; 1.0 only when it says `keep-alive` and not `close`.
 */
export function persists(minor: number, fields: HeaderList): boolean {
  if (hasToken(fields, 'connection', 'close')) return false;
  return minor >= 1 || hasToken(fields, 'connection', 'keep-alive');
}
