// The public names of the room.

export type { CongestionControl, CongestionController } from '../base/congestion.ts';
export { bbr } from './congestion/bbr.ts';
export { cubic } from './congestion/cubic.ts';
export { integerCubic } from './congestion/cubic-integer.ts';
export { newReno } from './congestion/newreno.ts';
export { Connection } from './connection.ts';
export type { TcpEnv } from './env.ts';
export { type TcpInfo, tcpInfo } from './info.ts';
export { type Inspection, inspect, type RunningTimer } from './inspect.ts';
export type { TcpCounters } from './statistics.ts';
export type { ConnectionAddressing } from './tcb.ts';
