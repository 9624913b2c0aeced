// `npm run -s drill-agent -- SOCKET`: the packetdrill agent.

import './lib/node-version.cjs';

console.error('The packetdrill agent is not there yet: see "Unreleased" in CHANGELOG.md for what is.');
process.exitCode = 1;
