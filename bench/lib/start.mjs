// The measured half of the metric start: a program that imports a stack, exchanges one octet and says what it cost.
//
//   node bench/lib/start.mjs bare|synfin|node

const programs = {
  bare: async () => undefined,
  synfin: async () => {
    const { createRuntime, Host } = await import('synfin');
    const { createPipe } = await import('synfin/link/pipe');
    const pipe = createPipe({ schedule: (deliver) => queueMicrotask(deliver) });
    const [a, b] = [pipe.a, pipe.b].map((link, i) => {
      const host = new Host({ key: new Uint8Array(16).fill(i + 1) });
      createRuntime({ host }).attach(link, { addresses: [`10.0.0.${i + 1}/24`] });
      return host;
    });
    b.listen({ port: 80 }, (stream) => {
      stream.handler = { onReadable: (s) => s.send(s.peek(), 0, 1) };
    });
    const client = a.connect({ address: '10.0.0.2', port: 80 });
    return new Promise((resolve) => {
      client.handler = {
        onOpen: (s) => s.send(Uint8Array.of(7), 0, 1),
        onReadable: (s) => resolve(s.peek()[0]),
      };
    });
  },
  node: async () => {
    const net = await import('node:net');
    const server = net.createServer((socket) => socket.pipe(socket));
    await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
    const socket = net.connect(server.address().port, '127.0.0.1', () => socket.write(Uint8Array.of(7)));
    return new Promise((resolve) => {
      socket.on('data', (bytes) => resolve(bytes[0]));
    });
  },
};

const octet = await programs[process.argv[2]]();
if (process.argv[2] !== 'bare' && octet !== 7) throw new Error(`got ${octet}`);
const { user, system } = process.cpuUsage();
process.stdout.write(JSON.stringify({ cpu: (user + system) / 1000 }), () => process.exit(0));
