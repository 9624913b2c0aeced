// F-RTO: whether a retransmission timeout was for nothing, told by what the peer acknowledges next (RFC 5682).
//
// Where timestamps are on, their echo decides with the first acknowledgement (RFC 3522, `recovery.ts`). Here two do: on
// the first one new data goes out instead of more copies, so that the second one can only speak of originals.

import { seqLe } from '../base/seq.ts';
import type { Connection } from './connection.ts';
import { AGAIN, type Delivery } from './scoreboard.ts';
import { OFF } from './timers.ts';

/** Values of `Recovery.frto`: nothing to find out; the first, and the second acknowledgement is awaited. */
export const FRTO_OFF = 0;
export const FRTO_FIRST = 1;
export const FRTO_SECOND = 2;

/**
 * The timer fired (step 1). Not again for a timeout in the middle of the repair that an earlier one began; but a timer
 * that fires once more with no answer in between is still the same question (Linux).
 *
 * @param repairing losses were being repaired when it fired
 */
export function frtoBegins(c: Connection, repairing: boolean): void {
  const asks = c.env.profile.frto && !c.snd.tsOk && (!repairing || c.retries > 0);
  c.recovery.frto = asks ? FRTO_FIRST : FRTO_OFF;
}

/**
 * An acknowledgement came (steps 2 and 3).
 *
 * @param acked octets by which SND.UNA moved
 * @returns true when the timeout is known to have been spurious; the caller undoes what it did
 */
export function frtoAcknowledged(c: Connection, acked: number, delivery: Delivery, duplicate: boolean): boolean {
  const { recovery, snd, board } = c;
  if (recovery.frto === FRTO_FIRST) {
    if (acked === 0) {
      // With SACK a duplicate says no less than it does later; without it, what comes next could not be read (step 2a).
      if (duplicate && !snd.sackOk) recovery.frto = FRTO_OFF;
      return false;
    }
    // All is acknowledged, or only a part of the copy (step 2a): nothing that comes could tell more.
    const tells = board !== null && board.count > 0 && (board.flags(0) & AGAIN) === 0;
    recovery.frto = tells ? FRTO_SECOND : FRTO_OFF;
    return false;
  }
  // Of what was in flight when the timer fired, something arrived that was never sent again: it was only late (step 3b).
  const original = delivery.once && seqLe(delivery.onceEnd, recovery.recover) && (snd.sackOk || !delivery.copies);
  if (original) return true;
  // What is new arrives and the old does not: it was lost (step 3a).
  if (acked > 0 || duplicate || delivery.sacked > 0) recovery.frto = FRTO_OFF;
  return false;
}

/** Whether F-RTO holds back the copy of record `index`: until the second acknowledgement only the first segment is repeated. */
export function frtoHolds(c: Connection, index: number): boolean {
  const { frto } = c.recovery;
  return frto === FRTO_SECOND || (frto === FRTO_FIRST && index > 0);
}

/**
 * Whether the repair goes on with copies after all, because nothing new can be sent, as RFC 5682 §2.1 step 2b leaves
 * open: there is nothing, or the peer's window has no room. What was just planned says so in `c.env.plan`.
 */
export function frtoGivesUp(c: Connection): boolean {
  const { recovery, env, snd } = c;
  const { congested, until } = env.plan;
  return recovery.frto === FRTO_SECOND && !congested && until === OFF && seqLe(snd.nxt, recovery.recover);
}
