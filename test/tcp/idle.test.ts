// What a connection that has nothing to do keeps: 100,000 of them are on one host.

import { describe, expect, test } from 'vitest';
import { type Pair, pair } from '../../src/sim/index.ts';
import { NO_TIMERS } from '../../src/tcp/timers.ts';

/** Lets so many milliseconds go by. */
function pass(p: Pair, ms: number): void {
  p.network.run({ until: p.network.now + ms });
}

/** An open connection, both ends of which have been silent for a second. */
function idle() {
  const p = pair({ impairments: { delay: 10 } });
  const accepted: (typeof client)[] = [];
  p.server.listen({ port: 80 }, (connection) => void accepted.push(connection));
  const client = p.client.connect({ address: p.serverAddress, port: 80 });
  pass(p, 1000);
  return { p, client, server: accepted[0]! };
}

describe('an idle connection', () => {
  test('has no deadlines of its own, no scoreboard and no queues', () => {
    const { client, server } = idle();
    for (const c of [client, server]) {
      expect(c.state).toBe('ESTABLISHED');
      expect([c.timers === NO_TIMERS, c.board, c.sendQueue, c.receiveBuffer]).toEqual([true, null, null, null]);
    }
  });

  test('borrows deadlines for what it sends, and gives them back', () => {
    const { p, client, server } = idle();
    const { timers: before } = client;
    client.send(new Uint8Array(10), 0, 10);
    pass(p, 5);
    expect([before === client.timers, Number.isFinite(client.timers.retransmit)]).toEqual([false, true]);
    expect(server.timers).toBe(NO_TIMERS);
    pass(p, 1000);
    expect(server.readable).toBe(10);
    expect([client.timers === NO_TIMERS, server.timers === NO_TIMERS]).toEqual([true, true]);
    expect(NO_TIMERS.earliest).toBe(Number.POSITIVE_INFINITY);
  });

  test('takes a row that another one used, with nothing armed in it', () => {
    const { p, client, server } = idle();
    for (const c of [client, server, client]) {
      c.send(new Uint8Array(10), 0, 10);
      pass(p, 1000);
    }
    const rows = p.client.timerRows;
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.map((row) => row.earliest)).toEqual(rows.map(() => Number.POSITIVE_INFINITY));
  });
});
