// `npm run -s drill-agent -- SOCKET`: the packetdrill agent, until it is told to end.

import './lib/node-version.cjs';

const path = process.argv[2];

async function main() {
  const { ensureBuilt } = await import('./lib/build.mjs');
  await ensureBuilt((line) => process.stderr.write(`${line}\n`));
  const { serveAgent } = await import('../dist/drill/server.js');
  const report = (error) => console.error(error instanceof Error ? error.stack : error);
  const server = serveAgent(path, () => console.log(`agent ready ${path}`), report);
  server.on('error', (error) => {
    console.error(`The agent cannot listen on ${path}: ${error.message}`);
    process.exitCode = 1;
  });
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      server.close();
      process.exit(0);
    });
  }
}

if (path === undefined || process.argv.length > 3) {
  console.error('Usage: npm run -s drill-agent -- SOCKET');
  process.exitCode = 2;
} else {
  main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
