// What tests of Node's shape of HTTP ask of both ends.

import { once } from 'node:events';
import type nodeHttp from 'node:http';
import type { AddressInfo } from 'node:net';
import type { NetPair } from './pair.ts';

/** Listens; the address of the server's root. */
export async function serving(
  pair: NetPair,
  server: nodeHttp.Server,
  handle: nodeHttp.RequestListener,
): Promise<string> {
  server.on('request', handle).listen(0);
  await once(server, 'listening');
  return `http://${pair.address}:${(server.address() as AddressInfo).port}/`;
}

/** The answer to a request, or the error. */
export function answerOf(request: nodeHttp.ClientRequest): Promise<nodeHttp.IncomingMessage> {
  return new Promise((resolve, reject) => request.on('response', resolve).on('error', reject));
}
