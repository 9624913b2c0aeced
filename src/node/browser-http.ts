// `createHttp` where there is no Node: `http/` in the shape of `node:http`, over sockets of a host.

import type { RealHost } from '../run/create-host.ts';
import { type Constructor, callable } from './callable.ts';
import type { NetEnv, NetHost } from './env.ts';
import type { Http, HttpOptions } from './http.ts';
import { type Agent, callableAgent } from './http-agent.ts';
import { Incoming } from './http-incoming.ts';
import { checkFieldName, checkFieldValue, METHODS, STATUS_CODES } from './http-names.ts';
import { initialiseOutgoing, OutgoingMessage } from './http-outgoing.ts';
import { type ClientRequest, callableRequest } from './http-request.ts';
import { Response } from './http-response.ts';
import { callableHttpServer, type HttpServer } from './http-server.ts';
import { createNet } from './net.ts';
import { Writable } from './node-platform.ts';
import type { Server } from './server.ts';

export type { Http, HttpOptions } from './http.ts';

/** Octets of a head that are read unless a program says otherwise. */
const HEAD = 16_384;

const Outgoing: Constructor<OutgoingMessage, []> = callable('OutgoingMessage', OutgoingMessage, {}, (self) => {
  Reflect.apply(Writable, self, [{}]);
  initialiseOutgoing(self);
});

/**
 * As `createHttp` on Node, made of this library's own HTTP: servers, requests and agents of Node's shape, enough for what is
 * written for Node to run in a page. Bundlers take it in the place of the other by the condition `browser`.
 *
 * It reads more strictly than Node and answers in the order of requests; `clientError` is told of what could not be read.
 */
export function createHttp(host: NetHost | RealHost, options: HttpOptions = {}): Http {
  const net = options.net ?? createNet(host, options);
  const own = net.Server.prototype as unknown as Server;
  const connect = net.createConnection as unknown as Agent['createConnection'];
  const ownAgent = callableAgent((target) => connect(target));
  let globalAgent = new ownAgent({ keepAlive: true, scheduling: 'lifo', timeout: 5000 });
  const request = callableRequest({
    net: (own as { _net: NetEnv })._net,
    connect: (target) => connect(target),
    Agent: ownAgent,
    globalAgent: () => globalAgent,
  });
  const server = callableHttpServer({ _net: { value: own._net }, _Socket: { value: own._Socket } });
  const module = {
    ...{ METHODS: [...METHODS], STATUS_CODES: { ...STATUS_CODES }, maxHeaderSize: HEAD },
    ...{ Agent: ownAgent, ClientRequest: request, IncomingMessage: Incoming, OutgoingMessage: Outgoing },
    ...{ Server: server, ServerResponse: Response },
    createServer: (...args: []): HttpServer => new server(...args),
    request: (...args: unknown[]): ClientRequest => new request(...args),
    get: (...args: unknown[]): ClientRequest => new request(...args).end(),
    validateHeaderName: checkFieldName,
    validateHeaderValue: checkFieldValue,
    setMaxIdleHTTPParsers: () => undefined,
    get globalAgent(): Agent {
      return globalAgent;
    },
    set globalAgent(agent: Agent) {
      globalAgent = agent;
    },
  };
  return module as unknown as Http;
}
