// The public names of the room.

export { isEarly, roomOnSyn } from '../tcp/fast-open.ts';
export { STATE_NUMBER, type TcpInfo } from '../tcp/info.ts';
export { Counters } from './counters.ts';
export { Host } from './host.ts';
export type { Interface, InterfaceOptions } from './interface.ts';
export type { Listener, ListenOptions } from './listener.ts';
export type { ConnectOptions, HostOptions } from './options.ts';
export type { PingDone, PingOptions } from './ping.ts';
export type { UdpHandler, UdpOptions, UdpSocket } from './udp.ts';
