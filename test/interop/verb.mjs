// Runs one verb of the command as the built package has it: `node verb.mjs serve DIR ...`.
// SYNFIN_DIST may name another build than dist/.

const [verb, ...argv] = process.argv.slice(2);
const { run } = await import(`${process.env.SYNFIN_DIST ?? '../../dist'}/cli/${verb}.js`);
process.exitCode = await run(argv, { stdout: process.stdout, stderr: process.stderr, env: process.env, lang: 'en' });
