// What a connection that has nothing to do keeps: 100,000 of them are on one host.

import { describe, expect, test } from 'vitest';
import { type Pair, pair } from '../../src/sim/index.ts';
import { Rack, Recovery } from '../../src/tcp/losses.ts';
import { Rare, USUAL } from '../../src/tcp/rare.ts';
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

  test('has no figures, and nothing of its own that only few have, until something is unusual', () => {
    const { p, client, server } = idle();
    for (const c of [client, server]) expect([c.rare === USUAL, c.statistics]).toEqual([true, null]);
    client.setAbortOnClose(true);
    client.setUserTimeout(5000);
    client.setDiffserv(46);
    expect([client.rare.linger, client.liveness?.userTimeout, client.diffserv]).toEqual([0, 5000, 46]);
    expect([server.rare.linger, server.liveness, server.diffserv]).toEqual([-1, null, 0]);
    client.send(new Uint8Array(10), 0, 10);
    pass(p, 1000);
    expect([server.statistics === null, server.rare === USUAL]).toEqual([false, true]);
    expect(USUAL).toEqual(new Rare());
  });

  test('gives back a row in which nothing is left of it', () => {
    const { p, client } = idle();
    const row = client.arm();
    row.timing.sent(1, 0);
    row.probes = 3;
    row.againRun = 2;
    p.client.touch(client);
    pass(p, 10);
    expect(client.timers).toBe(NO_TIMERS);
    expect([row.timing.on, row.probes, row.againRun]).toEqual([false, 0, 0]);
    expect(p.client.timerRows).toContain(row);
  });

  test('knows nothing of losses of its own, and begins with the last round-trip time when it sends', () => {
    const { p, client } = idle();
    const { latest } = client.rtt;
    expect(client.rack).toBe(NO_TIMERS.rack);
    expect(client.recovery).toBe(NO_TIMERS.recovery);
    // What another connection has left there.
    for (const row of p.client.timerRows) row.rack.rtt = 4711;
    client.send(new Uint8Array(10), 0, 10);
    pass(p, 5);
    expect([client.rack === NO_TIMERS.rack, client.recovery === NO_TIMERS.recovery]).toEqual([false, false]);
    expect(client.rack.rtt).toBe(latest);
    pass(p, 1000);
    expect([client.rack === NO_TIMERS.rack, client.recovery === NO_TIMERS.recovery]).toEqual([true, true]);
  });

  test.each(['reordering', 'dsackSeen', 'probing'] as const)('keeps what it has learnt of its path: %s', (what) => {
    const { p, client } = idle();
    client.arm().rack[what] = true;
    const { rack } = client;
    p.client.touch(client);
    pass(p, 1000);
    expect(client.rack).toBe(rack);
  });

  test('keeps a reduction that may be undone, and leaves no numbers to the next', () => {
    const { p, client } = idle();
    const { recovery } = client.arm();
    recovery.undoable = true;
    recovery.recover = 4711;
    p.client.touch(client);
    pass(p, 1000);
    expect(client.recovery).toBe(recovery);
    recovery.undoable = false;
    p.client.touch(client);
    pass(p, 1000);
    expect(client.recovery).toBe(NO_TIMERS.recovery);
    expect(p.client.timerRows.map((row) => row.recovery)).toContain(recovery);
    expect(recovery).toEqual(new Recovery());
    expect([NO_TIMERS.rack, NO_TIMERS.recovery]).toEqual([new Rack(), new Recovery()]);
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
