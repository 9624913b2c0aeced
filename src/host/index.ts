// The public names of the room.

export { integerCubic } from '../tcp/congestion/cubic-integer.ts';
export { newReno } from '../tcp/congestion/newreno.ts';
export { STATE_NUMBER, type TcpInfo, tcpInfo } from '../tcp/info.ts';
export { type SuperSegments, superSegments } from '../tcp/trains.ts';
export { Counters } from './counters.ts';
export { type Ethernet, ethernet } from './ethernet.ts';
export { type FastOpens, fastOpen } from './fast-open.ts';
export { Host } from './host.ts';
export type { Interface, InterfaceOptions } from './interface.ts';
export { deferralOf, type Listener, type ListenOptions } from './listener.ts';
export { nstat } from './nstat.ts';
export type { ConnectOptions, HostOptions } from './options.ts';
export { type PingDone, type PingOptions, ping } from './ping.ts';
export { restore, snapshot } from './snapshot.ts';
export { type UdpHandler, type UdpOptions, type UdpSocket, udp } from './udp.ts';
