// TLS by the platform's own library (`node:tls`) over a stream of ours: a stream goes in, a secured stream comes out.
//
// Handshake, records and certificates are the platform's; here is only the way between its duplex streams and ours.
// Node, Bun and Deno have such a library; that of Bun and of Deno knows no half-close, and ends both directions when one
// does. Browsers let no program run TLS over a stream of its own, and bundlers for them take `browser-tls.ts` instead.

import { NetError, StateError } from '../base/errors.ts';
import type { StreamHandler } from '../base/stream.ts';
import { assertTls as assertNoTls } from './browser-tls.ts';
import type { WebStream } from './web-host.ts';

/** A certificate, a chain of them, or a key, as PEM text or octets. */
export type TlsMaterial = string | Uint8Array | readonly (string | Uint8Array)[];

/** What both ends of a secured connection may set. */
export interface TlsOptions {
  readonly ca?: TlsMaterial;
  readonly cert?: TlsMaterial;
  readonly key?: TlsMaterial;
  /** Protocols to agree on by ALPN (RFC 7301), the best first. */
  readonly alpn?: readonly string[];
  /** The name the server must prove, and that the client sends (SNI); the client's only. */
  readonly servername?: string;
  /** False accepts any certificate, which secures nothing against who stands between. True by default. */
  readonly rejectUnauthorized?: boolean;
  /** Further options of the platform's own TLS, as they are there (`minVersion`, `ciphers`, `passphrase`, ...). */
  readonly platform?: Readonly<Record<string, unknown>>;
}

/** A stream behind TLS: open once the handshake is done and the peer's certificate was found good. */
export interface SecureStream extends WebStream {
  /** The protocol that ALPN chose; `null` when none was. */
  readonly alpn: string | null;
}

/** A duplex stream of Node, as far as it is used here. */
interface NodeDuplex {
  readonly readableLength: number;
  readonly writableLength: number;
  readonly writableHighWaterMark: number;
  readonly destroyed: boolean;
  on(event: string, listener: (argument: never) => void): this;
  push(chunk: Uint8Array | null): boolean;
  read(): Uint8Array | null;
  write(chunk: Uint8Array): boolean;
  end(): void;
  destroy(error?: Error): void;
}

/** A TLS socket of Node likewise. */
interface NodeTlsSocket extends NodeDuplex {
  readonly alpnProtocol: string | false | null;
  readonly authorizationError?: unknown;
}

/** The modules of the platform that are used. */
interface NodeModules {
  readonly stream: { Duplex: new (options: object) => NodeDuplex };
  readonly tls: {
    connect(options: object): NodeTlsSocket;
    TLSSocket: new (socket: NodeDuplex, options: object) => NodeTlsSocket;
    createSecureContext(options: object): unknown;
  };
}

/** Octets that one read takes from the stream at most. */
const CHUNK = 65_536;
const NONE = new Uint8Array(0);

/** The platform's modules. Throws `TypeError` where there are none. */
function modules(): NodeModules {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  const tls = process?.getBuiltinModule?.('node:tls') as NodeModules['tls'] | undefined;
  const stream = process?.getBuiltinModule?.('node:stream') as NodeModules['stream'] | undefined;
  if (tls === undefined || stream === undefined) return assertNoTls();
  return { tls, stream };
}

/** Throws the `TypeError` that a secured connection would meet here; nothing where TLS is to be had. @internal */
export function assertTls(): void {
  modules();
}

/**
 * The client's end of TLS over `stream`, which may still be opening. Handlers are told as those of any stream; what the
 * handshake or the certificate lacks comes by `onClose` as the platform's own error, with the platform's `code`.
 *
 * @param hostname what the certificate must name, unless `options.servername` says otherwise
 */
export function secureClient(stream: WebStream, hostname: string, options: TlsOptions = {}): SecureStream {
  return new Secured(stream, (platform, socket) => {
    const { alpn, servername, platform: more, ...rest } = options;
    const name = servername ?? hostname;
    const isAddress = name.includes(':') || /^[0-9]+(?:\.[0-9]+){3}$/.test(name);
    return platform.tls.connect({
      ...more,
      ...rest,
      socket,
      // What the certificate is held against; an address is never sent as a name (RFC 6066 §3).
      host: name,
      ...(!isAddress && { servername: name }),
      ...(alpn && { ALPNProtocols: [...alpn] }),
    });
  });
}

