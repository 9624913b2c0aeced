// A live connection as bytes, to go on in another host, perhaps in another process with another clock.
//
//   "synfinTC" | version | local, remote, ports, state | records: count, then (name, kind, value) of each field
//
// Fields travel by name, so that a version may have more or fewer of them. Times travel relative to the moment of the
// snapshot, and our timestamps (RFC 7323) go on where they were by their offset. No key travels. What a congestion
// controller knows beyond its window and threshold is learnt anew, as after `setCongestionControl`; where PSH was due
// in what is not sent yet is forgotten.

import type { CongestionControl } from '../base/congestion.ts';
import { ReceiveBuffer } from '../base/receive-buffer.ts';
import { SendQueue } from '../base/send-queue.ts';
import { MOVABLE, type State } from '../base/state.ts';
import { Address } from '../wire/address.ts';
import { controlNamed } from './congestion/select.ts';
import type { Connection } from './connection.ts';
import { Ecn } from './ecn.ts';
import { Flags } from './flags.ts';
import { Liveness } from './liveness.ts';
import { PathMtu } from './path-mtu.ts';
import { USUAL } from './rare.ts';
import { SackMemory } from './sack.ts';
import { SnapshotReader, SnapshotWriter } from './snapshot-bytes.ts';
import { OFF, Timers } from './timers.ts';

/** Number of the format. */
const SNAPSHOT_VERSION = 1;
const MAGIC = 'synfinTC';

/** Fields that are moments of the host's clock, milliseconds; the others of a part are numbers and flags. */
export const TIMES: Readonly<Record<string, readonly string[]>> = {
  rare: ['lastChallenge', 'lastRefusal'],
  statistics: ['lastTextAt', 'lastDataSent', 'measuredAt'],
  rack: ['sentAt'],
  usage: ['since'],
  liveness: ['heard'],
  mtu: ['raiseAt'],
  timing: ['at'],
  // Every deadline of a connection, and since when it waits.
  timers: ['silentSince', ...Object.entries(new Timers()).flatMap(([name, value]) => (value === OFF ? [name] : []))],
};

/** Moments that are kept as whole milliseconds in an int32. */
const WHOLE_TIMES: readonly string[] = ['openedAt', 'textAt', 'ackAt'];

/** And one in whole seconds. */
const IN_SECONDS = 'tsRecentAt';

/** A measurement of the receiver that is under way: the next one will do. */
const UNDER_WAY = 'rttAt';

/** Fields and flags of a connection that belong to its host, or are made anew. */
const OF_THE_HOST: ReadonlySet<string> = new Set([
  'id',
  'passive',
  'timerHandle',
  'interfaceIndex',
  'nextHop',
  'inReady',
  'inDirty',
  'inWaiting',
  'inEvents',
  'folded',
  'accepted',
  'closeAnnounced',
  'resetDue',
  'neighbourFailures',
]);

/** The names of a connection's flags. */
const FLAGS: readonly string[] = Object.keys(Object.getOwnPropertyDescriptors(Flags.prototype)).filter(
  (name) => name !== 'constructor',
);

/** What a snapshot says, read and checked, and not yet a connection. */
export interface Snapshot {
  readonly local: Address;
  readonly localPort: number;
  readonly remote: Address;
  readonly remotePort: number;
  readonly passive: boolean;
  readonly state: State;
  readonly control: CongestionControl;
  /** Fields by part. */
  readonly parts: ReadonlyMap<string, ReadonlyMap<string, number | boolean>>;
  /** Segments in flight: first number, number past the last, flags, and when it was sent. */
  readonly board: readonly (readonly [number, number, number, number])[];
  readonly unacknowledged: Uint8Array;
  readonly unread: Uint8Array;
  /** Octets out of order, and how far behind RCV.NXT they begin. */
  readonly pending: readonly (readonly [number, Uint8Array])[];
  readonly recent: readonly number[];
}

/** The parts of a connection that are plain records. */
function partsOf(c: Connection): [string, object | null][] {
  return [
    ['connection', c],
    ['rare', c.rare === USUAL ? null : c.rare],
    ['snd', c.snd],
    ['rcv', c.rcv],
    ['rtt', c.rtt],
    ['recovery', c.recovery],
    ['timing', c.timers.timing],
    ['rack', c.rack],
    ['usage', c.usage],
    ['ecn', c.ecn],
    ['mtu', c.mtu],
    ['timers', c.timers],
    ['liveness', c.liveness],
    ['statistics', c.statistics],
  ];
}

