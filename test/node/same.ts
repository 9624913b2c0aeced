// One body of programs for `node:net` and for ours: each does something with sockets and tells what it saw.
//
// What is told is what a program can observe of each socket, in its order: events, callbacks, properties, octets.
// Events of different sockets are told apart, because their order between sockets is a matter of the network.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';

type Net = typeof import('node:net');

/** Where a program runs: whose sockets connect, whose listen, and at which address that is. */
export interface World {
  readonly client: Net;
  readonly server: Net;
  readonly address: string;
}

/** What one socket or server told, in order. */
class Story {
  readonly lines: string[] = [];
  /** The socket has told its end. */
  closed: Promise<void> = Promise.resolve();
  #octets = 0;
  #hash = createHash('sha256');

  say(line: string): void {
    // Where our own writes end between what comes in is a matter of the network.
    if (/^(end|close|error)/.test(line)) this.#flush();
    this.lines.push(line);
  }

  octets(data: Buffer | string): void {
    this.#octets += data.length;
    this.#hash.update(data);
  }

  /** Octets come in pieces of any size: only their number and content are told. */
  #flush(): void {
    if (this.#octets === 0) return;
    this.lines.push(`data ${this.#octets} ${this.#hash.digest('hex').slice(0, 12)}`);
    this.#octets = 0;
    this.#hash = createHash('sha256');
  }
}

/** Listens to a socket, and reads it unless `quiet`. */
function watch(socket: Socket, quiet = false): Story {
  const story = new Story();
  if (!quiet) socket.on('data', (data) => story.octets(data));
  for (const name of ['connect', 'ready', 'end', 'finish', 'timeout', 'drain'] as const) {
    socket.on(name, () => {
      // How often a writer meets a full buffer depends on the network.
      if (name !== 'drain') story.say(name);
    });
  }
  socket.on('error', (error: NodeJS.ErrnoException) => {
    story.say(`error ${error.name} ${error.code} ${error.syscall} ${error.errno}`);
  });
  story.closed = new Promise((resolve) => {
    socket.on('close', (hadError) => {
      story.say(`close ${hadError} ${socket.readyState} ${socket.destroyed}`);
      resolve();
    });
  });
  return story;
}

/** A listening server; what it does with each socket. */
async function listening(w: World, serve: (socket: Socket) => void, options = {}): Promise<[Server, number]> {
  const server = w.server.createServer(options, serve).listen(0, w.address);
  await once(server, 'listening');
  return [server, (server.address() as AddressInfo).port];
}

/** Both sockets of a connection and their stories, once the server has its own. */
interface Both {
  readonly client: Socket;
  readonly server: Socket;
  readonly stories: [client: Story, server: Story];
  /** Closes the listener, waits for both, and tells. */
  told(): Promise<string[][]>;
}

interface BothOptions {
  readonly client?: object;
  readonly server?: object;
  /** Which of them are not read: they are paused. */
  readonly quiet?: ('client' | 'server')[];
  /** What the server does first with its socket, before anything can have come. */
  readonly first?: (socket: Socket) => void;
}

async function both(w: World, options: BothOptions = {}): Promise<Both> {
  const quiet = options.quiet ?? [];
  const made: { server?: [Socket, Story] } = {};
  const accepted: (() => void)[] = [];
  const [server, port] = await listening(
    w,
    (socket) => {
      made.server = [socket, watch(socket, quiet.includes('server'))];
      options.first?.(socket);
      for (const each of accepted.splice(0)) each();
    },
    options.server,
  );
  const client = w.client.connect({ port, host: w.address, ...options.client });
  const story = watch(client, quiet.includes('client'));
  const open = new Promise<void>((resolve) => client.once('ready', resolve));
  if (made.server === undefined) await new Promise<void>((resolve) => accepted.push(resolve));
  await open;
  const [socket, other] = made.server!;
  return {
    client,
    server: socket,
    stories: [story, other],
    async told() {
      await Promise.all([story.closed, other.closed]);
      server.close();
      await once(server, 'close');
      return [story.lines, other.lines];
    },
  };
}

