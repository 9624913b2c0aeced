// Our scripts reach every cell of the table "state by event" of RFC 9293 §3.10, or it is said why none can.

import { expect, it } from 'vitest';
import { cellsOf, EVENTS, faultsOf, IMPOSSIBLE, STATES, tableOf } from '../../scripts/lib/drill-matrix.mjs';
import { STATES as DECLARED } from '../../src/base/state.ts';
import { runScript } from '../../src/drill/index.ts';
import { paths, read } from './source.ts';

it('each event meets each state in a script, as seen while it runs', () => {
  const files = paths().filter((path) => /^test\/drill\/scripts\/.*\.pkt$/.test(path));
  const cells = cellsOf(files.map((file) => ({ file, observed: runScript(read(file)).observed })));
  expect(faultsOf(cells)).toEqual([]);
  expect(cells.size + IMPOSSIBLE.size).toBe(STATES.length * EVENTS.length);
  expect(tableOf(cells).split('\n').length).toBe(EVENTS.length + 1);
});

it('the table has every state', () => {
  expect([...STATES].sort()).toEqual([...DECLARED].sort());
});

it('a hole in the table is found, and so is a cell that is wrongly called impossible', () => {
  const cells = cellsOf([{ file: 'x.pkt', observed: [{ line: 1, state: 'LISTEN', happening: 'ACK old' }] }]);
  const faults = faultsOf(cells);
  expect(faults).toContain('no script reaches CLOSED OPEN');
  expect(faults).toContain('LISTEN ACK old is called impossible, and x.pkt reaches it');
});
