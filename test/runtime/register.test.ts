// `node --import synfin/register`: programs that know nothing of synfin, in processes of their own.

import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCapture } from '../../src/trace/index.ts';
import { canMakeCertificates, makeCertificate } from '../web/certificate.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const skip = existsSync(join(ROOT, 'dist/register/register.js')) ? '' : ' (needs: npm run build)';
const test = it.skipIf(skip !== '');

let folder = '';
beforeEach(() => {
  // Inside the package, so that `synfin/register` means its own build.
  mkdirSync(join(ROOT, '.tools', 'test'), { recursive: true });
  folder = mkdtempSync(join(ROOT, '.tools', 'test', 'register-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What a program prints, line by line; it must end by itself. */
async function run(program: string, config: object | string | null = null, name = 'app.mjs'): Promise<string[]> {
  writeFileSync(join(folder, name), program);
  const file = join(folder, 'synfin.json');
  if (config !== null) writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  const { NODE_OPTIONS: _, VITEST: __, ...env } = process.env;
  const child = spawn(process.execPath, ['--import', 'synfin/register', name], { cwd: folder, env, timeout: 30_000 });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  child.stderr.on('data', (text) => {
    output += text;
  });
  const [code, signal] = await once(child, 'close');
  return [...output.trimEnd().split('\n'), `exit ${signal ?? code}`];
}

describe('an unmodified program', () => {
  test(`serves and fetches over a slow link that loses; its capture shows it${skip}`, async () => {
    const lines = await run(
      `
      import http from 'node:http';
      import { once } from 'node:events';
      const server = http.createServer((request, response) => {
        request.pipe(response);
      }).listen(0, 'localhost');
      await once(server, 'listening');
      const { port } = server.address();
      const began = performance.now();
      const response = await fetch('http://localhost:' + port, { method: 'POST', body: 'x'.repeat(100_000) });
      console.log(response.status, (await response.text()).length);
      const [got] = await once(http.get({ port, host: '127.0.0.1', agent: false }), 'response');
      console.log(got.socket.remoteAddress, got.socket.remotePort === port);
      got.resume();
      console.log(performance.now() - began > 500);
      server.close();
      server.closeAllConnections();
      `,
      { seed: 7, links: { slow: { rtt: 100, loss: 0.02 } }, capture: 'out.pcapng' },
    );
    expect(lines).toEqual(['200 100000', '127.0.0.1 true', 'true', 'exit 0']);
    const capture = readCapture(readFileSync(join(folder, 'out.pcapng')));
    expect(capture.problems).toEqual([]);
    expect(capture.packets.length).toBeGreaterThan(140);
  });

  test(`in CommonJS, with names of the configuration, and Node's own errors${skip}`, async () => {
    const lines = await run(
      `
      const { connect, createServer } = require('net');
      const dns = require('dns');
      const server = createServer((socket) => socket.end(socket.remoteAddress)).listen(7, () => {
        connect(7, 'db.test').setEncoding('utf8').on('data', console.log).on('close', () => {
          server.close();
          connect(9, '127.0.0.1').on('error', (error) => {
            console.log(error.message, error.code, error.syscall);
            connect(7, '192.0.2.1').on('error', (error) => {
              console.log(error.code);
              dns.lookup('db.test', { all: true }, (_, all) => console.log(JSON.stringify(all)));
              dns.resolve6('db.test', (error) => console.log(error.code));
              dns.promises.lookup('db.test', 6).catch((error) => console.log(error.code));
            });
          });
        });
      });
      `,
      {
        links: { own: { rtt: 2 } },
        routes: { '127.0.0.0/8': 'own', '::1/128': 'own' },
        names: { 'db.test': '127.0.0.1' },
      },
      'app.cjs',
    );
    expect(lines.slice(0, 3)).toEqual([
      '::ffff:127.0.0.1',
      'connect ECONNREFUSED 127.0.0.1:9 ECONNREFUSED connect',
      'ENETUNREACH',
    ]);
    expect(lines.slice(3).sort()).toEqual(['ENODATA', 'ENOTFOUND', '[{"address":"127.0.0.1","family":4}]', 'exit 0']);
  });

  test(`sends datagrams${skip}`, async () => {
    const lines = await run(
      `
      import dgram from 'node:dgram';
      import { once } from 'node:events';
      const server = dgram.createSocket('udp4');
      server.on('message', (message, { address, port, family, size }) => {
        console.log(String(message), address, family, size);
        server.send(['po', Buffer.from('ng')], port, address);
      });
      server.bind(53_000);
      await once(server, 'listening');
      console.log(JSON.stringify(server.address()));
      const client = dgram.createSocket({ type: 'udp4' });
      client.connect(53_000, 'localhost');
      await once(client, 'connect');
      client.send(Buffer.from('xpingx'), 1, 4, (error, octets) => console.log(error, octets));
      const [answer] = await once(client, 'message');
      console.log(String(answer), client.remoteAddress().port);
      const taken = dgram.createSocket('udp4').bind(53_000);
      const [error] = await once(taken, 'error');
      console.log(error.code);
      client.close();
      server.close();
      try { server.send('x', 1); } catch (error) { console.log(error.code); }
      `,
    );
    expect(lines).toEqual([
      '{"address":"0.0.0.0","family":"IPv4","port":53000}',
      'null 4',
      'ping 127.0.0.1 IPv4 4',
      'pong 53000',
      'EADDRINUSE',
      'ERR_SOCKET_DGRAM_NOT_RUNNING',
      'exit 0',
    ]);
  });

  test(`asks its name servers over its own links: again when one is silent, and over TCP for what is long${skip}`, async () => {
    const lines = await run(
      `
      import dgram from 'node:dgram';
      import dns from 'node:dns';
      import net from 'node:net';
      import http from 'node:http';
      import { once } from 'node:events';
      // A name server of the program's own. It says nothing to the first question of all.
      const known = { 'www.test': [[5, 'web.test']], 'web.test': [[1, '127.0.0.1'], [28, '::1']], '1.0.0.127.in-addr.arpa': [[12, 'web.test']] };
      const wire = (name) => Buffer.concat([...name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.from([0])]);
      const data = { 1: (text) => Buffer.from(text.split('.').map(Number)), 28: () => Buffer.concat([Buffer.alloc(15), Buffer.from([1])]), 5: wire, 12: wire };
      function answer(question, tcp) {
        const labels = [];
        let at = 12;
        for (; question[at] > 0; at += question[at] + 1) labels.push(question.toString('latin1', at + 1, at + 1 + question[at]));
        const name = labels.join('.');
        const type = question.readUInt16BE(at + 1);
        const records = [[name, ...(known[name] ?? [])], ...(name === 'www.test' ? [['web.test', ...known['web.test']]] : [])]
          .flatMap(([owner, ...list]) => list.filter(([kind]) => kind === type || kind === 5).map(([kind, text]) => {
            const value = data[kind](text);
            const head = Buffer.alloc(10);
            head.writeUInt16BE(kind, 0); head.writeUInt16BE(1, 2); head.writeUInt32BE(60, 4); head.writeUInt16BE(value.length, 8);
            return Buffer.concat([wire(owner), head, value]);
          }));
        const message = Buffer.concat([question, ...records]);
        message[2] = 0x81; message[3] = known[name] ? 0x80 : 0x83;
        message.writeUInt16BE(records.length, 6);
        if (type !== 12 || tcp) return message;
        const short = Buffer.from(question);
        short[2] = 0x83; short[3] = 0x80;
        return short;
      }
      let asked = 0;
      const udp = dgram.createSocket('udp4', (question, { address, port }) => {
        if (asked++ > 0) udp.send(answer(question, false), port, address);
      }).bind(5300);
      await once(udp, 'listening');
      const tcp = net.createServer((socket) => socket.on('data', (query) => {
        const message = answer(query.subarray(2), true);
        socket.end(Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message]));
      })).listen(5300);
      const server = http.createServer((_, response) => response.end('by name')).listen(80);
      console.log(JSON.stringify(await dns.promises.lookup('www.test', { all: true })));
      console.log(await (await fetch('http://www.test/')).text());
      console.log(JSON.stringify(await dns.promises.resolve4('web.test', { ttl: true })), await dns.promises.resolve('www.test', 'CNAME'));
      console.log(await dns.promises.reverse('127.0.0.1'));
      dns.lookup('nobody.test', (error) => console.log(error.message, error.code, error.errno));
      await dns.promises.resolve6('nobody.test').catch((error) => console.log(error.message, error.code, error.syscall));
      console.log((await dns.promises.lookup('localhost')).address, (await dns.promises.lookup('10.1.2.3')).address);
      udp.close(); tcp.close(); server.close(); server.closeAllConnections();
      `,
      { links: { own: { rtt: 4 } }, dns: '127.0.0.1:5300' },
    );
    expect([...lines].sort()).toEqual(
      [
        '[{"address":"127.0.0.1","family":4},{"address":"::1","family":6}]',
        'by name',
        '[{"address":"127.0.0.1","ttl":60}] [ \'web.test\' ]',
        "[ 'web.test' ]",
        'getaddrinfo ENOTFOUND nobody.test ENOTFOUND -3008',
        'queryAaaa ENOTFOUND nobody.test ENOTFOUND queryAaaa',
        '127.0.0.1 10.1.2.3',
        'exit 0',
      ].sort(),
    );
  });

  test(`sends datagrams to the real network through a link that leads there${skip}`, async () => {
    const server = dgram.createSocket('udp4').bind(0, '127.0.0.1');
    server.on('message', (message, { port, address }) => server.send(`${message} and back`, port, address));
    await once(server, 'listening');
    const { port } = server.address();
    const lines = await run(
      `
      import dgram from 'node:dgram';
      const began = performance.now();
      const socket = dgram.createSocket('udp4', (message, { address, port }) => {
        console.log(String(message), address, port === ${port}, performance.now() - began >= 100);
        socket.close();
      });
      socket.send('there', ${port}, '127.0.0.1');
      `,
      { links: { wan: { rtt: 100, to: 'real' } } },
    );
    server.close();
    expect(lines).toEqual(['there and back 127.0.0.1 true true', 'exit 0']);
  });

  const needs = canMakeCertificates() ? skip : ' (needs: openssl)';
  it.skipIf(needs !== '')(`speaks TLS by Node's own library${needs}`, async () => {
    writeFileSync(join(folder, 'certificate.json'), JSON.stringify(makeCertificate('localhost', '127.0.0.1')));
    const lines = await run(
      `
      import { readFileSync } from 'node:fs';
      import https from 'node:https';
      import tls from 'node:tls';
      import { once } from 'node:events';
      const { ca, cert, key } = JSON.parse(readFileSync('certificate.json', 'utf8'));
      const server = https.createServer({ cert, key }, (request, response) => response.end('secret for ' + request.socket.remoteAddress)).listen(0);
      await once(server, 'listening');
      const { port } = server.address();
      const [response] = await once(https.get({ port, host: '127.0.0.1', ca, agent: false }), 'response');
      console.log(response.statusCode, String((await response.toArray())[0]));
      https.get({ port, agent: false }).on('error', (error) => console.log(error.code));
      const socket = tls.connect(port, '127.0.0.1', { ca });
      await once(socket, 'secureConnect');
      console.log(socket.authorized, socket.remotePort === port);
      socket.end();
      await once(socket, 'close');
      server.close();
      server.closeAllConnections();
      `,
      { links: { slow: { rtt: 20 } } },
    );
    expect([...lines].sort()).toEqual([
      '200 secret for ::ffff:127.0.0.1',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'exit 0',
      'true true',
    ]);
  });

  test(`reaches real servers through a link that leads to the real network, or past all links${skip}`, async () => {
    const server = net.createServer((socket) => socket.pipe(socket).on('error', () => undefined));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const program = `
      import { connect } from 'node:net';
      const began = performance.now();
      let got = 0;
      const socket = connect(${port}, '127.0.0.1').on('data', (chunk) => { got += chunk.length; });
      const slow = () => performance.now() - began > 300;
      socket.end(Buffer.alloc(200_000)).on('close', () => console.log(got, socket.bytesRead, SLOW));
    `;
    const slow = { links: { wan: { rtt: 150, to: 'real' } } };
    expect(await run(program.replace('SLOW', 'slow()'), slow)).toEqual(['200000 200000 true', 'exit 0']);
    // Over this link it would take an hour.
    const past = { links: { wan: { rtt: 1_800_000, to: 'real' } }, routes: { default: 'real' } };
    expect(await run(program.replace('SLOW', ''), past)).toEqual(['200000 200000', 'exit 0']);
    server.close();
  });

  test(`passes it on to its workers and forks, each with networks of its own${skip}`, async () => {
    const lines = await run(
      `
      import { fork } from 'node:child_process';
      import { createServer, connect } from 'node:net';
      import { isMainThread, Worker } from 'node:worker_threads';
      import { once } from 'node:events';
      if (isMainThread && !process.send) {
        const server = createServer().listen(7);
        await once(server, 'listening');
        await once(new Worker(new URL(import.meta.url)), 'exit');
        await once(fork(new URL(import.meta.url)), 'exit');
        server.close();
      } else connect(7, '127.0.0.1').on('error', (error) => {
        console.log(error.code);
        process.disconnect?.();
      });
      `,
    );
    expect(lines).toEqual(['ECONNREFUSED', 'ECONNREFUSED', 'exit 0']);
  });
});

describe('a configuration that is wrong', () => {
  const cases: [string, string | object, string][] = [
    ['no JSON', '{', 'synfin.json: '],
    ['an unknown key', { link: {} }, 'synfin.json has no key "link"'],
    ['an unknown knob', { links: { a: { los: 1 } } }, "synfin.json: links.a: a path has no knob 'los'"],
    ['a knob out of range', { links: { a: { loss: 2 } } }, 'synfin.json: links.a: loss cannot be 2'],
    ['a route to nowhere', { routes: { default: 'x' } }, 'synfin.json: routes.default: there is no link "x"'],
    ['a prefix that is none', { routes: { '10.0.0': 'real' } }, 'synfin.json: routes.10.0.0: not an address'],
    ['a name for no address', { names: { a: 'b' } }, 'synfin.json: names.a: "b" is not an address'],
    [
      'a wrong knob of a TUN device',
      { links: { a: { tun: 'x', address: '10.1.1.1/24', los: 1 } } },
      "links.a: a path has no knob 'los'",
    ],
    ['an unknown field of the profile', { profile: { userTimout: 1 } }, 'synfin.json: profile has no key "userTimout"'],
    [
      'a field of the wrong type',
      { profile: { userTimeout: '1' } },
      'synfin.json: profile.userTimeout must be a number',
    ],
    ['a name server that is no address', { dns: ['10.0.0.1', 'x:53'] }, 'synfin.json: dns: "x:53" is not an address'],
    ['half a TUN device', { links: { a: { tun: 'x' } } }, 'synfin.json: links.a needs "tun"'],
  ];
  for (const [what, config, message] of cases) {
    test(`is one sentence that names the place: ${what}${skip}`, async () => {
      const lines = await run('console.log("ran")', config);
      expect(lines).toHaveLength(2);
      expect(lines[0]).toContain(message);
      expect(lines[0]).toContain('synfin/register: ');
      expect(lines[1]).toBe('exit 2');
    });
  }
});