/** The next `close` of a socket that has not told it. */
const gone = async (socket: Socket): Promise<void> => void (await once(socket, 'close'));

/** Until a socket has read as many octets. */
const until = (socket: Socket, octets: number): Promise<void> =>
  new Promise((resolve) => {
    const look = (): void => {
      if (socket.bytesRead >= octets) resolve();
      else setTimeout(look, 1);
    };
    look();
  });

/** Octets of a pattern that no shift of itself equals. */
function pattern(length: number): Buffer {
  const octets = Buffer.alloc(length);
  for (let i = 0, x = 1; i < length; i++) {
    x = (Math.imul(x, 1_103_515_245) + 12_345) | 0;
    octets[i] = x >>> 16;
  }
  return octets;
}

const errorOf = (error: unknown): string => {
  if (error === null || error === undefined) return 'no error';
  const { name, code, message } = error as NodeJS.ErrnoException;
  return `${name} ${code} ${message}`;
};

/** Calls, and tells what was thrown. */
function thrown(run: () => unknown): string {
  try {
    run();
    return 'nothing';
  } catch (error) {
    return errorOf(error);
  }
}

/** The programs, by what they do. */
export const PROGRAMS: Readonly<Record<string, (w: World) => Promise<unknown>>> = {
  'an echo that the client ends': async (w) => {
    const b = await both(w, { first: (socket) => socket.pipe(socket) });
    b.client.write('one ');
    b.client.end('two', () => b.stories[0].say('end callback'));
    return [await b.told(), b.client.bytesRead, b.client.bytesWritten, b.server.bytesRead, b.server.bytesWritten];
  },
  'the server ends first, and a half-open client goes on writing': async (w) => {
    const b = await both(w, { client: { allowHalfOpen: true }, first: (socket) => void socket.end('all I have') });
    await once(b.client, 'end');
    b.stories[0].say(`after end ${b.client.readyState} ${b.client.writable}`);
    b.client.write('more ');
    b.client.end('and the last');
    return b.told();
  },
  'the server ends first, and a client without half-open ends too': async (w) => {
    const b = await both(w, { first: (socket) => void socket.end('all I have') });
    return b.told();
  },
  'a write after the peer has ended and we have': async (w) => {
    const b = await both(w, { first: (socket) => void socket.end() });
    b.client.on('end', () => {
      b.client.end();
      b.client.write('too late', (error) => b.stories[0].say(`write ${errorOf(error)}`));
    });
    return b.told();
  },
  'half-open on the server: it answers after the end of the question': async (w) => {
    const parts: string[] = [];
    const b = await both(w, {
      server: { allowHalfOpen: true },
      first: (socket) => {
        socket.on('data', (part) => parts.push(String(part)));
        socket.on('end', () => socket.end(`you said ${parts.join('')}`));
      },
    });
    b.client.end('a question');
    return b.told();
  },
  'a refused connection': async (w) => {
    const [server, port] = await listening(w, () => undefined);
    server.close();
    await once(server, 'close');
    const client = w.client.connect(port, w.address);
    const story = watch(client);
    const [error] = await once(client, 'error');
    await story.closed;
    return [
      story.lines,
      error.message.replace(`${w.address}:${port}`, 'WHERE'),
      error.port === port,
      error.address === w.address,
    ];
  },
  'a reset while the client reads': async (w) => {
    const b = await both(w);
    b.server.resetAndDestroy();
    return b.told();
  },
  'a reset that the client asks for': async (w) => {
    const b = await both(w);
    b.client.resetAndDestroy();
    return b.told();
  },
  'destroy with an error': async (w) => {
    const b = await both(w);
    b.client.destroy(Object.assign(new Error('enough'), { code: 'E_ENOUGH' }));
    return b.told();
  },
  'destroy with octets that nobody read resets': async (w) => {
    const b = await both(w, { quiet: ['client'] });
    await new Promise((resolve) => b.server.write(pattern(1000), resolve));
    b.client.once('readable', () => b.client.destroy());
    return b.told();
  },
  'destroySoon lets everything go first': async (w) => {
    const b = await both(w);
    b.client.write(pattern(300_000));
    b.client.destroySoon();
    return b.told();
  },
  'three megabytes each way at once': async (w) => {
    const octets = pattern(3_000_000);
    const b = await both(w, { first: (socket) => void socket.end(octets) });
    b.client.end(octets);
    // Who is done first, its writer or its reader, is a matter of the network.
    const told = (await b.told()).map((lines) => lines.filter((line) => line !== 'finish'));
    return [told, b.client.bytesRead, b.server.bytesRead];
  },
  'many small writes, corked and not': async (w) => {
    const b = await both(w);
    for (let i = 0; i < 200; i++) b.client.write(`line ${i}\n`);
    b.client.cork();
    for (let i = 0; i < 200; i++) b.client.write(Buffer.from([i]));
    b.client.uncork();
    b.client.end();
    return b.told();
  },
  'strings in several encodings': async (w) => {
    const b = await both(w);
    b.client.write('grün', 'latin1');
    b.client.write('c3bc', 'hex');
    b.client.write('eMO8', 'base64');
    b.client.end('ü', 'utf16le');
    return b.told();
  },
  'a paused reader is told nothing until it resumes': async (w) => {
    const b = await both(w);
    b.client.pause();
    b.client.once('end', () => undefined);
    b.server.end('waiting for you');
    await once(b.server, 'finish');
    b.stories[0].say(`paused ${b.client.isPaused()}`);
    b.client.resume();
    return b.told();
  },
  pauseOnConnect: async (w) => {
    const b = await both(w, { server: { pauseOnConnect: true }, quiet: ['server'] });
    await new Promise<void>((resolve) => b.client.write('early', () => resolve()));
    b.stories[1].say(`paused ${b.server.isPaused()}`);
    b.server.on('data', (data) => b.stories[1].octets(data)).resume();
    await until(b.server, 5);
    b.client.end();
    return b.told();
  },
  'octets split in the middle of a character': async (w) => {
    const parts: string[] = [];
    const b = await both(w, {
      quiet: ['server'],
      first: (socket) => socket.setEncoding('utf8').on('data', (part) => parts.push(String(part))),
    });
    b.client.setNoDelay();
    b.client.write(Buffer.from([0xe4, 0xb8]));
    await until(b.server, 2);
    b.client.end(Buffer.from([0xad, 0x21]));
    return [await b.told(), parts.join('')];
  },
  'idle for as long as setTimeout says': async (w) => {
    const b = await both(w);
    b.client.setTimeout(60, () => b.stories[0].say(`callback ${b.client.timeout}`));
    await once(b.client, 'timeout');
    b.client.setTimeout(0);
    b.client.end();
    return b.told();
  },
  'destroyed before it is open': async (w) => {
    const [server, port] = await listening(w, (socket) => void socket.destroy());
    const client = w.client.connect(port, w.address);
    const story = watch(client);
    client.write('never', (error) => story.say(`write ${errorOf(error)}`));
    story.say(`${client.connecting} ${client.pending} ${client.readyState}`);
    client.destroy();
    await story.closed;
    server.close();
    await once(server, 'close');
    return story.lines;
  },
  'an aborted signal': async (w) => {
    const [server, port] = await listening(w, (socket) => void socket.on('error', () => undefined));
    const controller = new AbortController();
    const client = w.client.connect({ port, host: w.address, signal: controller.signal });
    const story = watch(client);
    controller.abort();
    await story.closed;
    server.close();
    await once(server, 'close');
    return story.lines;
  },
  'written before it is open': async (w) => {
    const [server, port] = await listening(w, (socket) => void socket.pipe(socket));
    const client = new w.client.Socket();
    const story = watch(client);
    client.connect({ port, host: w.address }, () => story.say('connect callback'));
    client.write('a', () => story.say('written a'));
    client.write('b', () => story.say('written b'));
    story.say(`bytesWritten ${client.bytesWritten}`);
    await until(client, 2);
    client.end();
    await story.closed;
    server.close();
    await once(server, 'close');
    return story.lines;
  },
  'a socket that connects again': async (w) => {
    const [server, port] = await listening(w, (socket) => void socket.end('hi'));
    const client = new w.client.Socket();
    const story = watch(client);
    for (let i = 0; i < 2; i++) {
      client.connect(port, w.address);
      await gone(client);
      story.say(`${client.destroyed} ${client.bytesRead}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    server.close();
    await once(server, 'close');
    return story.lines;
  },
  'what a socket says of itself': async (w) => {
    const b = await both(w);
    const seen = [
      b.client.remoteAddress === w.address,
      b.client.remoteFamily,
      b.client.remotePort === b.server.localPort,
      b.client.localPort === b.server.remotePort,
      Object.keys(b.client.address()).sort(),
      b.client.readyState,
      b.server.readyState,
      b.client.pending,
      b.client.connecting,
    ];
    b.client.end();
    return [seen, await b.told(), b.client.remoteAddress === w.address, b.client.readyState];
  },
  'a server counts its sockets, drops what is too many, and closes behind the last': async (w) => {
    const order: string[] = [];
    const first: Socket[] = [];
    const [server, port] = await listening(w, (socket) => {
      first.push(socket.on('error', () => undefined).resume());
      order.push('connection');
    });
    server.maxConnections = 1;
    server.on('drop', (data) =>
      order.push(
        `drop ${Object.keys(data ?? {})
          .sort()
          .join(' ')}`,
      ),
    );
    server.on('close', () => order.push('close'));
    const a = w.client.connect(port, w.address);
    await once(a, 'connect');
    const b = w.client
      .connect(port, w.address)
      .on('error', () => undefined)
      .resume();
    await gone(b);
    await new Promise<void>((resolve) => {
      server.getConnections((error, count) => {
        order.push(`count ${error} ${count}`);
        resolve();
      });
    });
    server.close((error) => order.push(`closed ${error}`));
    order.push(`listening ${server.listening} ${server.address()}`);
    a.end();
    a.resume();
    await Promise.all([once(server, 'close'), gone(a)]);
    return order;
  },
  'errors of servers': async (w) => {
    const [server, port] = await listening(w, () => undefined);
    const twice = thrown(() => server.listen(0));
    const other = w.server.createServer();
    other.listen(port, w.address);
    const [error] = await once(other, 'error');
    server.close();
    await once(server, 'close');
    const late = await new Promise((resolve) => server.close(resolve));
    const inUse = `${error.code} ${error.syscall} ${error.errno} ${error.message.replace(`${w.address}:${port}`, 'WHERE')}`;
    return [twice, inUse, errorOf(late)];
  },
  'arguments that are none': async (w) => [
    thrown(() => w.client.connect({} as never)),
    thrown(() => w.client.connect({ port: 70_000 })),
    thrown(() => w.client.connect({ port: 'a' as never })),
    thrown(() => w.client.connect({ port: {} as never })),
    thrown(() => w.client.connect({ port: 1, localAddress: 'x' })),
    thrown(() => w.client.connect({ port: 1, host: 'a', lookup: 1 as never })),
    thrown(() => w.client.connect({ port: 1, autoSelectFamily: 'yes' as never })),
    thrown(() => w.client.connect({ port: 1, autoSelectFamilyAttemptTimeout: -1 })),
    thrown(() => w.server.createServer().listen(-1)),
    thrown(() => w.server.createServer().listen({} as never)),
    thrown(() => w.server.createServer('x' as never)),
    thrown(() => new w.client.Socket({ objectMode: true } as never)),
    thrown(() => new w.client.Socket().setTimeout('1' as never)),
    thrown(() => new w.client.Socket().setTimeout(-1)),
    thrown(() => new w.client.Socket().write(1 as never)),
    thrown(() => w.client.setDefaultAutoSelectFamily(1 as never)),
  ],
};
