// `synfin demo`: tells the story of one connection, proves that it went well, and says what to try next.

import type { TraceEvent } from '../base/trace.ts';
import { aliasTable, drawLadder, type Lang, readConversation, textWidth, wrap } from '../trace/index.ts';
import { type CapturePlace, writeCapture, writeFigures, writeStory } from './demo-files.ts';
import { LOSE_ALIASES, LOSE_NAMES, type LoseName } from './demo-lose.ts';
import { type Closer, DEFAULT_DEMO, type DemoOptions, type DemoResult, runDemo } from './demo-run.ts';
import { COLUMNS, proofOf, suggestions, textsOf, titleOf } from './demo-text.ts';
import { type CliIo, EXIT_FAILED, EXIT_OK, Misuse } from './io.ts';
import { styleFor } from './style.ts';
import { guarded, readArgs } from './verb.ts';

const OPTIONS = {
  seed: { type: 'string' },
  loss: { type: 'string' },
  reorder: { type: 'string' },
  dup: { type: 'string' },
  corrupt: { type: 'string' },
  rtt: { type: 'string' },
  size: { type: 'string' },
  lose: { type: 'string', multiple: true },
  close: { type: 'string' },
  full: { type: 'boolean', default: false },
  names: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  pcap: { type: 'string' },
  'pcap-at': { type: 'string', default: 'wire' },
  svg: { type: 'string' },
  figures: { type: 'string' },
  lang: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const LARGEST_PAGE = 100_000_000;
const LONGEST_RTT = 60_000;

/** A number on the command line: digits, in a range. */
function number(name: string, text: string | undefined, least: number, most: number, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value < least || value > most) {
    throw new Misuse(`--${name} takes a number from ${least} to ${most}, not '${text}'`);
  }
  return value;
}

function whole(name: string, text: string | undefined, least: number, most: number, otherwise: number): number {
  const value = number(name, text, least, most, otherwise);
  if (!Number.isInteger(value)) throw new Misuse(`--${name} takes a whole number, not '${text}'`);
  return value;
}

/** A share of packets: `3` and `3%` are percentages, `0.03` is a fraction. */
function share(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const parts = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const value = Number(parts?.[1]);
  const fraction = parts?.[2] === '%' || value >= 1 ? value / 100 : value;
  if (parts === null || fraction > 1) {
    throw new Misuse(`--${name} takes a percentage such as 3 or 0.5%, or a fraction such as 0.03, not '${text}'`);
  }
  return fraction;
}

function oneOf<T extends string>(name: string, text: string, choices: readonly T[]): T {
  const found = choices.find((c) => c === text);
  if (found === undefined) throw new Misuse(`--${name} takes ${choices.join(', ')}, not '${text}'`);
  return found;
}

function loseNames(texts: readonly string[] | undefined): readonly LoseName[] {
  if (texts === undefined) return DEFAULT_DEMO.lose;
  const names: LoseName[] = [];
  for (const text of texts.join(',').split(',')) {
    if (text === 'none') continue;
    const name = LOSE_NAMES.find((n) => n === (LOSE_ALIASES[text] ?? text));
    if (name === undefined) throw new Misuse(`--lose takes ${LOSE_NAMES.join(', ')} or none, not '${text}'`);
    names.push(name);
  }
  return names;
}

/** Prints events as JSON, one a line, and a result. */
function printJson(io: CliIo, result: DemoResult): void {
  const lines = result.events.map((e: TraceEvent) => JSON.stringify(e));
  const { options, ok, error, sent, received, states, notLost, end, digest } = result;
  lines.push(JSON.stringify({ type: 'result', ok, error, options, sent, received, states, notLost, end, digest }));
  io.stdout.write(`${lines.join('\n')}\n`);
}

/** Prints the story. */
function printStory(io: CliIo, result: DemoResult, full: boolean, lang: Lang): void {
  const style = styleFor(io);
  const conversation = readConversation(result.events);
  const lines =
    conversation === null
      ? []
      : drawLadder(conversation, {
          lang,
          full,
          style,
          title: titleOf(result.options, lang),
          describe: (c) => result.names.get(c.packet) ?? '',
        });
  const head = `== ${textsOf(lang).proof} `;
  lines.push(style('section', head + '='.repeat(COLUMNS - 1 - textWidth(head))));
  proofOf(result, lang).forEach((line, i) => {
    const part = i > 0 ? 'exact' : result.ok ? 'title' : 'hurt';
    for (const piece of wrap(line, COLUMNS - 1)) lines.push(style(part, piece));
  });
  for (const line of suggestions(result.options, lang)) lines.push(style('note', line));
  io.stdout.write(`${lines.join('\n')}\n`);
}

/** Runs the verb. */
export function run(argv: string[], io: CliIo): Promise<number> {
  return guarded('demo', io, async () => {
    const { values, positionals } = readArgs(argv, OPTIONS);
    const { lang } = io;
    if (values.help) {
      io.stdout.write(textsOf(lang).help);
      return EXIT_OK;
    }
    if (positionals.length > 0) throw new Misuse(`demo takes no '${positionals[0]}'`);
    if (values.names) {
      io.stdout.write(`${aliasTable(lang).join('\n')}\n`);
      return EXIT_OK;
    }
    const options: DemoOptions = {
      seed: whole('seed', values.seed, 0, 0xffffffff, DEFAULT_DEMO.seed),
      loss: share('loss', values.loss, DEFAULT_DEMO.loss),
      reorder: share('reorder', values.reorder, DEFAULT_DEMO.reorder),
      dup: share('dup', values.dup, DEFAULT_DEMO.dup),
      corrupt: share('corrupt', values.corrupt, DEFAULT_DEMO.corrupt),
      rtt: number('rtt', values.rtt, 0, LONGEST_RTT, DEFAULT_DEMO.rtt),
      size: whole('size', values.size, 0, LARGEST_PAGE, DEFAULT_DEMO.size),
      lose: loseNames(values.lose),
      close: oneOf<Closer>('close', values.close ?? DEFAULT_DEMO.close, ['client', 'server', 'both']),
    };
    const place = oneOf<CapturePlace>('pcap-at', values['pcap-at'], ['wire', 'client', 'server']);
    const result = runDemo(options);
    if (values.json) printJson(io, result);
    else printStory(io, result, values.full, lang);
    const wrote = (file: string) => io.stderr.write(`${textsOf(lang).wrote(file)}\n`);
    if (values.pcap !== undefined) {
      writeCapture(values.pcap, result, place);
      wrote(values.pcap);
    }
    const conversation = readConversation(result.events);
    if (values.svg !== undefined && conversation !== null) {
      writeStory(values.svg, conversation, lang);
      wrote(values.svg);
    }
    if (values.figures !== undefined && conversation !== null) {
      for (const name of writeFigures(values.figures, conversation)) wrote(`${values.figures}/${name}`);
    }
    return result.ok ? EXIT_OK : EXIT_FAILED;
  });
}