/** Writes a connection in one of the `MOVABLE` states. Changes nothing. */
export function writeSnapshot(c: Connection): Uint8Array {
  const w = new SnapshotWriter();
  const { local, localPort, remote, remotePort } = c.addressing;
  w.ascii(MAGIC);
  w.u16(SNAPSHOT_VERSION);
  for (const a of [local, remote]) for (const word of [a.w0, a.w1, a.w2, a.w3]) w.i32(word);
  w.u16(localPort);
  w.u16(remotePort);
  w.u8(c.passive ? 1 : 0);
  w.u8(MOVABLE.indexOf(c.state));
  w.text(c.cc.name);
  const parts = partsOf(c).filter(([, part]) => part !== null);
  w.u8(parts.length + 1);
  for (const [name, part] of parts) writePart(w, name, part as Record<string, unknown>, c.env.now);
  writePart(w, 'cc', { cwnd: c.cc.cwnd, ssthresh: c.cc.ssthresh }, c.env.now);
  writeQueues(w, c);
  return w.bytes();
}

function writePart(w: SnapshotWriter, name: string, part: Record<string, unknown>, now: number): void {
  const times = TIMES[name] ?? [];
  const names =
    name === 'connection' ? [...Object.keys(part).filter((key) => key !== 'bits'), ...FLAGS] : Object.keys(part);
  const fields = names.filter((key) => {
    const kind = typeof part[key];
    return (kind === 'number' || kind === 'boolean') && !OF_THE_HOST.has(key) && key !== UNDER_WAY;
  });
  w.text(name);
  w.u16(fields.length);
  for (const key of fields) {
    const value = part[key] as number | boolean;
    w.text(key);
    if (typeof value === 'boolean') w.flag(value);
    else if (times.includes(key)) w.number(value - now);
    else if (name === 'connection' && WHOLE_TIMES.includes(key)) w.number((value - Math.floor(now)) | 0);
    else if (key === IN_SECONDS) w.number(value - Math.floor(now / 1000));
    else if (name === 'snd' && key === 'tsOffset') w.number((value + Math.floor(now)) | 0);
    else w.number(value);
  }
}

function writeQueues(w: SnapshotWriter, c: Connection): void {
  const { board, sendQueue, receiveBuffer, sackMemory } = c;
  w.u32(board === null ? 0 : board.count);
  for (let i = 0; board !== null && i < board.count; i++) {
    w.i32(board.from(i));
    w.i32(board.to(i));
    w.u8(board.flags(i));
    w.number(board.sentAt(i) - c.env.now);
  }
  const queued = c.queued;
  const out = w.octets(queued);
  if (queued > 0) sendQueue?.copyTo(0, queued, out.bytes, out.at);
  const readable = c.readable;
  const unread = w.octets(readable);
  if (readable > 0) receiveBuffer?.copyTo(0, readable, unread.bytes, unread.at);
  const ranges = receiveBuffer === null ? 0 : receiveBuffer.ranges;
  w.u32(ranges);
  for (let i = 0; receiveBuffer !== null && i < ranges; i++) {
    const from = receiveBuffer.rangeFrom(i);
    const count = receiveBuffer.rangeTo(i) - from;
    w.u32(from);
    const range = w.octets(count);
    receiveBuffer.copyTo(readable + from, count, range.bytes, range.at);
  }
  w.u8(sackMemory === null ? 0 : sackMemory.count);
  for (let i = 0; sackMemory !== null && i < sackMemory.count; i++) w.i32(sackMemory.recent[i]!);
}

/**
 * Reads a snapshot. Throws a `RangeError` that names the place where the bytes are none, or the version when it is
 * another's.
 */
