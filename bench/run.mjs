// The bench house: runs metrics and probes, ours and the peers' in turn, and prints a table or one JSON object a line.
//
//   npm run -s bench -- [--only NAME,...] [--json] [--rounds N] [--alone]
//
// A metric is a module of bench/metrics/ that exports
//   name     'tcp.bulk.mss1460'
//   unit     'MB/s'
//   better   'higher' or 'lower'
//   run      async () => number, or { value, cpu } with the same figure by processor time: one round of ours; null when
//            the machine does not let it run, of which the notes tell
//   peers    { name: async () => ... }: one round of each peer, likewise; a peer that cannot run returns null
//   rounds   optional: rounds that are enough for it; 5 by default
//   warm     optional: false when every round has processes of its own, so that none is needed to warm up
//   notes    optional: async () => string[]: where the time or the memory goes, after the rounds
// A probe is a program of bench/probes/; it prints its own table, or its own lines with --json.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const PROBES = ['layout', 'link', 'determinism'];
const ROUNDS = 5;

/** Every metric module, by its metric's name. */
async function metrics() {
  const found = new Map();
  for (const file of readdirSync(new URL('metrics/', import.meta.url)).sort()) {
    if (!file.endsWith('.mjs')) continue;
    const metric = await import(new URL(`metrics/${file}`, import.meta.url).href);
    if (metric.name !== undefined) found.set(metric.name, metric);
  }
  return found;
}

function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return { min: sorted[0], median: sorted[sorted.length >> 1], max: sorted.at(-1) };
}

const figure = (value) => Number(value.toPrecision(4));

/** Runs one metric: ours, each peer, ours, each peer, ... A first round warms up and is thrown away. */
async function measure(metric, rounds, alone) {
  const runs = { ours: metric.run, ...(alone ? {} : metric.peers) };
  const samples = Object.fromEntries(Object.keys(runs).map((name) => [name, { value: [], cpu: [] }]));
  for (let round = metric.warm === false ? 0 : -1; round < rounds; round++) {
    for (const [name, run] of Object.entries(runs)) {
      globalThis.gc?.();
      const found = await run();
      if (round < 0 || found === null) continue;
      const { value, cpu } = typeof found === 'number' ? { value: found } : found;
      samples[name].value.push(value);
      if (cpu !== undefined) samples[name].cpu.push(cpu);
    }
  }
  return samples;
}

/** The medians of one kind of figure, ours and each peer's, and ours divided by each peer's. */
function medians(samples, kind) {
  const { ours, ...rest } = samples;
  const peers = {};
  const ratio = {};
  const own = spread(ours[kind]).median;
  for (const [name, found] of Object.entries(rest)) {
    if (found[kind].length === 0) continue;
    const { median } = spread(found[kind]);
    peers[name] = figure(median);
    ratio[name] = Number((own / median).toPrecision(3));
  }
  return { ours: figure(own), peers, ratio };
}

function asJson(metric, samples, notes) {
  if (samples.ours.value.length === 0) return JSON.stringify({ metric: metric.name, ours: null, notes });
  const { min, max } = spread(samples.ours.value);
  const head = { metric: metric.name, unit: metric.unit, better: metric.better, ...medians(samples, 'value') };
  const cpu = samples.ours.cpu.length > 0 ? { cpu: medians(samples, 'cpu') } : {};
  const rounds = samples.ours.value.length;
  return JSON.stringify({ ...head, min: figure(min), max: figure(max), rounds, ...cpu, notes });
}

function row(name, values) {
  const { min, median, max } = spread(values);
  return `  ${name.padEnd(44)} ${[min, median, max].map((v) => String(figure(v)).padStart(9)).join(' ')}`;
}

function asTable(metric, samples) {
  const title = `${metric.name}, ${metric.unit} (${metric.better} is better)`;
  const lines = [`${title.padEnd(46)}       min    median       max`];
  for (const [name, { value, cpu }] of Object.entries(samples)) {
    if (value.length === 0) {
      lines.push(`  ${name.padEnd(44)} cannot run here`);
      continue;
    }
    lines.push(row(name, value));
    if (cpu.length > 0) lines.push(row('  by processor time', cpu));
  }
  return lines.join('\n');
}

function probe(name, json) {
  const args = ['--expose-gc', `${HERE}probes/${name}.mjs`, ...(json ? ['--json'] : [])];
  return spawnSync(process.execPath, args, { stdio: 'inherit' }).status === 0;
}

const USAGE = 'npm run -s bench -- [--only NAME,...] [--json] [--rounds N] [--alone]';

async function main() {
  const options = { only: { type: 'string', multiple: true }, json: { type: 'boolean' }, rounds: { type: 'string' } };
  // Without the peers and the notes: for comparisons with ourselves.
  const alone = { type: 'boolean', default: false };
  let values;
  try {
    ({ values } = parseArgs({ options: { ...options, alone, help: { type: 'boolean' } } }));
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    return 2;
  }
  const all = await metrics();
  const names = [...all.keys(), ...PROBES.map((name) => `probe.${name}`)];
  if (values.help) {
    console.log(`${USAGE}\n\n${names.join('\n')}`);
    return 0;
  }
  // Probes answered questions of design; they run when asked for.
  const wanted = values.only?.flatMap((list) => list.split(',')) ?? [...all.keys()];
  const unknown = wanted.filter((name) => !names.includes(name));
  const rounds = values.rounds === undefined ? 0 : Number(values.rounds);
  if (unknown.length > 0 || !(Number.isInteger(rounds) && (rounds > 0 || values.rounds === undefined))) {
    console.error(unknown.length > 0 ? `No such metric: ${unknown.join(', ')}. There are: ${names.join(', ')}` : USAGE);
    return 2;
  }
  let ok = true;
  for (const name of wanted) {
    if (name.startsWith('probe.')) {
      ok = probe(name.slice('probe.'.length), values.json === true) && ok;
      continue;
    }
    const metric = all.get(name);
    const samples = await measure(metric, rounds || (metric.rounds ?? ROUNDS), values.alone);
    const notes = values.alone ? [] : ((await metric.notes?.()) ?? []);
    console.log(values.json ? asJson(metric, samples, notes) : [asTable(metric, samples), ...notes].join('\n    '));
  }
  return ok ? 0 : 1;
}

process.exitCode = await main();
