// Round trips of one octet between two synfin hosts in this process, over a memory link in real time.

import { createRuntime, Host } from 'synfin';
import { createPipe } from 'synfin/link/pipe';
import { keepFirst } from './measure.mjs';

/** An open connection whose far end sends back what it gets. */
export class PingPong {
  #pipe = createPipe();
  #runtimes = [];
  #octet = new Uint8Array(1);
  #client = null;
  #open = false;
  #trips = 0;
  #target = 0;
  #failure = null;

  /** Opens the connection; all settings are the defaults. */
  static async open() {
    const game = new PingPong();
    const hosts = [game.#pipe.a, game.#pipe.b].map((link, i) => {
      const host = new Host({ key: new Uint8Array(16).fill(i + 1) });
      const runtime = createRuntime({ host });
      runtime.attach(link, { addresses: [`10.0.0.${i + 1}/24`] });
      game.#runtimes.push(runtime);
      return host;
    });
    const onClose = (_stream, error) => {
      game.#failure = error;
    };
    const back = { onReadable: (stream) => game.#back(stream), onClose };
    hosts[1].listen({ port: 80 }, (stream) => {
      stream.handler = back;
    });
    game.#client = hosts[0].connect({ address: '10.0.0.2', port: 80 });
    game.#client.handler = {
      onOpen: () => {
        game.#open = true;
      },
      onReadable: () => game.#next(),
      onClose,
    };
    await game.#until(() => game.#open);
    keepFirst('pingpong', game);
    return game;
  }

  #take(stream) {
    const taken = stream.read(this.#octet, 0, 1);
    if (taken !== 1 || stream.readable !== 0 || this.#octet[0] !== (this.#trips & 255)) {
      throw new Error(`wrong octet in round trip ${this.#trips}`);
    }
  }

  #back(stream) {
    this.#take(stream);
    stream.send(this.#octet, 0, 1);
  }

  #next() {
    this.#take(this.#client);
    if (++this.#trips < this.#target) this.#serve();
  }

  #serve() {
    this.#octet[0] = this.#trips & 255;
    this.#client.send(this.#octet, 0, 1);
  }

  async #until(done) {
    while (!done()) {
      if (this.#failure !== null) throw this.#failure;
      if (!this.#pipe.deliverPending()) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Plays so many round trips more. */
  async play(count) {
    this.#target += count;
    this.#serve();
    await this.#until(() => this.#trips === this.#target);
  }

  /** Resets the connection. */
  close() {
    for (const runtime of this.#runtimes) runtime.close();
  }
}
