// The table "state by event" of RFC 9293 §3.10, and which scripts reach which cell of it.

/** States in the order of RFC 9293 §3.10.2 and the sections around it. */
export const STATES = [
  'CLOSED',
  'LISTEN',
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
];

/** Events by the section of §3.10 that has them, as the interpreter of scripts names what it sees. */
export const EVENTS = [
  ['OPEN', '3.10.1'],
  ['SEND', '3.10.2'],
  ['RECEIVE', '3.10.3'],
  ['CLOSE', '3.10.4'],
  ['ABORT', '3.10.5'],
  ['STATUS', '3.10.6'],
  ['out of window', '3.10.7.4 first'],
  ['RST', '3.10.7 RST'],
  ['RST not exact', '3.10.7.4 second'],
  ['SYN', '3.10.7 SYN'],
  ['no ACK', '3.10.7.4 fifth'],
  ['ACK', '3.10.7 ACK'],
  ['ACK old', '3.10.7.4 fifth'],
  ['ACK too new', '3.10.7.4 fifth'],
  ['URG', '3.10.7.4 sixth'],
  ['text', '3.10.7.4 seventh'],
  ['FIN', '3.10.7.4 eighth'],
  ['USER TIMEOUT', '3.10.8'],
  ['RETRANSMISSION TIMEOUT', '3.10.8'],
  ['TIME-WAIT TIMEOUT', '3.10.8'],
];

const NO_NUMBERS = 'no connection, so no numbers to hold the segment against';
const NO_WINDOW = "the peer's numbers are not known yet, so there is no window";
const NOTHING_OUT = 'everything we sent has been acknowledged';
const ONLY_THERE = 'this timer runs in TIME-WAIT alone';

/** Cells that cannot be reached, and why. */
export const IMPOSSIBLE = new Map([
  ...['out of window', 'RST not exact', 'ACK old', 'ACK too new'].flatMap((event) => [
    [`CLOSED ${event}`, NO_NUMBERS],
    [`LISTEN ${event}`, NO_NUMBERS],
  ]),
  ['SYN-SENT out of window', NO_WINDOW],
  ['SYN-SENT RST not exact', NO_WINDOW],
  ['FIN-WAIT-2 ACK', NOTHING_OUT],
  ['TIME-WAIT ACK', NOTHING_OUT],
  ['CLOSED USER TIMEOUT', 'no connection, so nothing is waited for'],
  ['LISTEN USER TIMEOUT', 'a listener waits for ever'],
  ['TIME-WAIT USER TIMEOUT', NOTHING_OUT],
  ['CLOSED RETRANSMISSION TIMEOUT', 'no connection, so nothing was sent'],
  ['LISTEN RETRANSMISSION TIMEOUT', 'nothing was sent'],
  ['FIN-WAIT-2 RETRANSMISSION TIMEOUT', NOTHING_OUT],
  ['TIME-WAIT RETRANSMISSION TIMEOUT', NOTHING_OUT],
  ...STATES.filter((state) => state !== 'TIME-WAIT').map((state) => [`${state} TIME-WAIT TIMEOUT`, ONLY_THERE]),
]);

/**
 * Which scripts reach which cell.
 *
 * @param runs `{ file, observed }` of scripts that passed, `observed` as `runScript` gives it
 * @returns files by `STATE event`
 */
export function cellsOf(runs) {
  const cells = new Map();
  for (const { file, observed } of runs) {
    for (const { state, happening } of observed) {
      const key = `${state} ${happening}`;
      const files = cells.get(key) ?? new Set();
      cells.set(key, files.add(file));
    }
  }
  return cells;
}

/** What is wrong with the table: holes, and cells that are said to be impossible and are not. */
export function faultsOf(cells) {
  const faults = [];
  for (const state of STATES) {
    for (const [event] of EVENTS) {
      const key = `${state} ${event}`;
      const reached = cells.has(key);
      if (!reached && !IMPOSSIBLE.has(key)) faults.push(`no script reaches ${key}`);
      if (reached && IMPOSSIBLE.has(key))
        faults.push(`${key} is called impossible, and ${[...cells.get(key)][0]} reaches it`);
    }
  }
  const known = new Set(EVENTS.map(([event]) => event));
  for (const key of cells.keys()) {
    const state = STATES.find((name) => key.startsWith(`${name} `)) ?? '';
    if (state === '' || !known.has(key.slice(state.length + 1))) faults.push(`${key} is no cell of the table`);
  }
  return faults;
}

/** The table as text: how many scripts reach each cell. */
export function tableOf(cells) {
  const width = Math.max(...EVENTS.map(([event, section]) => event.length + section.length)) + 3;
  const heads = STATES.map((state) => state.padStart(state.length + 1));
  const lines = [`${' '.repeat(width)}${heads.join('')}`];
  for (const [event, section] of EVENTS) {
    const row = STATES.map((state, i) => {
      const count = cells.get(`${state} ${event}`)?.size;
      return String(count ?? '-').padStart(heads[i].length);
    });
    lines.push(`${`${event} §${section}`.padEnd(width)}${row.join('')}`);
  }
  return lines.join('\n');
}
