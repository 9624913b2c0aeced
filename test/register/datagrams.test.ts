// A gateway for datagrams: a port for each destination, and no more of them than a bound.

import { expect, it } from 'vitest';
import { udp } from '../../src/host/index.ts';
import { DatagramGateway } from '../../src/register/datagrams.ts';
import { end } from '../host/wire.ts';

it('keeps the ports of the 1024 destinations used last, and gives the others back', () => {
  const { host } = end('gateway', '10.0.0.1/24');
  const gateway = new DatagramGateway(host);
  const first = gateway.gate('192.0.2.1', 1);
  const second = gateway.gate('192.0.2.1', 2);
  for (let port = 3; port <= 1024; port++) gateway.gate('192.0.2.1', port);
  expect(gateway.gate('192.0.2.1', 1)).toBe(first);
  expect(() => udp(host, { port: second })).toThrow('EADDRINUSE');
  gateway.gate('192.0.2.2', 1);
  expect(() => udp(host, { port: first })).toThrow('EADDRINUSE');
  expect(udp(host, { port: second }).port).toBe(second);
});
