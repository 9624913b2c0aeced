// Scripts damaged at random: whatever stands there, a run ends with a result, and never with a throw or not at all.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import { runScript } from '../../src/drill/index.ts';

const FOLDER = fileURLToPath(new URL('scripts', import.meta.url));
const SEED = 20_261_122;
const ROUNDS = 3000;
/** What is put in: words and signs of the language, and what comes near them. */
const PIECES =
  '< > ( ) [ ] { } ... , = | . - + ~ * ` %{ }% 0 1 -1 4294967295 99999999999999999999 0x7f .5 1e9 "x" \' # // /* ' +
  'mss sackOK TS val ecr nop eol wscale sack FO unknown win ack urg icmp udp unreachable frag_needed mtu id ' +
  'socket bind listen accept connect read write close shutdown setsockopt getsockopt poll epoll_wait fcntl ioctl ' +
  'NULL EAGAIN SOCK_STREAM O_NONBLOCK SO_LINGER assert tcpi_state and or not print FSRPUEW. --mtu=9 --ip_version=ipv6';

function damaged(prng: Prng, text: string, pieces: readonly string[]): string {
  let out = text;
  for (let n = 1 + prng.below(2); n > 0; n--) {
    const at = prng.below(out.length + 1);
    const length = prng.below(12);
    const piece = pieces[prng.below(pieces.length)]!;
    const kind = prng.below(3);
    if (kind === 0) out = out.slice(0, at) + out.slice(at + length);
    else if (kind === 1) out = `${out.slice(0, at)} ${piece} ${out.slice(at)}`;
    else out = out.slice(0, at) + piece + out.slice(at + length);
  }
  return out;
}

it(`${ROUNDS} damaged scripts of seed ${SEED} end with a result each`, () => {
  const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.pkt'));
  const texts = files.sort().map((name) => readFileSync(join(FOLDER, name), 'utf8'));
  const pieces = PIECES.split(' ');
  const prng = new Prng(SEED);
  const outcomes = { passed: 0, failed: 0, broken: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const text = damaged(prng, texts[prng.below(texts.length)]!, pieces);
    try {
      const result = runScript(text, { ipVersion: prng.below(2) === 0 ? 'ipv4' : 'ipv6' });
      outcomes[result.outcome]++;
      expect(result.failure === null).toBe(result.outcome === 'passed');
    } catch (error) {
      throw new Error(`round ${round}:\n${text}`, { cause: error });
    }
  }
  // All three happen: the damage is neither nothing nor total.
  expect(Math.min(outcomes.passed, outcomes.failed, outcomes.broken)).toBeGreaterThan(ROUNDS / 300);
});
