// A name server for one zone, and an echo of datagrams: what `names.mjs` talks to.
//
//   node name-server.mjs ADDRESS
//
// `many.compat.test` has so many addresses that they come over TCP.

import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';

const address = process.argv[2];
const MANY = Array.from({ length: 100 }, (_, i) => `10.0.${i >> 4}.${i}`);
const zone = { 'one.compat.test': ['10.1.2.3'], 'many.compat.test': MANY };

/** The answer to a question, at most `room` octets long. */
function answer(question, room) {
  const labels = [];
  let at = 12;
  for (; question[at] > 0; at += question[at] + 1)
    labels.push(question.toString('latin1', at + 1, at + 1 + question[at]));
  const found = zone[labels.join('.').toLowerCase()];
  const records = (question.readUInt16BE(at + 1) === 1 ? (found ?? []) : []).map((text) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, ...text.split('.').map(Number)]),
  );
  const whole = Buffer.concat([question, ...records]);
  whole.writeUInt16BE(found === undefined ? 0x8183 : 0x8180, 2);
  whole.writeUInt16BE(records.length, 6);
  if (whole.length <= room) return whole;
  const short = Buffer.from(question);
  short.writeUInt16BE(0x8380, 2);
  return short;
}

const udp = dgram.createSocket('udp4', (question, { port, address: from }) =>
  udp.send(answer(question, 512), port, from),
);
const echo = dgram.createSocket('udp4', (message, { port, address: from }) => echo.send(message, port, from));
const tcp = net.createServer((socket) => {
  socket
    .on('error', () => undefined)
    .on('data', (query) => {
      const message = answer(query.subarray(2), 65_535);
      socket.end(Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message]));
    });
});
udp.bind(53, address);
echo.bind(7, address);
tcp.listen(53, address);
await Promise.all([udp, echo, tcp].map((one) => once(one, 'listening')));
console.log('listening: 53 and 7');
