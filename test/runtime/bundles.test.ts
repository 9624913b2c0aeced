// Applications that import one subpath get that and nothing else, from esbuild and from Vite; and how much it is.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const VITE = join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');
const skip = existsSync(join(ROOT, 'dist/web/index.js')) ? '' : ' (needs: npm run build)';

/** An application of one line, the rooms it may get, and the octets it may have, minified and compressed. */
const APPS: [subpath: string, program: string, rooms: string, most: number][] = [
  ['synfin', "import { Host } from 'synfin'; globalThis.a = Host;", 'base wire tcp ip host', 53_000],
  [
    'synfin/web',
    "import { createWeb } from 'synfin/web'; globalThis.a = createWeb({}).fetch;",
    'base run http web',
    28_000,
  ],
  [
    'synfin/http',
    "import { HttpServerStream } from 'synfin/http'; globalThis.a = HttpServerStream;",
    'base http',
    14_000,
  ],
  ['synfin/trace', "import { PcapngWriter } from 'synfin/trace'; globalThis.a = PcapngWriter;", 'trace', 1_200],
  ['synfin/sim', "import { pair } from 'synfin/sim'; globalThis.a = pair;", 'base wire tcp ip host sim', 62_700],
  ['synfin/link/pipe', "import { createPipe } from 'synfin/link/pipe'; globalThis.a = createPipe;", 'base link', 2_700],
];

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function application(program: string): string {
  mkdirSync(join(ROOT, '.tools', 'test'), { recursive: true });
  // Inside the package, so that `synfin/...` means its own build.
  const folder = mkdtempSync(join(ROOT, '.tools', 'test', 'bundle-'));
  folders.push(folder);
  writeFileSync(join(folder, 'app.js'), program);
  return folder;
}

/** The rooms of the package that some files belong to; whatever else is there keeps its path. */
function roomsOf(files: string[]): string[] {
  const rooms = files
    .map((file) => relative(ROOT, file).replaceAll('\\', '/'))
    .filter((file) => !/^\.tools\/.*app\.js$|^\.\.|^dist\/index\.js$/.test(file))
    .map((file) => /^dist\/(\w+)\//.exec(file)?.[1] ?? file);
  return [...new Set(rooms)].sort();
}

describe('an application that imports one subpath gets only that', () => {
  for (const [subpath, program, rooms, most] of APPS) {
    const allowed = rooms.split(' ');
    it.skipIf(skip !== '')(`${subpath} from esbuild, below ${most} B${skip}`, async () => {
      const folder = application(program);
      const { outputFiles, metafile } = await build({
        entryPoints: [join(folder, 'app.js')],
        bundle: true,
        minify: true,
        format: 'esm',
        platform: 'browser',
        target: 'es2022',
        write: false,
        metafile: true,
        absWorkingDir: ROOT,
        outdir: join(folder, 'out'),
        logLevel: 'silent',
      });
      const { inputs } = Object.values(metafile.outputs)[0]!;
      const used = Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
      const found = roomsOf(used.map(([file]) => join(ROOT, file)));
      expect(found.filter((room) => !allowed.includes(room))).toEqual([]);
      expect(found).toContain(allowed.at(-1));
      // Pages have no TLS over a stream of their own.
      expect(used.map(([file]) => file)).not.toContain('dist/web/tls.js');
      const size = gzipSync(outputFiles[0]!.contents, { level: 9 }).length;
      expect(size, `${size} B`).toBeLessThan(most);
    });
  }

  it.skipIf(skip !== '')(`synfin/web from Vite, without a warning${skip}`, { timeout: 60_000 }, () => {
    const [, program, rooms] = APPS[1]!;
    const folder = application(program);
    writeFileSync(join(folder, 'index.html'), '<!doctype html><script type="module" src="/app.js"></script>');
    // Vite tells what went into a chunk only to plug-ins.
    writeFileSync(
      join(folder, 'vite.config.mjs'),
      `import { writeFileSync } from 'node:fs';
      const tell = { name: 'tell', generateBundle: (_, bundle) => {
        const modules = Object.values(bundle).flatMap((chunk) => Object.entries(chunk.modules ?? {}));
        writeFileSync('modules.json', JSON.stringify(modules.filter(([, m]) => m.renderedLength > 0).map(([id]) => id)));
      } };
      export default { plugins: [tell], logLevel: 'warn' };`,
    );
    const { NODE_OPTIONS: _, VITEST: __, NODE_ENV: ___, ...env } = process.env;
    const run = spawnSync(process.execPath, [VITE, 'build'], { cwd: folder, env, encoding: 'utf8', timeout: 50_000 });
    expect([run.status, run.stdout, run.stderr]).toEqual([0, '', '']);
    const modules: string[] = JSON.parse(readFileSync(join(folder, 'modules.json'), 'utf8'));
    const own = modules.filter((id) => !id.startsWith('\0') && !id.includes('index.html'));
    expect(roomsOf(own).filter((room) => !rooms.split(' ').includes(room))).toEqual([]);
    const [script] = readdirSync(join(folder, 'dist/assets')).filter((name) => name.endsWith('.js'));
    expect(gzipSync(readFileSync(join(folder, 'dist/assets', script!))).length).toBeLessThan(APPS[1]![3]);
  });
});
