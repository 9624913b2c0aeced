// A live connection leaves one host as bytes and goes on in another.

import { NetError, StateError } from '../base/errors.ts';
import { MOVABLE } from '../base/state.ts';
import type { Connection } from '../tcp/connection.ts';
import { pathMtuIs } from '../tcp/path-mtu.ts';
import { applySnapshot, readSnapshot, writeSnapshot } from '../tcp/snapshot.ts';
import type { Host } from './host.ts';

/**
 * Takes a connection out of a host as bytes, for `restore` in another, which has its address from then on. Here it ends
 * without a word to the peer or to its handler. Keys do not travel, what was not sent or not read does: keep the bytes as
 * secret as the conversation.
 *
 * @throws `StateError` before the handshake is over, from TIME-WAIT on, for another host's, and once the host is closed
 */
export function snapshot(host: Host, c: Connection): Uint8Array {
  host.assertOpen();
  if (c.env !== host || !MOVABLE.includes(c.state)) throw new StateError(`a connection in ${c.state} cannot be moved`);
  host.begin();
  const bytes = writeSnapshot(c);
  c.leave();
  return bytes;
}

/**
 * Lets a connection of another host go on in this one. It has no handler yet; one that is set hears of what there is to
 * read.
 *
 * @throws `RangeError` for bytes that are no snapshot; `NetError` EADDRNOTAVAIL, EADDRINUSE or ENETUNREACH when the
 *   connection's own address is not the host's, is in use, or has no way to the peer; `StateError` once the host is closed
 */
export function restore(host: Host, bytes: Uint8Array): Connection {
  host.assertOpen();
  const s = readSnapshot(bytes);
  host.begin();
  const { remote, localPort, remotePort } = s;
  const local = host.ours(s.local);
  if (!host.isOurs(local)) throw new NetError('EADDRNOTAVAIL', 'connect', local.toString(), localPort);
  const i = host.wayTo(remote);
  if (i === null) throw new NetError('ENETUNREACH', 'connect', remote.toString(), remotePort);
  // A listener on the port is no hindrance: a connection that it accepted elsewhere may come here.
  if (!host.ports.isFree(host.table, host.timeWaits, local, localPort, remote, remotePort)) {
    throw new NetError('EADDRINUSE', 'connect', local.toString(), localPort);
  }
  const c = host.makeConnection(host.addressing(i.mtu, local, localPort, remote, remotePort), s.passive);
  c.enter(s.state, 'restore');
  applySnapshot(c, s);
  // A link here that carries less than the one there has segments cut anew.
  pathMtuIs(c, i.mtu);
  c.accepted = true;
  if (c.orphan) host.orphaned(c);
  host.trace?.({ type: 'iss', at: host.now, host: host.name, conn: c.id, iss: c.snd.iss });
  host.touch(c);
  return c;
}
