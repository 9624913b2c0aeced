// The public names of the room.

export { STATE_NUMBER, type TcpInfo } from '../tcp/info.ts';
export { Counters } from './counters.ts';
export { type ConnectOptions, Host, type HostOptions } from './host.ts';
export type { Interface, InterfaceOptions } from './interface.ts';
export type { Listener, ListenOptions } from './listener.ts';
export type { PingDone, PingOptions } from './ping.ts';
export type { UdpHandler, UdpOptions, UdpSocket } from './udp.ts';
