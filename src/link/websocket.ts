// A link over anything shaped like a WebSocket: one packet per binary message, sent some time later.
//
// Every message gets an octet array of its own, because `send` keeps it until the socket has written it
// (rule 2 of `base/link.ts`). The shape has no "drained" event, so fullness is looked at again by a timer.

import { NetError } from '../base/errors.ts';
import { type Link, type LinkCaps, type LinkPort, type Medium, PLAIN_LINK } from '../base/link.ts';
import { RxMeta, TxMeta } from '../base/packet.ts';

/** What is needed of a socket: browsers, Deno, Bun and Node have it, and so has the `ws` package. */
export interface WebSocketLike {
  /** Must accept `'arraybuffer'`. */
  binaryType: string;
  /** Octets accepted by `send` and not yet given to the network. */
  readonly bufferedAmount: number;
  /** 0 connecting, 1 open, 2 closing, 3 closed; a socket that has none counts as open. */
  readonly readyState?: number;
  // Methods, not function-typed fields: an event type of the platform's own then fits.
  onopen?: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror?: ((event: never) => void) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/** How such a link is made. */
export interface WebSocketLinkOptions {
  /** What the messages hold; `'ethernet'` when absent, as most relays speak it. */
  readonly medium?: Medium;
  /** Largest IP packet, octets; 1500 when absent. */
  readonly mtu?: number;
  /** Our Ethernet address; a random, locally administered one when absent. Ignored for `'ip'`. */
  readonly mac?: Uint8Array;
  /** `bufferedAmount` from which the link is full, octets; 256 KiB when absent. */
  readonly highWater?: number;
  /** `bufferedAmount` from which it has room again, octets; a quarter of `highWater` when absent. */
  readonly lowWater?: number;
}

/**
 * Looks at a full socket without a pause between, before a timer takes over: a fast network drains 256 KiB in well
 * under the shortest timer, and waiting 4 ms each time held the link at 60 MB/s (measured).
 */
const EAGER_LOOKS = 16;
/** How often a socket that stays full is looked at, ms. */
const POLL_MS = 4;
const OPEN = 1;

class WebSocketLink implements Link {
  readonly medium: Medium;
  readonly mtu: number;
  readonly caps: LinkCaps = PLAIN_LINK;
  readonly mac: Uint8Array | null;
  readonly #socket: WebSocketLike;
  readonly #highWater: number;
  readonly #lowWater: number;
  readonly #scratch: Uint8Array<ArrayBuffer>;
  readonly #tx = new TxMeta();
  readonly #rx = new RxMeta();
  #port: LinkPort | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined = undefined;
  #full = false;
  /** Looks since the socket became full. */
  #looks = 0;

  constructor(socket: WebSocketLike, options: WebSocketLinkOptions) {
    this.medium = options.medium ?? 'ethernet';
    this.mtu = options.mtu ?? 1500;
    this.mac = this.medium === 'ip' ? null : (options.mac ?? randomMac());
    this.#socket = socket;
    this.#highWater = options.highWater ?? 256 * 1024;
    this.#lowWater = options.lowWater ?? this.#highWater >> 2;
    this.#scratch = new Uint8Array(this.mtu + 18);
  }

  open(port: LinkPort): void {
    this.#port = port;
    const socket = this.#socket;
    socket.binaryType = 'arraybuffer';
    socket.onmessage = (event: { data: unknown }): void => this.#message(event.data);
    socket.onclose = (): void => this.#closed();
    socket.onerror = (): void => this.#closed();
    socket.onopen = (): void => this.#port?.writable();
    if ((socket.readyState ?? OPEN) > OPEN) this.#closed();
  }

  pump(): void {
    const port = this.#port;
    const socket = this.#socket;
    if (port === null || this.#full || (socket.readyState ?? OPEN) !== OPEN) return;
    const scratch = this.#scratch;
    const meta = this.#tx;
    for (;;) {
      if (socket.bufferedAmount >= this.#highWater) {
        this.#full = true;
        this.#looks = 0;
        this.#lookLater();
        return;
      }
      meta.reset();
      const length = port.transmit(scratch, 0, meta);
      if (length === 0) return;
      socket.send(scratch.slice(0, length));
    }
  }

  close(): void {
    this.#port = null;
    this.#release();
    this.#socket.close();
  }

  /** Looks whether the socket has drained. */
  readonly #look = (): void => {
    if (this.#port === null || !this.#full) return;
    if (this.#socket.bufferedAmount > this.#lowWater) {
      this.#lookLater();
      return;
    }
    this.#full = false;
    this.#port.writable();
  };

  #lookLater(): void {
    const immediate = (globalThis as { setImmediate?: (run: () => void) => unknown }).setImmediate;
    if (this.#looks++ < EAGER_LOOKS && immediate !== undefined) immediate(this.#look);
    else this.#timer = setTimeout(this.#look, POLL_MS);
  }

  #message(data: unknown): void {
    const port = this.#port;
    if (port === null) return;
    let bytes: Uint8Array;
    if (data instanceof ArrayBuffer) bytes = new Uint8Array(data);
    else if (ArrayBuffer.isView(data)) bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    else return; // Text messages are a relay's own talk, not packets.
    this.#rx.reset();
    port.receive(bytes, 0, bytes.length, this.#rx);
    port.turn();
  }

  #closed(): void {
    const port = this.#port;
    if (port === null) return;
    this.#port = null;
    this.#release();
    port.down(new NetError('ENETDOWN', 'read'));
  }

  #release(): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    socket.onmessage = null;
    socket.onclose = null;
    socket.onerror = null;
    socket.onopen = null;
  }
}

/** An address of our own making: the bit for "locally administered" set, the one for groups clear. */
function randomMac(): Uint8Array {
  const mac = globalThis.crypto.getRandomValues(new Uint8Array(6));
  mac[0] = (mac[0]! & 0xfc) | 2;
  return mac;
}

/**
 * Makes a link over a socket, open or about to open. The link takes the socket's `on...` handlers and closes it.
 *
 * @example
 * ```ts
 * const link = createWebSocketLink(new WebSocket('wss://relay.example/'), { medium: 'ethernet' });
 * runtime.attach(link, { addresses: ['192.168.86.100/24'], gateways: ['192.168.86.1'] });
 * ```
 */
export function createWebSocketLink(socket: WebSocketLike, options: WebSocketLinkOptions = {}): Link {
  return new WebSocketLink(socket, options);
}
