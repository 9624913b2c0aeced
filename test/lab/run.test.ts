// The lab's runs: each scenario goes where its title says, a run is its seed and its actions, and a fork keeps the past.

import { describe, expect, it } from 'vitest';
import { type Action, fork, type RunSpec } from '../../lab/src/model/actions.ts';
import type { RunRecord } from '../../lab/src/model/record.ts';
import { SCENARIO_IDS, type ScenarioId } from '../../lab/src/model/scenario.ts';
import { SCENARIOS } from '../../lab/src/model/scenarios.ts';
import { simulate } from './simulate.ts';

function spec(scenario: ScenarioId, actions: readonly Action[] = [], seed = 9293): RunSpec {
  return { scenario, seed, actions };
}

/** States each end enters, in order. */
function ways(record: RunRecord): { client: string[]; server: string[] } {
  const found = { client: [] as string[], server: [] as string[] };
  for (const e of record.events) {
    if (e.type !== 'state' || (e.from === 'LISTEN' && e.to === 'CLOSED')) continue;
    const end = e.host as 'client' | 'server';
    if (e.conn !== 0 && e.conn !== record.connections[end]) continue;
    found[end].push(e.to);
  }
  return found;
}

const errors = (record: RunRecord) => record.program.filter((e) => e.what === 'closed').map((e) => e.text);
const timeWaits = (record: RunRecord) => record.events.filter((e) => e.type === 'time-wait');
/** The segment with FIN that `host` sends first, and the first bare ACK it sends after `at`. */
const finOf = (record: RunRecord, host: string) =>
  record.events.find((e) => e.type === 'segment' && e.dir === 'out' && e.host === host && (e.flags & 1) !== 0);

describe('every scenario', () => {
  it('has its place in the list, once', () => {
    expect(SCENARIOS.map((s) => s.id)).toEqual([...SCENARIO_IDS]);
  });

  it.each(SCENARIO_IDS)('%s ends with both ends CLOSED, and is the same run twice', (id) => {
    const record = simulate(spec(id));
    const { client, server } = ways(record);
    expect(client.at(-1)).toBe('CLOSED');
    // Where nobody listens, or a flood has taken every place, the server never has a connection.
    if (record.connections.server > 0) expect(server.at(-1)).toBe('CLOSED');
    else expect(['refused', 'flood']).toContain(id);
    expect(simulate(spec(id)).digest).toBe(record.digest);
    expect(simulate(spec(id, [], 1)).digest).not.toBe(record.digest);
  });

  it.each(SCENARIOS.filter((s) => s.fates.length > 0).map((s) => s.id))('%s does something to a segment', (id) => {
    const touched = simulate(spec(id)).packets.filter((p) => p.fate !== '');
    expect(touched.length).toBe(SCENARIOS.find((s) => s.id === id)!.fates.length);
  });
});

