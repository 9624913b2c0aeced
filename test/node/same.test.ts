// The same programs over the kernel and over our stack: what they observe has to be the same, in the same order.

import * as kernel from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { createNet } from '../../src/node/net.ts';
import { createHost } from '../../src/run/create-host.ts';
import { testNet } from '../../src/testing/index.ts';
import { netPair } from './pair.ts';
import { PROGRAMS, type World } from './same.ts';

/** Each place a program runs in, and how it ends. */
const PLACES: Readonly<Record<string, () => { world: World; close(): unknown }>> = {
  'two hosts and a pipe': () => {
    const pair = netPair();
    return { world: pair, close: () => pair.close() };
  },
  'one host that talks to itself': () => {
    const self = createHost({ name: 'self' });
    const net = createNet(self);
    return { world: { client: net, server: net, address: '127.0.0.1' }, close: () => self.runtime.close() };
  },
  'a path with loss, reordering and duplicates, in virtual time': () => {
    const impairments = { delay: 20, jitter: 10, loss: 0.02, duplicate: 0.01, reorder: 0.05 };
    const net = testNet({ seed: 11, impairments });
    const world = { client: net.net(net.client), server: net.net(net.server), address: net.serverAddress };
    return { world, close: () => net.close() };
  },
};

/** What the kernel's sockets tell, asked once. */
const told = new Map<string, Promise<unknown>>();

function expected(name: string): Promise<unknown> {
  const known = told.get(name);
  if (known !== undefined) return known;
  const answer = PROGRAMS[name]!({ client: kernel, server: kernel, address: '127.0.0.1' });
  told.set(name, answer);
  return answer;
}

describe.each(Object.keys(PLACES))('%s', (place) => {
  const { world, close } = PLACES[place]!();
  afterAll(close);
  it.each(Object.keys(PROGRAMS))('%s: as over the kernel', async (name) => {
    const answer = await PROGRAMS[name]!(world);
    expect(answer).toEqual(await expected(name));
  });
});
