// What `register/` shares with this room: a network along the real clock, and the seam to real sockets.

export { RealDriver } from './driver.ts';
export { joined } from './tunnel.ts';