describe('the ways through the states', () => {
  const closing = ['FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT', 'CLOSED'];
  it.each<[ScenarioId, string[], string[]]>([
    ['normal', ['SYN-SENT', 'ESTABLISHED', ...closing], ['CLOSE-WAIT', 'LAST-ACK', 'CLOSED']],
    ['half-close', ['SYN-SENT', 'ESTABLISHED', ...closing], ['CLOSE-WAIT', 'LAST-ACK', 'CLOSED']],
    ['three-waves', ['SYN-SENT', 'ESTABLISHED', 'FIN-WAIT-1', 'TIME-WAIT', 'CLOSED'], ['LAST-ACK', 'CLOSED']],
    ['both-open', ['SYN-SENT', 'SYN-RECEIVED', 'ESTABLISHED'], ['SYN-SENT', 'SYN-RECEIVED', 'ESTABLISHED']],
    ['both-close', ['FIN-WAIT-1', 'CLOSING', 'TIME-WAIT', 'CLOSED'], ['FIN-WAIT-1', 'CLOSING', 'TIME-WAIT', 'CLOSED']],
    ['refused', ['SYN-SENT', 'CLOSED'], []],
    ['reset', ['SYN-SENT', 'ESTABLISHED', 'CLOSED'], ['SYN-RECEIVED', 'ESTABLISHED', 'CLOSED']],
  ])('%s', (id, client, server) => {
    const way = ways(simulate(spec(id)));
    expect(way.client.join(' ')).toContain(client.join(' '));
    expect(way.server.join(' ')).toContain(server.join(' '));
  });

  it('refused and reset tell the programs why', () => {
    expect(errors(simulate(spec('refused')))).toEqual(['ECONNREFUSED']);
    expect(errors(simulate(spec('reset')))).toContain('ECONNRESET');
  });

  it('a flood takes every place, and the honest client gives up', () => {
    const record = simulate(spec('flood'));
    const reasons = record.events.filter((e) => e.type === 'drop').map((e) => e.reason);
    expect(reasons.filter((r) => r === 'listen-backlog').length).toBeGreaterThan(5);
    expect(errors(record)).toEqual(['ETIMEDOUT']);
    expect(record.packets.filter((p) => p.forged)).toHaveLength(6);
  });

  it('with SYN cookies the same flood costs nothing: the honest client is served', () => {
    const record = simulate(spec('flood-cookies'));
    expect(ways(record).client).toContain('ESTABLISHED');
    expect(record.program.some((e) => e.end === 'client' && e.what === 'read')).toBe(true);
    expect(record.packets.filter((p) => p.forged)).toHaveLength(6);
  });

  it('slow start loses something to a full queue, repairs it, and everything arrives', () => {
    const record = simulate(spec('slow-start'));
    expect(record.events.some((e) => e.type === 'path' && e.verdict === 'queue-full')).toBe(true);
    const text = (what: string, end: string) =>
      record.program.filter((e) => e.what === what && e.end === end).map((e) => e.text);
    expect(text('read', 'client').join('')).toBe(text('send', 'server').join(''));
  });

  it('an old duplicate comes to TIME-WAIT, is acknowledged and thrown away, and a RST ends nothing', () => {
    const record = simulate(spec('old-duplicate'));
    const old = record.packets.find((p) => p.fate === 'linger')!;
    expect(old.arrivals).toHaveLength(2);
    expect(old.arrivals[1]!.at - old.at).toBe(4000);
    const reasons = record.events.flatMap((e) => (e.type === 'drop' ? [`${e.host} ${e.reason}`] : []));
    expect(reasons).toContain('client tcp-time-wait-rst');
    expect(record.program.filter((e) => e.what === 'read' && e.at > 1000)).toEqual([]);
    expect(ways(record).client.at(-1)).toBe('CLOSED');
    expect(record.end).toBeGreaterThan(60_000);
  });

  it('a page: one connection, the request of the browser answered by the server, and closed when it is idle', () => {
    const more: Action = { kind: 'get', at: 250, end: 'client', text: '/style.css' };
    const lost: Action = { kind: 'get', at: 300, end: 'client', text: '/nowhere' };
    const { answers, packets } = simulate(spec('page', [more, lost]));
    expect(answers.map((a) => [a.target, a.status])).toEqual([
      ['/', 200],
      ['/style.css', 200],
      ['/nowhere', 404],
    ]);
    expect(new TextDecoder().decode(answers[0]!.body)).toContain('<h1>From SYN to FIN</h1>');
    // SYN flag alone: one handshake for all of them.
    expect(packets.filter((p) => (p.bytes[33]! & 0x12) === 2)).toHaveLength(1);
    const late: Action = { kind: 'get', at: 30_000, end: 'client', text: '/' };
    expect(simulate(spec('page', [late])).answers.at(-1)).toMatchObject({ target: '/', status: 0 });
  });

  it('a closed window is seen as a window of zero, and everything arrives in the end', () => {
    const record = simulate(spec('zero-window'));
    const shut = record.events.some(
      (e) => e.type === 'segment' && e.host === 'client' && e.dir === 'out' && e.wnd === 0,
    );
    const read = record.program.filter((e) => e.what === 'read' && e.end === 'client').map((e) => e.text);
    const sent = record.program.filter((e) => e.what === 'send' && e.end === 'server').map((e) => e.text);
    expect(shut).toBe(true);
    expect(read.join('')).toBe(sent.join(''));
  });

  it.each<ScenarioId>(['lose-data', 'lose-tail', 'reorder-data', 'duplicate-data', 'corrupt-data'])(
    '%s: the program reads what was written, all the same',
    (id) => {
      const { program } = simulate(spec(id));
      const text = (what: string, end: string) =>
        program.filter((e) => e.what === what && e.end === end).map((e) => e.text);
      expect(text('read', 'client').join('')).toBe(text('send', 'server').join(''));
    },
  );
});

