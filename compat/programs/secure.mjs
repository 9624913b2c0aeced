// A client of TLS, as programs make one; it knows nothing of where its packets go.
//
//   node secure.mjs HOST PORT CA-FILE

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { connect } from 'node:tls';

const [host, portText, file] = process.argv.slice(2);
const port = Number(portText);
const ca = readFileSync(file);

const socket = connect({ host, port, ca, servername: 'compat.example' });
await once(socket, 'secureConnect');
console.log(`tls: ${socket.authorized} ${socket.getPeerCertificate().subject.CN}`);
socket.end();
await once(socket.resume(), 'close');

const text = await new Promise((resolve, reject) => {
  get({ host, port, path: '/', ca, servername: 'compat.example', agent: false }, async (response) => {
    let all = '';
    for await (const chunk of response) all += chunk;
    resolve(`${response.statusCode} ${all.length}`);
  }).on('error', reject);
});
console.log(`https: ${text}`);
const refused = connect({ host, port, servername: 'compat.example' });
const [error] = await once(refused, 'error');
console.log(`unknown authority: ${error.code}`);
console.log('done: tls');
