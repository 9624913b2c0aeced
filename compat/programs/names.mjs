// Names and datagrams, as any program asks for and sends them.
//
//   node names.mjs ADDRESS-OF-AN-ECHO

import dgram from 'node:dgram';
import dns from 'node:dns/promises';
import { once } from 'node:events';

const address = process.argv[2];
const failed = (error) => `${error.code} ${error.syscall}`;

console.log(`lookup: ${(await dns.lookup('one.compat.test', 4)).address}`);
const many = await Promise.all(Array.from({ length: 20 }, () => dns.resolve4('many.compat.test')));
console.log(`over TCP: ${many.every((found) => found.length === 100 && found[99] === '10.0.6.99')}`);
console.log(`nobody: ${await dns.lookup('nobody.compat.test', 4).catch(failed)}`);
console.log(`no data: ${await dns.resolve6('one.compat.test').catch(failed)}`);

const socket = dgram.createSocket('udp4');
socket.connect(7, address);
await once(socket, 'connect');
let back = 0;
socket.on('message', () => back++);
for (let i = 0; i < 100; i++) socket.send(Buffer.alloc(1000, i));
for (let i = 0; i < 40 && back < 90; i++) await new Promise((resolve) => setTimeout(resolve, 100));
console.log(`datagrams: ${back >= 90 && back <= 100}`);
socket.close();
console.log('done: names');
