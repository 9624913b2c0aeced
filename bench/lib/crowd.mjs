// Many connections that are alive, with a timer armed each, around those that are busy.

import { Core } from './core.mjs';
import { timed } from './measure.mjs';

/** Milliseconds between two round trips: the crowd's timers must not fire while the busy ones are timed. */
const STEP = 0.0001;
const WARM_UP = 10_000;

/** `alive` established connections, each with an octet in flight that the server never gets. */
export class Crowd {
  #octet = new Uint8Array(1);
  #trips = 0;
  #connections = [];
  #armed = false;
  #core;

  constructor(alive) {
    const octet = this.#octet;
    const echo = {
      onReadable: (stream) => {
        if (stream.read(octet, 0, 1) !== 1) throw new Error('no octet');
        stream.send(octet, 0, 1);
      },
    };
    const client = {
      onReadable: (stream) => {
        if (stream.read(octet, 0, 1) !== 1) throw new Error('no octet');
        // The crowd's own octets, 255, come back when it is disarmed.
        if (octet[0] === 255) return;
        if (octet[0] !== this.#trips % 255) throw new Error('wrong octet');
        this.#trips++;
      },
    };
    const core = new Core({
      clients: Math.ceil((alive + 1) / 16_000),
      accept: (stream) => {
        stream.handler = echo;
      },
    });
    this.#core = core;
    for (let i = 0; i <= alive; i++) {
      this.#connections.push(core.connect(i, client));
      core.settle();
    }
    core.advance(1000);
    // Compiled before it is timed.
    for (let i = 0; i < WARM_UP; i++) this.#trip(this.#connections[0]);
  }

  /** Lets the crowd's octets arrive: no timer is armed afterwards. */
  disarm() {
    const core = this.#core;
    core.advance(2000);
    core.advance(2000);
    this.#armed = false;
    if (core.client.host.timersArmed > 0) throw new Error('timers are armed');
  }

  /** Arms the retransmission timer of all but the first connection, unless they are. */
  arm() {
    if (this.#armed) return;
    this.#armed = true;
    const core = this.#core;
    // Delayed acknowledgements of what went before.
    core.advance(1000);
    core.mute = true;
    this.#octet[0] = 255;
    for (let i = 1; i < this.#connections.length; i++) this.#connections[i].send(this.#octet, 0, 1);
    core.settle();
    core.mute = false;
    const { timersArmed } = core.client.host;
    if (timersArmed !== this.#connections.length - 1) throw new Error(`${timersArmed} timers are armed`);
  }

  #trip(connection) {
    const expected = this.#trips + 1;
    this.#octet[0] = this.#trips % 255;
    connection.send(this.#octet, 0, 1);
    this.#core.advance(STEP);
    if (this.#trips !== expected) throw new Error('no answer');
  }

  /** Nanoseconds a segment, `trips` round trips of the first connection; by processor time. */
  async first(trips) {
    return this.#cost(() => {
      for (let i = 0; i < trips; i++) this.#trip(this.#connections[0]);
    });
  }

  /** The same, every connection in turn, in an order that the cache does not like. */
  async all(trips) {
    const connections = this.#connections;
    const { length } = connections;
    return this.#cost(() => {
      for (let i = 0, at = 0; i < trips; i++) {
        this.#trip(connections[at]);
        at = (at + 7919) % length;
      }
    });
  }

  async #cost(work) {
    const before = this.#core.packets;
    const times = await timed(work);
    const packets = this.#core.packets - before;
    return { value: (times.wall * 1e9) / packets, cpu: (times.cpu * 1e9) / packets };
  }
}
