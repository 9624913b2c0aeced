// Two hosts in virtual time without links: the owner's loop of docs/architecture.md §3 and nothing else. For metrics of
// connections, timers and memory, where the cost of a link or of the event loop would hide what is measured.

import { Host, RxMeta, TxMeta } from 'synfin';

/** The server's address and port. */
const SERVER = '10.255.0.1';
const PORT = 80;
const BATCH = 256;

/** One host, its interface and its descriptors. */
class Side {
  constructor(name, key, addresses, profile) {
    this.host = new Host({ name, key: new Uint8Array(16).fill(key), profile });
    this.interface = this.host.addInterface({ medium: 'ip', mtu: 1500, addresses });
    this.out = new TxMeta();
    this.in = new RxMeta();
  }
}

/** A client with several addresses and a server, joined without loss or delay. */
export class Core {
  now = 0;
  /** Packets from the client are thrown away. */
  mute = false;
  /** Packets that were carried, or thrown away. */
  packets = 0;
  #buffer = new Uint8Array(2048);

  /**
   * @param clients addresses of the client: each can have 16,384 connections to the server's port
   * @param accept called with every connection that the server accepts
   */
  constructor({ clients = 1, accept, profile = {} }) {
    this.addresses = Array.from({ length: clients }, (_, n) => `10.0.${n >> 8}.${(n & 255) + 1}`);
    // One route for all: the network of the first address.
    const [first, ...rest] = this.addresses;
    this.client = new Side('client', 1, [`${first}/8`, ...rest.map((address) => `${address}/32`)], profile);
    this.server = new Side('server', 2, [`${SERVER}/8`], profile);
    this.listener = this.server.host.listen({ port: PORT }, accept);
  }

  /** A connection from one of the client's addresses. */
  connect(n, handler) {
    const localAddress = this.addresses[n % this.addresses.length];
    const connection = this.client.host.connect({ address: SERVER, port: PORT, localAddress });
    connection.handler = handler;
    return connection;
  }

  #carry(from, to) {
    const { now } = this;
    let any = false;
    for (let n = 1; ; n++) {
      // No longer batches than links have: octets that nobody reads hold a chunk of 16 KiB each.
      if (n % BATCH === 0) this.#deliver(to);
      const length = from.host.transmit(from.interface, this.#buffer, 0, from.out, now);
      if (length === 0) return any;
      any = true;
      this.packets++;
      if (!(this.mute && from === this.client)) to.host.receive(to.interface, this.#buffer, 0, length, to.in, now);
    }
  }

  #deliver(side) {
    let any = false;
    while (side.host.deliver()) any = true;
    return any;
  }

  /** Runs both hosts until neither has anything to do at this moment. */
  settle() {
    const { client, server } = this;
    let any = true;
    while (any) {
      any = this.#deliver(client);
      any = this.#carry(client, server) || any;
      any = this.#deliver(server) || any;
      any = this.#carry(server, client) || any;
      for (const { host } of [client, server]) {
        if (host.nextDeadline() > this.now) continue;
        host.timersFire(this.now);
        any = true;
      }
    }
  }

  /** Lets time go by; what is due is done. */
  advance(milliseconds) {
    this.now += milliseconds;
    this.client.host.tick(this.now);
    this.server.host.tick(this.now);
    this.settle();
  }
}

/** Handlers for connections that only open and close: the server follows, anything else is an error. */
export class Life {
  accepted = 0;
  closed = 0;
  failed = 0;
  /** What the server is given with every connection; shared, so that it costs nothing each. */
  server = {
    onReadable: (stream) => {
      if (stream.ended) stream.shutdown();
    },
    onClose: (_stream, error) => this.#over(error),
  };
  client = { onClose: (_stream, error) => this.#over(error) };
  accept = (stream) => {
    this.accepted++;
    stream.handler = this.server;
  };

  #over(error) {
    if (error === null) this.closed++;
    else this.failed++;
  }
}
