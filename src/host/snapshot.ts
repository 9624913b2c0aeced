// A live connection leaves one host as bytes and goes on in another.

import { NetError, StateError } from '../base/errors.ts';
import { MOVABLE } from '../base/state.ts';
import type { Connection } from '../tcp/connection.ts';
import { pathMtuIs } from '../tcp/path-mtu.ts';
import { applySnapshot, readSnapshot, writeSnapshot } from '../tcp/snapshot.ts';
import type { Host } from './host.ts';

/** See `Host.snapshot`. */
export function takeSnapshot(host: Host, c: Connection): Uint8Array {
  if (c.env !== host || !MOVABLE.includes(c.state)) throw new StateError(`a connection in ${c.state} cannot be moved`);
  host.begin();
  const bytes = writeSnapshot(c);
  c.leave();
  return bytes;
}

/** See `Host.restore`. */
export function restoreSnapshot(host: Host, bytes: Uint8Array): Connection {
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
