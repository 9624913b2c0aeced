// Sends frames to an echo server by `ws` and compares every one that comes back, many in flight.
//
//   node ws-client.mjs HOST PORT FRAMES IN-FLIGHT

import { once } from 'node:events';
import WebSocket from 'ws';

const [host, port, framesText, flightText] = process.argv.slice(2);
const frames = Number(framesText);
const inFlight = Number(flightText);
const content = (n) => `frame ${n} ${'x'.repeat(n % 700)}`;

const socket = new WebSocket(`ws://${host}:${port}/`);
await once(socket, 'open');
let sent = 0;
let got = 0;
let most = 0;
await new Promise((resolve, reject) => {
  const fill = () => {
    while (sent < frames && sent - got < inFlight) socket.send(content(sent++));
    most = Math.max(most, sent - got);
  };
  socket.on('error', reject);
  socket.on('message', (data) => {
    if (data.toString() !== content(got)) reject(new Error(`frame ${got} came back otherwise`));
    got++;
    if (got === frames) resolve();
    else fill();
  });
  fill();
});
socket.close();
const [code] = await once(socket, 'close');
console.log(`frames: ${got} most in flight: ${most} close: ${code}`);
console.log('done: ws');
