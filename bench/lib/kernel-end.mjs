// The kernel's end of an emulated path: sends and receives a pattern over sockets of the operating system.
//
// Orders come as lines of JSON, answers go back likewise:
//   {"listen":[ports]}                     answers {"ready":true}
//   {"send":[[address, port], ...]}        connects and sends until {"stop":true}
//   {"count":[ports]}                      answers {"count":[octets received and compared]}

import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { Check, pattern } from './pattern.mjs';

const counts = new Map();
const open = new Set();

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

function keep(socket) {
  open.add(socket);
  socket.on('error', (error) => {
    // Stopping resets what is open; anything else would show as a count that stands.
    if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') process.stderr.write(`${error.message}\n`);
  });
  socket.on('close', () => open.delete(socket));
}

async function listen(ports) {
  for (const port of ports) {
    const server = createServer((socket) => {
      keep(socket);
      const check = new Check();
      counts.set(port, check);
      socket.on('data', (chunk) => check.take(chunk));
    });
    await new Promise((resolve) => server.listen(port, resolve));
  }
  say({ ready: true });
}

function send(address, port) {
  const socket = connect(port, address);
  keep(socket);
  let sent = 0;
  const more = () => {
    for (;;) {
      const chunk = pattern(sent);
      sent += chunk.length;
      if (!socket.write(chunk)) return;
    }
  };
  socket.on('connect', more);
  socket.on('drain', more);
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line);
  if (order.listen) listen(order.listen);
  if (order.send) for (const [address, port] of order.send) send(address, port);
  if (order.count) say({ count: order.count.map((port) => counts.get(port)?.octets ?? 0) });
  if (order.stop) for (const socket of open) socket.resetAndDestroy();
});
process.stdin.on('end', () => process.exit());
