// One socket of a script: what Linux keeps beside a connection, and what it tells poll.

import type { Listener } from '../host/index.ts';
import type { Connection } from '../sim/index.ts';
import type { Address } from '../wire/address.ts';
import { E, POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP, POLLRDNORM, POLLWRNORM } from './errno.ts';

/** Options of a socket that an accepted connection inherits from its listener. Times are ms, -1 means "not set". */
export class SocketOptions {
  reuseAddress = false;
  /** SO_LINGER: seconds, or -1 for off. */
  linger = -1;
  /** As reported: twice what was set. */
  sendBuffer = -1;
  receiveBuffer = -1;
  receiveLowWater = 1;
  receiveTimeout = 0;
  sendTimeout = 0;
  noDelay = false;
  cork = false;
  maxSegment = 0;
  /** TCP_NOTSENT_LOWAT as it was set; 0 leaves it to the system. */
  notSentLowWater = 0;
  userTimeout = 0;
  keepAlive = false;
  /** Seconds, seconds, probes; 0 leaves them to the system. */
  keepIdle = 0;
  keepInterval = 0;
  keepCount = 0;
  inq = false;
  linger2 = -1;
  /** TCP_FASTOPEN: pending fast openings of a listener; -1 leaves it to the system. */
  fastOpen = -1;
  /** TCP_FASTOPEN_CONNECT: `connect` waits for the first write. */
  fastOpenConnect = false;
  quickAck = true;
  /** TCP_SYNCNT; 0 leaves it to the system. */
  synCount = 0;
  /** TCP_DEFER_ACCEPT, ms. */
  deferAccept = 0;
  /** Options that are remembered and change nothing yet, by `level << 16 | name`. */
  readonly other: Map<number, Uint8Array> = new Map();

  /** What a connection gets from its listener. */
  inherit(): SocketOptions {
    const copy = Object.assign(new SocketOptions(), this);
    for (const [name, value] of this.other) copy.other.set(name, value);
    return copy;
  }
}

/** Whether a connection is not open yet, nor used early (RFC 7413 §4.2). */
export function isOpening(c: Connection): boolean {
  return c.state === 'SYN-SENT' || (c.state === 'SYN-RECEIVED' && !c.early);
}

/** A socket. It is bound, then listens or has a connection. */
export class Socket {
  readonly fd: number;
  /** 2 or 10. */
  readonly family: number;
  nonBlocking: boolean;
  options: SocketOptions = new SocketOptions();
  bound: Address | null = null;
  boundPort = 0;
  listener: Listener | null = null;
  /** Connections that wait for `accept`. */
  readonly backlog: Connection[] = [];
  connection: Connection | null = null;
  /** `connect` was called and has not been answered with its outcome. */
  connecting = false;
  /** The connection has been open. */
  opened = false;
  /** Where the first write connects to: `connect` had a cookie for it. */
  deferred: { port: number; address: Address } | null = null;
  /** SO_ERROR: reported once. */
  error = 0;
  shutRead = false;
  shutWrite = false;
  /** Something new to read, or to write into, since an edge-triggered poll last looked. */
  edges = 0;
  /** A call found no room to write: room is news again (SOCK_NOSPACE). */
  noSpace = false;

  constructor(fd: number, family: number, nonBlocking: boolean) {
    this.fd = fd;
    this.family = family;
    this.nonBlocking = nonBlocking;
  }

  /** Takes over a connection: events of it become events of the socket. */
  attach(c: Connection, bsd: boolean): void {
    this.connection = c;
    c.handler = {
      onOpen: () => {
        this.opened = true;
        this.edges |= POLLIN | POLLOUT;
      },
      onReadable: () => {
        this.edges |= POLLIN;
      },
      onWritable: () => {
        this.edges |= POLLOUT;
      },
      onClose: (_, error) => {
        if (error !== null) {
          // A peer that has said goodbye and resets finds nobody to read the news: the pipe is broken, to Linux.
          const broken = !bsd && error.errno === -E.ECONNRESET && c.rcv.finished && !c.snd.finQueued && this.opened;
          this.error = broken ? E.EPIPE : -error.errno;
        }
        this.edges |= POLLIN | POLLOUT | POLLHUP;
      },
    };
  }

  /** Nothing can be sent any more: the connection is gone or this direction was ended. */
  get sendShut(): boolean {
    const c = this.connection;
    return this.shutWrite || c === null || !c.isOpen();
  }

  /** Nothing more will come in. */
  get receiveShut(): boolean {
    const c = this.connection;
    return this.shutRead || (c !== null && (c.rcv.finished || (this.opened && c.state === 'CLOSED')));
  }

  /** What poll(2) says, before it is masked by what was asked for. */
  poll(): number {
    if (this.listener !== null) return this.backlog.length > 0 ? POLLIN | POLLRDNORM : 0;
    const c = this.connection;
    let mask = this.error !== 0 ? POLLERR : 0;
    if (this.deferred !== null) return mask | POLLOUT | POLLWRNORM;
    if (c === null || c.state === 'CLOSED') {
      const ended = c === null ? 0 : POLLIN | POLLRDNORM | POLLRDHUP;
      return mask | ended | POLLHUP | POLLOUT | POLLWRNORM;
    }
    if (isOpening(c)) return mask;
    if (this.receiveShut) mask |= POLLIN | POLLRDNORM | POLLRDHUP;
    if (this.receiveShut && this.sendShut) mask |= POLLHUP;
    if (c.readable >= this.options.receiveLowWater && c.readable > 0) mask |= POLLIN | POLLRDNORM;
    if (this.sendShut || c.roomy) mask |= POLLOUT | POLLWRNORM;
    else this.noSpace = true;
    return mask;
  }
}
