// The public names of the base room; nothing is computed here. Rooms inside the package import the files.

export { checksumOf, fold, onesSum } from './checksum.ts';
export { copyBytes, copyPacket } from './copy.ts';
export { NetError, type NetErrorCode, StateError, type Syscall } from './errors.ts';
export { type Link, type LinkCaps, type LinkPort, type Medium, PLAIN_LINK } from './link.ts';
export {
  CHECKSUM_NONE,
  CHECKSUM_PARTIAL,
  CHECKSUM_VERIFIED,
  type ChecksumState,
  GSO_NONE,
  GSO_TCP4,
  GSO_TCP6,
  type GsoType,
  RxMeta,
  TxMeta,
} from './packet.ts';
export { PacketBuffer, PacketPool } from './pool.ts';
export { Prng } from './prng.ts';
export { DEFAULT_PROFILE, type Profile } from './profile.ts';
export { CHUNK_SIZE, ChunkPool, ReceiveBuffer } from './receive-buffer.ts';
export { SendQueue } from './send-queue.ts';
export { seqDiff, seqGe, seqGt, seqLe, seqLt, seqMax, seqMin } from './seq.ts';
export { Sha256 } from './sha256.ts';
export { halfSip13, SipKey, sip24 } from './siphash.ts';
export { type Cause, EDGES, type Edge, isEdge, STATES, type State } from './state.ts';
export { type ByteStream, type StreamHandler, WRITE_ENDS, WRITE_MORE } from './stream.ts';
export type {
  CongestionEvent,
  DropEvent,
  DropReason,
  IssEvent,
  PathEvent,
  SegmentEvent,
  StateEvent,
  TimerEvent,
  TimeWaitEvent,
  TraceEvent,
  Tracer,
} from './trace.ts';
export { TimerWheel } from './wheel.ts';
