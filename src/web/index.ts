// The public names of `web/`: sockets as Web streams, `fetch` and `serve`.

export { type ListenOptions, SocketListener } from './listener.ts';
export type {
  FetchInit,
  FetchInput,
  OctetReadable,
  OctetWritable,
  PlatformHeaders,
  PlatformRequest,
  PlatformResponse,
  PlatformResponseClass,
  PlatformSignal,
} from './platform.ts';
export { Response, replaceResponse } from './response.ts';
export { type Fields, type ServeInfo, type ServeOptions, type Trailers, type Upgraded, WebServer } from './serve.ts';
export { type ConnectOptions, type SecureTransport, Socket, type SocketInfo, type SocketOptions } from './socket.ts';
export { type SecureStream, secureClient, secureServer, type TlsMaterial, type TlsOptions } from './tls.ts';
export { type FetchOptions, trailersOf } from './trailers.ts';
export { type Datagram, DatagramSocket, type DatagramTarget, type UdpOptions, udp } from './udp.ts';
export { createWeb, type SocketAddress, type Web } from './web.ts';
export type {
  FetchTimeouts,
  Lookup,
  WebHost,
  WebListener,
  WebOptions,
  WebStream,
} from './web-host.ts';
