// Connections that are opened and closed both ways, one after the other, while so many others wait in TIME-WAIT.

import { Core, Life } from './core.mjs';
import { keepFirst } from './measure.mjs';

/** Milliseconds of TIME-WAIT by default. */
const TIME_WAIT = 60_000;

/** A client that opens and closes at such a pace that `waiting` of its connections are in TIME-WAIT at any time. */
export class Turnstile {
  #life = new Life();
  #core;
  #step;
  #opened = 0;

  /** @param waiting connections in TIME-WAIT in steady state; they are made first */
  constructor(waiting) {
    this.#core = new Core({ clients: 16, accept: this.#life.accept });
    this.#step = TIME_WAIT / waiting;
    this.pass(waiting);
    keepFirst('turnstile', this);
  }

  /** Opens and closes `count` connections; for each, one that has waited long enough is forgotten. */
  pass(count) {
    const core = this.#core;
    const life = this.#life;
    for (let i = 0; i < count; i++) {
      const connection = core.connect(this.#opened++, life.client);
      core.settle();
      connection.shutdown();
      core.settle();
      if (connection.state !== 'TIME-WAIT') throw new Error(`a closed connection is in ${connection.state}`);
      core.advance(this.#step);
    }
    if (life.accepted !== this.#opened || life.closed !== 2 * this.#opened || life.failed > 0) {
      throw new Error(`${this.#opened} opened, ${life.closed} of both ends closed, ${life.failed} failed`);
    }
  }

  /** Connections in TIME-WAIT now. */
  get waiting() {
    return this.#core.client.host.connectionCount;
  }

  /** Packets carried so far. */
  get packets() {
    return this.#core.packets;
  }
}
