// A program that sends mail by `nodemailer`, as programs do; it knows nothing of where its packets go.
//
//   node smtp.mjs HOST PORT

import { createTransport } from 'nodemailer';

const [host, port] = process.argv.slice(2);
const transport = createTransport({ host, port: Number(port), pool: true, maxConnections: 2 });
const mails = Array.from({ length: 5 }, (_, n) =>
  transport.sendMail({
    from: 'alice@example.org',
    to: 'bob@example.org',
    subject: `Mail ${n}`,
    text: `This is mail number ${n}.`,
    attachments: [{ filename: 'large.bin', content: Buffer.alloc(100_000, n) }],
  }),
);
for (const { accepted, response } of await Promise.all(mails)) console.log(`${accepted}: ${response}`);
transport.close();
console.log('done: mail');
