// A transfer both ways over a lossy path, whose ends can be moved to other hosts, other clocks and other processes at any
// event. Runs on whichever build of the library it is given.

const MTU = 576;
const ADDRESSES = ['10.0.0.1', '10.0.0.2'];
const PORT = 80;

/** Octet `position` of what side `side` sends. */
const octet = (side, position) => (position * 31 + (position >> 7) + side * 101) & 0xff;

function random(seed) {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** One end: a host of its own, and what its program has done so far. */
class Side {
  constructor(lib, number, epoch, key) {
    this.number = number;
    this.epoch = epoch;
    this.host = new lib.Host({ name: `side${number}`, key: new Uint8Array(16).fill(key) });
    this.interface = this.host.addInterface({ medium: 'ip', mtu: MTU, addresses: [`${ADDRESSES[number]}/24`] });
    this.connection = null;
    this.app = { written: 0, read: 0, ended: false, closed: false, error: '' };
  }
}

/** The transfer. */
export class Moving {
  now = 0;
  events = 0;
  packets = 0;
  #lib;
  #total;
  #loss;
  #seed;
  #draws = 0;
  #random;
  #flying = [];
  #buffer = new Uint8Array(2048);
  #moves = 0;

  /** @param lib the library's public names */
  constructor(lib, { total = 12_000, loss = 0.1, seed = 1 } = {}) {
    this.#lib = lib;
    this.#total = total;
    this.#loss = loss;
    this.#seed = seed;
    this.#random = random(seed);
    this.sides = [new Side(lib, 0, 0, 1), new Side(lib, 1, 5000, 2)];
  }

  #draw() {
    this.#draws++;
    return this.#random();
  }

  /** Opens the connection and lets it be established. */
  open() {
    const [a, b] = this.sides;
    b.host.listen({ port: PORT }, (c) => this.#attach(b, c));
    this.#attach(a, a.host.connect({ address: ADDRESSES[1], port: PORT }));
    this.#settle();
    while (a.connection.state !== 'ESTABLISHED' || b.connection?.state !== 'ESTABLISHED') {
      if (!this.step()) throw new Error('it does not open');
    }
  }

  #attach(side, c) {
    side.connection = c;
    c.handler = {
      onOpen: () => this.#write(side),
      onWritable: () => this.#write(side),
      onReadable: () => this.#read(side),
      onClose: (_c, error) => {
        side.app.closed = true;
        side.app.error = error?.code ?? '';
      },
    };
    this.#write(side);
  }

  #write(side) {
    const { app, connection, number } = side;
    if (connection.state !== 'ESTABLISHED' && connection.state !== 'CLOSE-WAIT') return;
    // Not everything at once: the ends talk for a while.
    const most = Math.min(this.#total, app.read + 5000);
    while (app.written < most) {
      const length = Math.min(700, most - app.written);
      const bytes = Uint8Array.from({ length }, (_, i) => octet(number, app.written + i));
      const took = connection.send(bytes, 0, bytes.length);
      app.written += took;
      if (took < bytes.length) return;
    }
    if (app.written === this.#total) connection.shutdown();
  }

  #read(side) {
    const { app, connection, number } = side;
    // A slow reader: something is unread most of the time.
    const bytes = new Uint8Array(900);
    const took = connection.read(bytes, 0, connection.rcv?.finished || this.#draws % 3 > 0 ? 900 : 100);
    for (let i = 0; i < took; i++) {
      if (bytes[i] !== octet(1 - number, app.read + i))
        throw new Error(`octet ${app.read + i} of side ${1 - number} is wrong`);
    }
    app.read += took;
    if (connection.ended) app.ended = true;
    if (took > 0) this.#write(side);
  }

  /** Everything that is due now. */
  #settle() {
    for (let any = true; any; ) {
      any = false;
      for (const side of this.sides) {
        const { host, epoch } = side;
        host.tick(this.now + epoch);
        while (host.deliver()) any = true;
        if (side.connection !== null && side.connection.readable > 0) this.#read(side);
        while (host.deliver()) any = true;
        const meta = new this.#lib.TxMeta();
        for (;;) {
          const length = host.transmit(side.interface, this.#buffer, 0, meta, this.now + epoch);
          if (length === 0) break;
          any = true;
          this.packets++;
          // The path also reorders: a few packets take longer.
          const delay = 10 + (this.#draw() < 0.1 ? 15 : 0);
          if (this.#draw() >= this.#loss) {
            this.#flying.push({ at: this.now + delay, to: 1 - side.number, bytes: this.#buffer.slice(0, length) });
          }
        }
      }
    }
  }

  /** The next event: a packet arrives, or timers fire. False when nothing is left to happen. */
  step() {
    let at = Infinity;
    const due = this.sides.map(({ host }) => host.nextDeadline());
    this.sides.forEach(({ epoch }, n) => {
      at = Math.min(at, due[n] - epoch);
    });
    let packet = null;
    for (const p of this.#flying) if (p.at <= at && (packet === null || p.at < packet.at)) packet = p;
    if (packet !== null) at = packet.at;
    if (at === Infinity || this.events > 20_000) return false;
    this.now = Math.max(this.now, at);
    this.events++;
    if (packet === null) {
      this.sides.forEach(({ host, epoch }, n) => {
        // A sum of two times may fall short of the deadline by its last bit.
        if (due[n] - epoch <= at) host.timersFire(Math.max(this.now + epoch, due[n]));
      });
    } else {
      this.#flying.splice(this.#flying.indexOf(packet), 1);
      const { host, epoch, interface: i } = this.sides[packet.to];
      host.receive(i, packet.bytes, 0, packet.bytes.length, new this.#lib.RxMeta(), this.now + epoch);
    }
    this.#settle();
    return true;
  }

  /** Both ends have ended, as far as their programs know. */
  get done() {
    return this.sides.every((side) => side.app.closed);
  }

  /** Moves one end to a fresh host with another key and another clock; false in a state that cannot be moved. */
  move(number) {
    const old = this.sides[number];
    let bytes;
    try {
      bytes = this.#lib.snapshot(old.host, old.connection);
    } catch (error) {
      if (error instanceof this.#lib.StateError) return false;
      throw error;
    }
    this.#expectSilence(old);
    this.#place(number, bytes, old.app);
    this.#settle();
    return true;
  }

  /** The host that was left says nothing and keeps nothing. */
  #expectSilence({ host, interface: i, connection }) {
    const said = host.transmit(i, this.#buffer, 0, new this.#lib.TxMeta(), host.now);
    if (
      said > 0 ||
      host.connectionCount > 0 ||
      host.portsInUse > 0 ||
      host.timersArmed > 0 ||
      connection.state !== 'CLOSED'
    ) {
      throw new Error('the source does not let go');
    }
  }

  #place(number, bytes, app) {
    this.#moves++;
    const epoch = this.#moves * 1e7 + 0.375;
    const side = new Side(this.#lib, number, epoch, 10 + this.#moves);
    side.host.tick(this.now + epoch);
    side.app = app;
    this.sides[number] = side;
    this.#attach(side, this.#lib.restore(side.host, bytes));
  }

  /** Everything there is, as text for another process; both ends leave this one. */
  pack() {
    const text = (bytes) => Buffer.from(bytes).toString('base64');
    const ends = this.sides.map((side) => ({
      app: side.app,
      bytes: text(this.#lib.snapshot(side.host, side.connection)),
    }));
    const flying = this.#flying.map((p) => ({ ...p, bytes: text(p.bytes) }));
    const settings = { total: this.#total, loss: this.#loss, seed: this.#seed };
    return JSON.stringify({ settings, now: this.now, draws: this.#draws, moves: this.#moves, ends, flying });
  }

  /** Goes on with what `pack` of another process wrote. */
  static unpack(lib, text) {
    const { settings, now, draws, moves, ends, flying } = JSON.parse(text);
    const octets = (base64) => new Uint8Array(Buffer.from(base64, 'base64'));
    const moving = new Moving(lib, settings);
    for (let i = 0; i < draws; i++) moving.#draw();
    moving.now = now;
    moving.#moves = moves + 100;
    moving.#flying = flying.map((p) => ({ ...p, bytes: octets(p.bytes) }));
    for (const [number, { app, bytes }] of ends.entries()) moving.#place(number, octets(bytes), app);
    moving.#settle();
    return moving;
  }

  /** Runs to the end; throws unless every octet arrived, both ends ended, and nobody heard of an error. */
  finish() {
    while (!this.done && this.step());
    for (const { app, number } of this.sides) {
      const good =
        app.read === this.#total && app.written === this.#total && app.ended && app.closed && app.error === '';
      if (!good) throw new Error(`side ${number} after ${this.events} events: ${JSON.stringify(app)}`);
    }
    return this;
  }
}
