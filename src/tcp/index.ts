// The public names of the room.

export type { CongestionController } from './congestion/controller.ts';
export { Connection } from './connection.ts';
export type { TcpEnv } from './env.ts';
export type { TcpInfo } from './info.ts';
export { type Inspection, inspect, type RunningTimer } from './inspect.ts';
export type { TcpCounters } from './statistics.ts';
export type { ConnectionAddressing } from './tcb.ts';
