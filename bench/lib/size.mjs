// How large a browser bundle is: esbuild, minified, tree-shaken, then gzip.

import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const HERE = fileURLToPath(new URL('..', import.meta.url));

/**
 * Bundles a program and measures it.
 *
 * @param program the text of its entry module
 * @returns octets minified and compressed, minified only, and the greatest inputs as lines
 */
export async function sizeOf(program) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: HERE, loader: 'js' },
    bundle: true,
    minify: true,
    treeShaking: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const { contents } = outputFiles[0];
  const rooms = new Map();
  const [output] = Object.values(metafile.outputs);
  for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
    const room = /dist\/(\w+)\//.exec(path)?.[1] ?? 'entry';
    rooms.set(room, (rooms.get(room) ?? 0) + bytesInOutput);
  }
  const shares = [...rooms].sort((a, b) => b[1] - a[1]).map(([room, octets]) => `${room} ${octets}`);
  const gzip = gzipSync(contents, { level: 9 }).length;
  return { gzip, notes: [`${contents.length} B minified: ${shares.join(', ')}`] };
}
