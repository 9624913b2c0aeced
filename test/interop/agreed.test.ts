// What our stack and the kernel's agree on in the SYN, over a TUN device: fast open (RFC 7413) and ECN (RFC 3168).

import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { Namespace, obstacle, type Running, testUnless } from './netns.ts';

const AGREED = fileURLToPath(new URL('./agreed.mjs', import.meta.url));
const test = testUnless(obstacle('python3'));

/** Bit of tcpi_options: text on the SYN was acknowledged with it. */
const SYN_DATA = 32;
/** Bits of tcpi_options: ECN was agreed on, and a packet came that allows marks. */
const ECN = 8;
const ECN_SEEN = 16;

/** The kernel's client: fast open, so many octets, and the answer to its end. */
const CLIENT = `
import json, socket, sys
address, port, count, octets = sys.argv[1], *map(int, sys.argv[2:5])
for n in range(count):
    s = socket.socket()
    text = bytes(octets)
    sent = s.sendto(text, socket.MSG_FASTOPEN, (address, port))
    s.sendall(text[sent:])
    s.shutdown(socket.SHUT_WR)
    got = 0
    while (piece := s.recv(65536)): got += len(piece)
    print(json.dumps({'octets': got, 'options': s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[5]}), flush=True)
    s.close()
`;

/** The kernel's server: takes fast open, and answers with as many octets as came. */
const SERVER = `
import json, socket, sys
l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
l.bind(('0.0.0.0', int(sys.argv[1]))); l.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 8); l.listen()
print('serving', flush=True)
while True:
    c, _ = l.accept()
    got = 0
    while (piece := c.recv(65536)): got += len(piece)
    c.sendall(bytes(got))
    print(json.dumps({'octets': got, 'options': c.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[5]}), flush=True)
    c.close()
`;

interface Ours {
  readonly error: string | null;
  readonly octets: number;
  readonly syns: number;
  readonly synText: number;
  readonly eceIn: number;
  readonly eceOut: number;
  readonly cwrIn: number;
  readonly cwrOut: number;
  readonly reduced: number;
  readonly ecn: boolean;
  readonly marksIn: number;
}
interface Kernels {
  readonly octets: number;
  readonly options: number;
}

const lines = <T>(text: string): T[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as T);

/** Runs in a namespace whose kernel does fast open both ways and asks for ECN. */
async function inside<T>(tag: string, run: (space: Namespace) => Promise<T>): Promise<T> {
  const space = new Namespace(tag);
  try {
    space.sysctl('ipv4/tcp_fastopen', '3');
    space.sysctl('ipv4/tcp_ecn', '1');
    return await run(space);
  } finally {
    await space.remove();
  }
}

/** The kernel's client at our server: what both saw. */
const atOurs = async (tag: string, count: number, octets: number, ...how: string[]) =>
  inside(tag, async (space) => {
    const server = space.start(process.execPath, AGREED, 'serve', '80', ...how);
    await server.says(/serving/);
    const client = await space.run('python3', '-c', CLIENT, '10.77.0.2', '80', `${count}`, `${octets}`);
    expect([client.code, client.stderr]).toEqual([0, '']);
    await told(server, count);
    const { stdout } = await server.end();
    return { kernel: lines<Kernels>(client.stdout), ours: lines<Ours>(stdout) };
  });

/** Our client at the kernel's server. */
const atKernels = async (tag: string, count: number, octets: number, ...how: string[]) =>
  inside(tag, async (space) => {
    const server = space.start('python3', '-c', SERVER, '8080');
    await server.says(/serving/);
    const args = ['connect', '10.77.0.1', '8080', `${count}`, `${octets}`, ...how];
    const client = await space.run(process.execPath, AGREED, ...args);
    expect([client.code, client.stderr]).toEqual([0, '']);
    await told(server, count);
    const { stdout } = await server.end('SIGKILL');
    return { kernel: lines<Kernels>(stdout), ours: lines<Ours>(client.stdout) };
  });

async function told(program: Running, count: number): Promise<void> {
  await program.says(new RegExp(`(^\\{.*\\n[^]*){${count}}`, 'm'));
}

/** Of three connections of 100 octets the first gets a cookie, and the others bring their text with the SYN. */
function rides({ kernel, ours }: { kernel: Kernels[]; ours: Ours[] }): void {
  expect(ours.map((o) => [o.error, o.octets, o.synText, o.syns])).toEqual([
    [null, 100, 0, 1],
    [null, 100, 100, 1],
    [null, 100, 100, 1],
  ]);
  expect(kernel.map((k) => [k.octets, (k.options & SYN_DATA) !== 0])).toEqual([
    [100, false],
    [100, true],
    [100, true],
  ]);
}

describe('fast open with the kernel (RFC 7413)', () => {
  test("the kernel's client asks for our cookie, and its text comes with the next SYN", async () => {
    rides(await atOurs('foc', 3, 100));
  });

  test("our client asks for the kernel's cookie, and its text goes with the next SYN", async () => {
    rides(await atKernels('fos', 3, 100));
  });

  test("where SYNs with text are lost the kernel's client falls back to the ordinary way, and all arrives", async () => {
    const { kernel, ours } = await atOurs('fod', 2, 100, 'drop');
    expect(ours.map((o) => [o.error, o.octets])).toEqual([
      [null, 100],
      [null, 100],
    ]);
    expect(kernel.map((k) => k.octets)).toEqual([100, 100]);
    expect(kernel[1]!.options & SYN_DATA).toBe(0);
  });

  test('where SYNs with text are lost our client falls back, and tries no more of them for a while', async () => {
    const { kernel, ours } = await atKernels('fox', 3, 100, 'drop');
    expect(kernel.map((k) => k.octets)).toEqual([100, 100, 100]);
    expect(ours.map((o) => [o.error, o.octets, o.synText, o.syns])).toEqual([
      [null, 100, 0, 1],
      [null, 100, 100, 2],
      [null, 100, 0, 1],
    ]);
  });
});

describe('ECN with the kernel (RFC 3168)', () => {
  const SIZE = 3_000_000;

  test("the kernel's client asks, and marks are echoed and obeyed in both directions", async () => {
    const { kernel, ours } = await atOurs('ecc', 1, SIZE, 'mark');
    marked(kernel[0]!, ours[0]!, SIZE);
  });

  test('our client asks, and marks are echoed and obeyed in both directions', async () => {
    const { kernel, ours } = await atKernels('ecs', 1, SIZE, 'mark');
    marked(kernel[0]!, ours[0]!, SIZE);
  });
});

function marked(kernel: Kernels, ours: Ours, octets: number): void {
  expect([kernel.octets, ours.octets, ours.error]).toEqual([octets, octets, null]);
  expect([ours.ecn, kernel.options & ECN, kernel.options & ECN_SEEN]).toEqual([true, ECN, ECN_SEEN]);
  // The kernel's text was marked: we said so, and it slowed down and said that.
  expect(ours.marksIn).toBeGreaterThan(0);
  expect(ours.eceOut).toBeGreaterThan(0);
  expect(ours.cwrIn).toBeGreaterThan(0);
  // Ours was: the kernel said so, and we did.
  expect(ours.eceIn).toBeGreaterThan(0);
  expect(ours.reduced).toBeGreaterThan(0);
  expect(ours.cwrOut).toBeGreaterThan(0);
}