/** The server's end of TLS over `stream`, which is open. `options` must hold `cert` and `key`. */
export function secureServer(stream: WebStream, options: TlsOptions): SecureStream {
  return new Secured(
    stream,
    (platform, socket) => {
      const { alpn, platform: more, ...rest } = options;
      const socketOptions = { ...more, ...rest, isServer: true, secureContext: contextOf(platform, options) };
      return new platform.tls.TLSSocket(socket, { ...socketOptions, ...(alpn && { ALPNProtocols: [...alpn] }) });
    },
    'secure',
  );
}

/** Throws what `secureServer` would meet with these options. @internal */
export function checkServer(options: TlsOptions): void {
  contextOf(modules(), options);
}

/** A parsed key and chain serve every connection of a server. */
const CONTEXTS: WeakMap<TlsOptions, unknown> = new WeakMap();

function contextOf(platform: NodeModules, options: TlsOptions): unknown {
  let context = CONTEXTS.get(options);
  if (context === undefined) {
    context = platform.tls.createSecureContext({ ...options.platform, ...options });
    CONTEXTS.set(options, context);
  }
  return context;
}

/** One end. */
class Secured implements SecureStream {
  handler: StreamHandler | null = null;
  readonly #raw: WebStream;
  readonly #wire: Wire;
  readonly #tls: NodeTlsSocket;
  /** What was decrypted and not read: `#chunk` from `#at` on; more waits in the TLS socket. */
  #chunk: Uint8Array = NONE;
  #at = 0;
  #peerEnded = false;
  #open = false;
  #shut = false;
  /** The TLS socket is over, and has said why. */
  #over = false;
  #closed = false;
  #error: NetError | null = null;

