// `node:net`, on the same host.

import { createNet } from 'synfin/net';
import { server } from '../host.js';

const net = createNet(server);

export const { Socket, Server, connect, createConnection, createServer, isIP, isIPv4, isIPv6 } = net;
export default net;
