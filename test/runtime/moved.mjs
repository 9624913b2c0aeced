// The other process: goes on with a transfer that stands on its standard input, and says how it ended.

import * as lib from '../../dist/index.js';
import { Moving } from './moving.mjs';

let text = '';
for await (const part of process.stdin) text += part;
const answers = text
  .trimEnd()
  .split('\n')
  .map((line) => {
    const { events, packets } = Moving.unpack(lib, line).finish();
    return { events, packets };
  });
process.stdout.write(JSON.stringify(answers));