  constructor(
    raw: WebStream,
    make: (platform: NodeModules, socket: NodeDuplex) => NodeTlsSocket,
    ready = 'secureConnect',
  ) {
    const platform = modules();
    this.#raw = raw;
    this.#wire = new Wire(platform, raw, {
      failed: (error) => this.#fail(error),
      closed: () => this.#close(),
    });
    this.#tls = make(platform, this.#wire.duplex);
    this.#tls
      .on(ready, () => {
        this.#open = true;
        this.handler?.onOpen?.(this);
        this.handler?.onReadable?.(this);
      })
      .on('readable', () => {
        this.#fill();
        if (this.readable > 0) this.handler?.onReadable?.(this);
      })
      .on('end', () => {
        // In the middle of the handshake; Node says so to clients, and nothing to servers.
        if (!this.#open) this.#fail(new NetError('ECONNRESET', 'read'));

        this.#peerEnded = true;
        this.handler?.onReadable?.(this);
      })
      .on('drain', () => this.handler?.onWritable?.(this))
      .on('error', (error: Error) => {
        this.#error ??= asNetError(error, raw);
      })
      .on('close', () => {
        this.#over = true;
        this.#close();
      });
  }

  get alpn(): string | null {
    const protocol = this.#tls.alpnProtocol;
    return typeof protocol === 'string' ? protocol : null;
  }
  get localAddress(): string {
    return this.#raw.localAddress ?? '';
  }
  get localPort(): number {
    return this.#raw.localPort ?? 0;
  }
  get remoteAddress(): string {
    return this.#raw.remoteAddress ?? '';
  }
  get remotePort(): number {
    return this.#raw.remotePort ?? 0;
  }

  get readable(): number {
    return this.#chunk.length - this.#at + this.#tls.readableLength;
  }
  get ended(): boolean {
    return this.#peerEnded && this.readable === 0;
  }
  get writable(): number {
    if (!this.#open || this.#shut || this.#closed) return 0;
    return Math.max(0, this.#tls.writableHighWaterMark - this.#tls.writableLength);
  }

  peek(): Uint8Array {
    return this.#at === 0 ? this.#chunk : this.#chunk.subarray(this.#at);
  }

  consume(count: number): void {
    this.#at += count;
    if (this.#at < this.#chunk.length) return;
    this.#chunk = NONE;
    this.#at = 0;
    this.#fill();
  }

  read(into: Uint8Array, from: number, to: number): number {
    const bytes = this.peek();
    const count = Math.min(bytes.length, to - from);
    into.set(count === bytes.length ? bytes : bytes.subarray(0, count), from);
    this.consume(count);
    return count;
  }

  send(bytes: Uint8Array, from: number, to: number): number {
    if (this.#shut) throw new StateError('send after shutdown: this direction of the connection has ended');
    if (this.#closed) return 0;
    // Before the handshake is done the TLS socket keeps what it is given, within its mark.
    const room = Math.max(0, this.#tls.writableHighWaterMark - this.#tls.writableLength);
    const count = Math.min(room, to - from);
    // A copy, also of a Buffer: the caller has its octets back, and the platform encrypts when it can.
    if (count > 0) this.#tls.write(new Uint8Array(bytes.subarray(from, from + count)));
    return count;
  }

  shutdown(): void {
    if (this.#shut) return;
    this.#shut = true;
    this.#tls.end();
  }

  abort(): void {
    this.#shut = true;
    this.#raw.abort();
    this.#tls.destroy();
  }

  /** Takes the next chunk from the TLS socket, which reads on once it was asked. */
  #fill(): void {
    if (this.#at < this.#chunk.length || this.#tls.destroyed) return;
    const chunk = this.#tls.read();
    // Not as the platform's Buffer, whose `slice` copies nothing.
    this.#chunk = chunk === null ? NONE : new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
    this.#at = 0;
  }

  #fail(error: Error): void {
    this.#error ??= asNetError(error, this.#raw);
    this.#tls.destroy();
  }

  /** In good order the session ends before the stream below, and both are waited for. */
  #close(): void {
    if (this.#closed) return;
    if (!this.#over) return;
    if (this.#error !== null) this.#raw.abort();
    else if (!this.#wire.closed) return;
    this.#closed = true;
    this.handler?.onClose?.(this, this.#error);
  }
}

/**
 * An error of the platform's TLS as handlers get it: the same object with the fields of a `NetError` that it lacks. Its
 * `code` stays the platform's (`CERT_HAS_EXPIRED`, `ERR_SSL_...`), because that is what programs look for.
 */
function asNetError(error: Error, raw: WebStream): NetError {
  if (error instanceof NetError) return error;
  const { remoteAddress = '', remotePort = -1 } = raw;
  return Object.assign(error, {
    errno: 0,
    syscall: 'connect',
    address: remoteAddress,
    port: remotePort,
    ...error,
  }) as unknown as NetError;
}

/** Who is told of the stream below. */
interface WireEvents {
  failed(error: Error): void;
  closed(): void;
}

/** The stream below, in Node's shape: what the TLS socket reads from and writes to. */
class Wire {
  readonly duplex: NodeDuplex;
  /** The stream is over. */
  closed = false;
  readonly #raw: WebStream;
  #shut = false;
  #wanted = false;
  #ended = false;
  #rest: Uint8Array = NONE;
  #written: ((error?: Error) => void) | null = null;

  constructor(platform: NodeModules, raw: WebStream, events: WireEvents) {
    this.#raw = raw;
    this.duplex = new platform.stream.Duplex({
      allowHalfOpen: true,
      read: () => {
        this.#wanted = true;
        this.#up();
      },
      write: (chunk: Uint8Array, _encoding: string, done: (error?: Error) => void) => {
        this.#rest = chunk;
        this.#written = done;
        this.#down();
      },
      final: (done: () => void) => {
        this.#shut = true;
        raw.shutdown();
        done();
      },
      destroy: (error: Error | null, done: (error: Error | null) => void) => {
        // A session that has said its end leaves the stream to end by itself, and drops what still comes.
        if (error !== null || !this.#shut) raw.abort();
        else this.#up();
        done(error);
      },
    });
    // The TLS socket tells of the same failure, and it is the one that is listened to.
    this.duplex.on('error', (error: Error) => events.failed(error));
    raw.handler = {
      onReadable: () => this.#up(),
      onWritable: () => this.#down(),
      onClose: (_stream, error) => {
        this.#up();
        this.closed = true;
        this.#written?.(error ?? undefined);
        if (error !== null) events.failed(error);
        events.closed();
      },
    };
    this.#up();
  }

  #up(): void {
    const raw = this.#raw;
    if (this.duplex.destroyed) {
      while (raw.readable > 0) raw.consume(raw.peek().length);
      return;
    }
    while (this.#wanted && raw.readable > 0) {
      const chunk = new Uint8Array(Math.min(raw.readable, CHUNK));
      const count = raw.read(chunk, 0, chunk.length);
      this.#wanted = this.duplex.push(chunk.subarray(0, count));
    }
    if (!this.#ended && raw.ended) {
      this.#ended = true;
      this.duplex.push(null);
    }
  }

  #down(): void {
    if (this.#written === null) return;
    const sent = this.#raw.send(this.#rest, 0, this.#rest.length);
    this.#rest = this.#rest.subarray(sent);
    if (this.#rest.length > 0) return;
    const written = this.#written;
    this.#written = null;
    written();
  }
}
