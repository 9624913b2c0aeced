// The measured half of mem.idle and mem.timewait, in a process of its own: octets that connections keep.
//
//   node --expose-gc bench/lib/memory.mjs idle|used|timewait COUNT
//
// `idle`: pairs of ends that never carried an octet. `used`: each has carried a request and a response before. Both
// give octets an end; `timewait` gives octets a TIME-WAIT entry. Prints one line of JSON.

import { Core } from './core.mjs';
import { memoryInUse } from './measure.mjs';

const [mode, text] = process.argv.slice(2);
const count = Number(text);
/** Connections that are opened before anything is measured, so that code and tables exist. */
const WARM_UP = 2000;
const PER_ADDRESS = 16_000;

let accepted = 0;
let over = 0;
let answered = 0;
const octets = new Uint8Array(64);

const server = {
  onReadable: (stream) => {
    while (stream.readable > 0) {
      const taken = stream.read(octets, 0, octets.length);
      stream.send(octets, 0, taken);
    }
    if (stream.ended) stream.shutdown();
  },
};
const client = {
  onReadable: (stream) => {
    if (stream.readable === 0) return;
    const taken = stream.read(octets, 0, octets.length);
    const number = new DataView(octets.buffer).getUint32(0);
    if (taken !== 4 || number !== answered) throw new Error(`wrong answer ${number} of ${taken} octets`);
    answered++;
  },
  onClose: () => {
    over++;
  },
};
const clients = Math.ceil((count + WARM_UP) / PER_ADDRESS);
const core = new Core({
  clients,
  accept: (stream) => {
    accepted++;
    stream.handler = server;
  },
});

/** A request of four octets that has to come back. */
function ask(connection) {
  new DataView(octets.buffer).setUint32(0, answered);
  connection.send(octets, 0, 4);
  core.settle();
}

const kept = [];
function open(howMany) {
  for (let i = 0; i < howMany; i++) {
    const connection = core.connect(kept.length, client);
    core.settle();
    if (mode === 'used') ask(connection);
    if (mode === 'timewait') {
      connection.shutdown();
      core.settle();
    }
    // A program that has closed a connection keeps nothing of it.
    kept.push(mode === 'timewait' ? null : connection);
  }
}

open(WARM_UP);
core.advance(1000);
// The list of the benchmark itself is not the stack's: it is as long as it will be before anything is measured.
const began = kept.length;
kept.length = count + WARM_UP;
kept.fill(null, began);
kept.length = began;
const before = memoryInUse();
const rss = process.memoryUsage().rss;
const cpu = process.cpuUsage();
open(count);
// Delayed acknowledgements and other short timers come and go, each in its time: what is idle has none.
for (let ms = 0; ms < 1000; ms += 10) core.advance(10);
const after = memoryInUse();
const { user, system } = process.cpuUsage(cpu);
const more = process.memoryUsage().rss - rss;
const ends = mode === 'timewait' ? count : 2 * count;
const state = mode === 'timewait' ? 'TIME-WAIT' : 'ESTABLISHED';
const { host } = core.client;
const strays = host.connections().filter((connection) => connection.state !== state).length;
if (strays > 0 || host.connectionCount !== kept.length || accepted !== kept.length) {
  throw new Error(`${strays} of ${host.connectionCount} are not in ${state}, of ${kept.length} opened`);
}
if (mode === 'timewait' ? over !== kept.length : over > 0) throw new Error(`${over} connections ended`);
const timers = host.timersArmed;
if (mode !== 'timewait') for (let i = 0; i < kept.length; i += 101) ask(kept[i]);
console.log(
  JSON.stringify({
    octets: (after - before - 8 * count) / ends,
    rss: more / ends,
    seconds: (user + system) / 1e6,
    timers,
    answered,
  }),
);
