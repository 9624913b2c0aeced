// Translates src/run/kernel.wat to src/run/kernel-bytes.ts. With --check it only says whether they belong together.

import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import wabt from 'wabt';

const SOURCE = new URL('../src/run/kernel.wat', import.meta.url);
const TARGET = new URL('../src/run/kernel-bytes.ts', import.meta.url);

/** The module's text as it should be. */
async function translated() {
  const { parseWat } = await wabt();
  const module = parseWat('kernel.wat', readFileSync(SOURCE, 'utf8'), { simd: true });
  const { buffer } = module.toBinary({});
  module.destroy();
  const text = Buffer.from(buffer).toString('base64');
  const lines = text.match(/.{1,100}/g).map((line) => `  '${line}'`);
  return `// The octets of kernel.wat, in base64. Made by \`node scripts/kernel.mjs\`; a test holds the two together.

/** A WebAssembly module of ${buffer.length} octets. */
export const KERNEL_BYTES: string = [
${lines.join(',\n')},
].join('');
`;
}

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const text = await translated();
if (!values.check) writeFileSync(TARGET, text);
else if (readFileSync(TARGET, 'utf8') !== text) {
  console.error('src/run/kernel-bytes.ts is not what src/run/kernel.wat says: run `node scripts/kernel.mjs`');
  process.exitCode = 1;
}