describe('touching', () => {
  const plain = simulate(spec('normal'));
  const lastAck = [...plain.packets].pop()!;

  it('dropping wave 4 by hand starts TIME-WAIT again, as the scenario of that name does', () => {
    expect(timeWaits(plain)).toHaveLength(1);
    const touched = simulate(spec('normal', [{ kind: 'drop', at: lastAck.at + 10, packet: lastAck.id }]));
    expect(timeWaits(touched).map((e) => e.again)).toEqual([false, true]);
    expect(ways(touched).server.at(-1)).toBe('CLOSED');
    expect(timeWaits(simulate(spec('lose-wave4'))).map((e) => e.again)).toEqual([false, true]);
  });

  it.each(['drop', 'delay', 'duplicate', 'corrupt', 'linger'] as const)('%s: what was before is as it was', (kind) => {
    const fin = finOf(plain, 'client')!;
    const packet = plain.packets.find((p) => p.at === fin.at && p.from === 'client')!;
    const at = packet.at + 20;
    const record = simulate(spec('normal', [{ kind, at, packet: packet.id }]));
    const past = (r: RunRecord) => r.events.filter((e) => e.at < at && e.type !== 'path');
    expect(past(record)).toEqual(past(plain));
    expect(record.digest).not.toBe(plain.digest);
    expect(record.packets.find((p) => p.id === packet.id)).toMatchObject({ fate: kind, touchedAt: at });
  });

  it('commands from outside: text arrives, closing closes, aborting resets', () => {
    const said = simulate(spec('normal', [{ kind: 'send', at: 200, end: 'client', text: 'psst\n' }]));
    expect(said.program.some((e) => e.end === 'server' && e.what === 'read' && e.text.includes('psst'))).toBe(true);
    const closed = simulate(spec('normal', [{ kind: 'close', at: 160, end: 'server', text: '' }]));
    expect(ways(closed).server).toContain('FIN-WAIT-1');
    const aborted = simulate(spec('normal', [{ kind: 'abort', at: 160, end: 'server', text: '' }]));
    expect(errors(aborted)).toContain('ECONNRESET');
  });

  it('commands that make no sense any more are passed over', () => {
    const actions: Action[] = [
      { kind: 'close', at: 0.001, end: 'server', text: '' },
      { kind: 'send', at: 70_000, end: 'client', text: 'too late' },
      { kind: 'drop', at: 5, packet: 999 },
    ];
    expect(ways(simulate(spec('normal', actions))).client).toEqual(ways(plain).client);
  });

  it('a fork forgets what was done later, and a segment has one fate', () => {
    const first: Action = { kind: 'drop', at: 10, packet: 1 };
    const late: Action = { kind: 'close', at: 500, end: 'client', text: '' };
    const second: Action = { kind: 'delay', at: 20, packet: 1 };
    expect(fork([first, late], second)).toEqual([second]);
    expect(fork([first], { ...late, at: 30 })).toEqual([first, { ...late, at: 30 }]);
  });
});
