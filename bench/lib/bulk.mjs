// One connection between two synfin hosts in this process, over a memory link: for metrics of bulk transfer.

import { createRuntime, Host } from 'synfin';
import { createPipe } from 'synfin/link/pipe';
import { keepFirst } from './measure.mjs';

/** A period that no segment size divides, so that octets in the wrong place are seen. */
const PERIOD = 65_521;
/** Most octets that are compared or sent at once. */
const SPAN = 65_536;

/** What is sent: the pattern over and over. Long enough that a span may start anywhere in the first period. */
const PATTERN = Buffer.alloc(PERIOD + SPAN);
for (let i = 0, x = 1; i < PATTERN.length; i++) {
  if (i % PERIOD === 0) x = 1;
  x = (Math.imul(x, 1_103_515_245) + 12_345) | 0;
  PATTERN[i] = x >>> 16;
}

/** The same octets without Node's own class, whose views cost more. */
const SOURCE = new Uint8Array(PATTERN.buffer, PATTERN.byteOffset, PATTERN.length);

/** Compares what arrives with the pattern, every octet. */
export class Verifier {
  received = 0;

  /** Throws when `bytes` is not what follows. */
  take(bytes) {
    for (let from = 0; from < bytes.length; from += SPAN) {
      const to = Math.min(bytes.length, from + SPAN);
      const at = this.received % PERIOD;
      if (PATTERN.compare(bytes, from, to, at, at + to - from) !== 0) {
        throw new Error(`wrong octets after ${this.received}`);
      }
      this.received += to - from;
    }
  }
}

/** The span to send next, as a view: `[at, at + length)` of the pattern. */
export function spanAt(sent, length) {
  const at = sent % PERIOD;
  return PATTERN.subarray(at, at + length);
}

/** An open connection with a sender at one end and a verifier at the other. */
export class Bulk {
  #pipe;
  #runtimes = [];
  #hosts = [];
  #client = null;
  #server = null;
  #verifier = new Verifier();
  #target = 0;
  #sent = 0;
  #ended = false;
  #failure = null;

  /**
   * Opens the connection. All settings are the defaults; checksums are computed and verified, unless `caps` says that
   * the link does what it offers: then super-segments cross it whole, and their checksums are nobody's work.
   */
  static async open(caps) {
    const bulk = new Bulk();
    bulk.#pipe = createPipe(caps === undefined ? { mtu: 1500 } : { mtu: 1500, caps });
    const addresses = ['10.0.0.1', '10.0.0.2'];
    for (const [i, link] of [bulk.#pipe.a, bulk.#pipe.b].entries()) {
      const host = new Host({ key: new Uint8Array(16).fill(i + 1) });
      const runtime = createRuntime({ host });
      runtime.attach(link, { addresses: [`${addresses[i]}/24`] });
      bulk.#hosts.push(host);
      bulk.#runtimes.push(runtime);
    }
    bulk.#hosts[1].listen({ port: 80 }, (stream) => {
      bulk.#server = stream;
      stream.handler = { onReadable: () => bulk.#read(), onClose: (_, error) => bulk.#over(error) };
    });
    bulk.#client = bulk.#hosts[0].connect({ address: addresses[1], port: 80 });
    bulk.#client.handler = { onWritable: () => bulk.#write(), onClose: (_, error) => bulk.#over(error) };
    await bulk.#until(() => bulk.#server !== null);
    keepFirst('bulk', bulk);
    return bulk;
  }

  #over(error) {
    this.#failure = error;
  }

  #read() {
    const stream = this.#server;
    while (stream.readable > 0) {
      const bytes = stream.peek();
      this.#verifier.take(bytes);
      stream.consume(bytes.length);
    }
    this.#ended = stream.ended;
    if (stream.ended) stream.shutdown();
  }

  #write() {
    while (this.#sent < this.#target) {
      const at = this.#sent % PERIOD;
      const length = Math.min(SPAN, this.#target - this.#sent);
      const taken = this.#client.send(SOURCE, at, at + length);
      this.#sent += taken;
      if (taken < length) return;
    }
  }

  /** Pumps until `done`. The event loop gets its chance only when the hosts have nothing to do: timers need it. */
  async #until(done) {
    while (!done()) {
      if (this.#failure !== null) throw this.#failure;
      if (!this.#pipe.deliverPending()) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Sends this many octets more and returns when the other end has verified all of them. */
  async transfer(octets) {
    this.#target += octets;
    this.#write();
    await this.#until(() => this.#verifier.received === this.#target);
  }

  /** Packets the sending host has sent so far. */
  get packets() {
    return this.#hosts[0].counters.packetsOut;
  }

  /** Ends the connection in good order; TIME-WAIT is not waited for. */
  async close() {
    this.#client.shutdown();
    await this.#until(() => this.#ended && this.#client.state === 'TIME-WAIT');
    for (const runtime of this.#runtimes) runtime.close();
  }
}
