// The public names of `synfin`: a host, its connections, and what they are configured and traced with.

export type { NetErrorCode, Syscall } from './base/errors.ts';
export { NetError, StateError } from './base/errors.ts';
export type { Link, LinkCaps, LinkPort, Medium } from './base/link.ts';
export { RxMeta, TxMeta } from './base/packet.ts';
export {
  DEFAULT_PROFILE,
  FAST_OPEN_CLIENT,
  FAST_OPEN_SEND_BARE,
  FAST_OPEN_SERVER,
  FAST_OPEN_TAKE_BARE,
  type Profile,
} from './base/profile.ts';
export { type Cause, EDGES, type Edge, isEdge, STATES, type State } from './base/state.ts';
export { type ByteStream, type StreamHandler, WRITE_ENDS, WRITE_MORE } from './base/stream.ts';
export type { DropReason, TraceEvent, Tracer } from './base/trace.ts';
export {
  type ConnectOptions,
  Counters,
  ethernet,
  fastOpen,
  Host,
  type HostOptions,
  type Interface,
  type InterfaceOptions,
  type Listener,
  type ListenOptions,
  nstat,
  type PingDone,
  type PingOptions,
  ping,
  restore,
  snapshot,
  superSegments,
  type UdpHandler,
  type UdpOptions,
  type UdpSocket,
  udp,
} from './host/index.ts';
export {
  type AttachOptions,
  afterIo,
  createHost,
  createRuntime,
  type RealHost,
  type RealHostOptions,
  type Runtime,
  type RuntimeOptions,
  randomKey,
} from './run/index.ts';
export {
  bbr,
  type CongestionControl,
  type CongestionController,
  type Connection,
  cubic,
  type Inspection,
  inspect,
  integerCubic,
  newReno,
  type RunningTimer,
  type TcpCounters,
  type TcpInfo,
  tcpInfo,
} from './tcp/index.ts';
