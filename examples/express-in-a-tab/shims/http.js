// `node:http`: servers listen on the host of this tab, requests leave from it.

import { createHttp } from 'synfin/node-http';
import { server } from '../host.js';

const http = createHttp(server);

export const { METHODS, STATUS_CODES, Agent, ClientRequest, IncomingMessage, OutgoingMessage } = http;
export const { Server, ServerResponse, createServer, request, get, globalAgent, maxHeaderSize } = http;
export default http;