export function readSnapshot(bytes: Uint8Array): Snapshot {
  const r = new SnapshotReader(bytes);
  if (r.ascii(MAGIC.length) !== MAGIC) r.refuse('it does not begin as a snapshot does');
  const version = r.u16();
  if (version !== SNAPSHOT_VERSION) r.refuse(`version ${version} is not ${SNAPSHOT_VERSION}`);
  const [local, remote] = [address(r), address(r)];
  const localPort = r.u16();
  const remotePort = r.u16();
  const passive = r.u8() === 1;
  const state = MOVABLE[r.u8()] ?? r.refuse('no such state');
  const name = r.text();
  const control = controlNamed(name) ?? r.refuse(`no congestion control ${name}`);
  const parts = new Map<string, ReadonlyMap<string, number | boolean>>();
  for (let n = r.u8(); n > 0; n--) {
    const name = r.text();
    const fields = new Map<string, number | boolean>();
    for (let k = r.u16(); k > 0; k--) fields.set(r.text(), r.value());
    parts.set(name, fields);
  }
  const board: [number, number, number, number][] = [];
  for (let n = r.u32(); n > 0; n--) board.push([r.i32(), r.i32(), r.u8(), r.real()]);
  const unacknowledged = r.octets();
  const unread = r.octets();
  const pending: [number, Uint8Array][] = [];
  for (let n = r.u32(); n > 0; n--) pending.push([r.u32(), r.octets()]);
  const recent: number[] = [];
  for (let n = r.u8(); n > 0; n--) recent.push(r.i32());
  r.end();
  const ends = { local, localPort, remote, remotePort, passive, state };
  return { ...ends, control, parts, board, unacknowledged, unread, pending, recent };
}

function address(r: SnapshotReader): Address {
  return new Address(r.i32(), r.i32(), r.i32(), r.i32());
}

/** Makes a fresh connection, which is in the snapshot's state already, what the snapshot says. */
export function applySnapshot(c: Connection, s: Snapshot): void {
  const { now } = c.env;
  if (s.parts.has('rare')) c.ownRare();
  if (s.parts.has('liveness')) c.ownRare().liveness = new Liveness();
  if (s.parts.has('ecn')) c.ecn = new Ecn();
  if (s.parts.has('mtu')) c.mtu = new PathMtu(c.snd.mss);
  if (s.parts.has('statistics')) c.count();
  c.cc = s.control();
  c.arm();
  for (const [name, part] of partsOf(c)) {
    const fields = s.parts.get(name);
    if (part !== null && fields !== undefined) applyPart(name, part as Record<string, unknown>, fields, now);
  }
  c.cc.opened(c.snd.mss, c.env.profile.initialWindow);
  const cc = s.parts.get('cc');
  c.cc.cwnd = Number(cc?.get('cwnd') ?? c.cc.cwnd);
  c.cc.ssthresh = Number(cc?.get('ssthresh') ?? c.cc.ssthresh);
  if (s.board.length > 0) {
    const board = c.takeBoard();
    for (const [from, to, flags, at] of s.board) board.recall(from, to, flags, at + now);
  }
  if (s.unacknowledged.length > 0) {
    c.sendQueue = new SendQueue();
    c.sendQueue.grain = c.snd.mss;
    c.sendQueue.push(s.unacknowledged, 0, s.unacknowledged.length);
  }
  if (s.unread.length > 0 || s.pending.length > 0) {
    const buffer = new ReceiveBuffer(c.env.chunks);
    if (s.unread.length > 0) buffer.append(s.unread, 0, s.unread.length);
    for (const [from, octets] of s.pending) buffer.insert(from, octets, 0, octets.length, s.pending.length);
    c.receiveBuffer = buffer;
  }
  if (s.recent.length > 0) {
    c.sackMemory = new SackMemory();
    for (let i = s.recent.length - 1; i >= 0; i--) c.sackMemory.note(s.recent[i]!);
  }
}

/** Only fields that exist, and of their own kind: what another version had beside them is left out. */
function applyPart(
  name: string,
  part: Record<string, unknown>,
  fields: ReadonlyMap<string, number | boolean>,
  now: number,
): void {
  const times = TIMES[name] ?? [];
  for (const [key, value] of fields) {
    if (typeof part[key] !== typeof value || key === UNDER_WAY) continue;
    if (OF_THE_HOST.has(key) || (name === 'connection' && key === 'bits')) continue;
    if (typeof value === 'boolean') part[key] = value;
    else if (times.includes(key)) part[key] = value + now;
    else if (name === 'connection' && WHOLE_TIMES.includes(key)) part[key] = (value + Math.floor(now)) | 0;
    else if (key === IN_SECONDS) part[key] = value + Math.floor(now / 1000);
    else if (name === 'snd' && key === 'tsOffset') part[key] = (value - Math.floor(now)) | 0;
    else part[key] = value;
  }
}
