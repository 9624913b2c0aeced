// `createHttp`: Node's own HTTP over sockets of a host, by subclasses; nothing of Node is changed.

import http from 'node:http';
import type { RealHost } from '../run/create-host.ts';
import { derive } from './callable.ts';
import type { NetHost, NetOptions } from './env.ts';
import { createNet, type Net } from './net.ts';
import type { Server } from './server.ts';

/** A module of the shape of `node:http`. */
export type Http = typeof import('node:http');

/** Options of `createHttp`. */
export interface HttpOptions extends NetOptions {
  /** What `createNet` made for this host already; one of its own by default. */
  readonly net?: Net;
}

/** What Node's `globalAgent` is made with. */
const GLOBAL_AGENT = { keepAlive: true, scheduling: 'lifo', timeout: 5000 } as const;

/** Of our servers' methods those that HTTP servers have from `node:net`; `close` calls ours by itself. */
const OWN = ['constructor', 'close', '_rejected'];

type Anything = Record<string, unknown>;

/**
 * Makes a module of the shape of `node:http` whose servers listen on `host` and whose requests leave from it: Node's own
 * parser, agents, messages and limits over sockets of `createNet`. Two hosts in one process do not meet.
 *
 * Bundles for browsers get this library's own HTTP in its place, in the same shape.
 *
 * A framework that is given a server, or a way to make one, runs unmodified: `createServer(app).listen(80)`.
 *
 * @example
 * ```ts
 * import { createHost } from 'synfin';
 * import { createHttp } from 'synfin/node-http';
 *
 * const http = createHttp(createHost({ name: 'server' }));
 * http.createServer((request, response) => response.end(`you asked for ${request.url}\n`)).listen(80);
 * ```
 */
export function createHttp(host: NetHost | RealHost, options: HttpOptions = {}): Http {
  const net = options.net ?? createNet(host, options);
  const Agent = derive(http.Agent, (args) => args, {
    createConnection: { value: net.createConnection, writable: true, configurable: true },
  });
  const Server = derive(http.Server, (args) => args, serverMethods(net));
  let globalAgent: unknown = Reflect.construct(Agent, [GLOBAL_AGENT]);
  const ClientRequest = derive(http.ClientRequest, (args) => withDefaultAgent(args, () => globalAgent), {});
  const request = (...args: unknown[]): unknown => Reflect.construct(ClientRequest, args);
  const module: Anything = Object.defineProperties({}, Object.getOwnPropertyDescriptors(http)) as Anything;
  Object.defineProperties(module, {
    ...constants({ Agent, Server, ClientRequest, request }),
    ...constants({
      createServer: (...args: unknown[]) => Reflect.construct(Server, args),
      get: (...args: unknown[]) => {
        const made = request(...args) as { end(): void };
        made.end();
        return made;
      },
    }),
    globalAgent: {
      get: () => globalAgent,
      set: (agent: unknown) => {
        globalAgent = agent;
      },
      enumerable: true,
      configurable: true,
    },
  });
  return module as unknown as Http;
}

function constants(values: Anything): PropertyDescriptorMap {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      { value, writable: true, enumerable: true, configurable: true },
    ]),
  );
}

/** The part of our Server that takes the place of Node's below an HTTP server: how it listens and accepts. */
function serverMethods(net: Net): PropertyDescriptorMap {
  const own = net.Server.prototype as unknown as Server;
  const base = Object.getPrototypeOf(own) as Server;
  const methods = Object.getOwnPropertyDescriptors(base) as unknown as PropertyDescriptorMap;
  const taken = Object.entries(methods).filter(([name]) => !OWN.includes(name));
  return {
    ...Object.fromEntries(taken),
    ...constants({ _net: own._net, _Socket: own._Socket, _listeningId: 0, _unref: false }),
  };
}

/** The arguments of a request, with the agent that serves it when it names none. */
function withDefaultAgent(args: readonly unknown[], agent: () => unknown): unknown[] {
  const [first, second, third] = args;
  const withAgent = (options: unknown): Anything => ({ _defaultAgent: agent(), ...(options as Anything | undefined) });
  if (typeof first !== 'string' && !(first instanceof URL)) return [withAgent(first), second];
  return typeof second === 'function' ? [first, withAgent({}), second] : [first, withAgent(second), third];
}
