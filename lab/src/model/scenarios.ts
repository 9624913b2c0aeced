// The guided scenarios, as data.

import type { Role } from 'synfin/trace';
import type { Chapter, Fate, Flood, Scenario, ScenarioId, Step } from './scenario.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: 10.0.0.2\r\n\r\n';
const PAGE = 'hello, world\n';
const ANSWER = `HTTP/1.1 200 OK\r\nContent-Length: ${PAGE.length}\r\n\r\n${PAGE}`;
const LAST_WORDS = 'a few more words, bla bla bla\n';

/** `count` lines of text, so that a reader of the bytes sees where each segment begins. */
function prose(count: number): string {
  let text = '';
  for (let i = 1; i <= count; i++) text += `line ${String(i).padStart(3, '0')} of a long answer that goes on and on\n`;
  return text;
}

const connect: Step = { when: 'start', do: 'connect' };
const ask: Step = { when: 'open', after: 30, do: 'send', text: REQUEST };
const answer: Step = { when: { received: REQUEST.length }, after: 20, do: 'send', text: ANSWER };
/** Nothing left to say: the FIN goes out with the answer to the other's. */
const finish: Step = { when: 'peer-ended', do: 'shutdown' };

/** The client asks, is answered, and says goodbye first; the server has last words: all four waves are seen. */
const CLIENT: readonly Step[] = [connect, ask, { when: { received: ANSWER.length }, after: 30, do: 'shutdown' }];
const SERVER: readonly Step[] = [
  answer,
  { when: 'peer-ended', after: 30, do: 'send', text: LAST_WORDS },
  { when: 'peer-ended', after: 150, do: 'shutdown' },
];

/** More than the server remembers, quickly. */
const FLOOD: Flood = { count: 6, from: 0, every: 12, backlog: 4, cookies: false };
/** Calls when the flood has come. */
const LATE_CLIENT: readonly Step[] = [{ when: 'start', after: 120, do: 'connect' }, ...CLIENT.slice(1)];

const BASE = {
  client: CLIENT,
  server: SERVER,
  listens: true,
  fates: [],
  mtu: 1500,
  clientBuffer: 0,
  clientSleeps: 0,
  rate: 0,
  queue: 0,
  initialWindow: 0,
  flood: null,
  web: false,
} as const;

function scenario(id: ScenarioId, chapter: Chapter, changes: Partial<Scenario> = {}): Scenario {
  return { ...BASE, ...changes, id, chapter };
}

/** The normal life, but for one segment. */
function losing(id: ScenarioId, chapter: Chapter, role: Role): Scenario {
  return scenario(id, chapter, { fates: [{ role, nth: 1, fate: 'drop' }] });
}

const LINES = prose(64);
/** Enough for the window to grow until the path is full, and to come back. */
const BOOK = prose(2200);

/** A long answer in segments of 536 octets, and what befalls one of them. */
function long(id: ScenarioId, fate: Fate, nth: number): Scenario {
  return scenario(id, 'data', {
    mtu: 576,
    // The request is the first segment with data; the answer's come after it.
    fates: [{ role: 'data', nth: nth + 1, fate }],
    client: [connect, ask, { when: { received: LINES.length }, after: 30, do: 'shutdown' }],
    server: [{ when: { received: REQUEST.length }, after: 20, do: 'send', text: LINES }, finish],
  });
}

/** Every scenario, in the order of the list. */
export const SCENARIOS: readonly Scenario[] = [
  scenario('normal', 'life'),
  scenario('page', 'life', { web: true }),
  losing('lose-shake1', 'opening', 'shake-1'),
  losing('lose-shake2', 'opening', 'shake-2'),
  losing('lose-shake3', 'opening', 'shake-3'),
  scenario('both-open', 'opening', {
    listens: false,
    client: [connect, { when: 'open', after: 60, do: 'shutdown' }],
    server: [connect, { ...finish, after: 40 }],
  }),
  scenario('refused', 'opening', { listens: false, server: [] }),
  scenario('flood', 'opening', { flood: FLOOD, client: LATE_CLIENT }),
  scenario('flood-cookies', 'opening', { flood: { ...FLOOD, cookies: true }, client: LATE_CLIENT }),
  scenario('slow-start', 'data', {
    mtu: 576,
    // A path of 50 kB/s with room for a dozen packets: the window outgrows it after a few round trips.
    rate: 50_000,
    queue: 7000,
    initialWindow: 2,
    client: [connect, ask, { when: { received: BOOK.length }, after: 30, do: 'shutdown' }],
    server: [{ when: { received: REQUEST.length }, after: 20, do: 'send', text: BOOK }, finish],
  }),
  long('lose-data', 'drop', 2),
  long('lose-tail', 'drop', 6),
  long('reorder-data', 'delay', 2),
  // A buffer of five segments: enough while the program reads, and soon full when a visitor stops it.
  { ...long('duplicate-data', 'duplicate', 2), clientBuffer: 2620 },
  long('corrupt-data', 'corrupt', 2),
  scenario('zero-window', 'data', {
    mtu: 576,
    // Four segments of 524 octets: what an MTU of 576 leaves behind headers and timestamps.
    clientBuffer: 2096,
    clientSleeps: 900,
    client: [connect, ask, { when: { received: LINES.length }, after: 30, do: 'shutdown' }],
    server: [{ when: { received: REQUEST.length }, after: 20, do: 'send', text: LINES }, finish],
  }),
  losing('lose-wave1', 'closing', 'wave-1'),
  losing('lose-wave2', 'closing', 'wave-2'),
  losing('lose-wave3', 'closing', 'wave-3'),
  losing('lose-wave4', 'closing', 'wave-4'),
  scenario('half-close', 'closing', {
    client: [connect, ask, { when: 'open', after: 20, do: 'shutdown' }],
    server: [
      { when: { received: REQUEST.length }, after: 60, do: 'send', text: ANSWER },
      { when: 'start', after: 120, do: 'send', text: prose(4) },
      { when: 'start', after: 120, do: 'send', text: prose(4) },
      { when: 'start', after: 60, do: 'shutdown' },
    ],
  }),
  scenario('three-waves', 'closing', { server: [answer, finish] }),
  scenario('both-close', 'closing', {
    client: [connect, ask, { when: { received: ANSWER.length }, after: 50, do: 'shutdown' }],
    server: [answer, { when: 'start', after: 100, do: 'shutdown' }],
  }),
  // The server's answer is the second segment with data; a copy of it comes when all is said.
  scenario('old-duplicate', 'closing', { fates: [{ role: 'data', nth: 2, fate: 'linger' }] }),
  scenario('reset', 'abrupt', {
    client: [connect, ask, { when: { received: 1 }, after: 40, do: 'abort' }],
    server: [answer],
  }),
];

/** The scenario of that name; normal life when there is none. */
export function scenarioOf(id: string): Scenario {
  return SCENARIOS.find((s) => s.id === id) ?? SCENARIOS[0]!;
}
