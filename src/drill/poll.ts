// poll and epoll over the sockets of a script.

import { CallError, E, POLLERR, POLLHUP } from './errno.ts';
import type { Socket } from './socket.ts';

const EPOLLET = 0x8000_0000;
const EPOLLONESHOT = 0x4000_0000;

interface Item {
  readonly socket: Socket;
  events: number;
  data: bigint;
  /** For edge-triggered items: something has happened since it was last reported. */
  armed: boolean;
  /** A one-shot item that has fired. */
  spent: boolean;
}

/** One ready item, as epoll_wait reports it. */
export interface Ready {
  readonly events: number;
  readonly data: bigint;
}

/** An epoll instance. */
export class Epoll {
  readonly #items: Map<number, Item> = new Map();

  /** epoll_ctl: 1 adds, 2 removes, 3 changes. Throws `CallError`. */
  control(op: number, socket: Socket, events: number, data: bigint): void {
    const item = this.#items.get(socket.fd);
    if (op === 1) {
      if (item !== undefined) throw new CallError(E.EEXIST);
      socket.edges = 0;
      this.#items.set(socket.fd, { socket, events, data, armed: true, spent: false });
      return;
    }
    if (op !== 2 && op !== 3) throw new CallError(E.EINVAL);
    if (item === undefined) throw new CallError(E.ENOENT);
    if (op === 2) {
      this.#items.delete(socket.fd);
      return;
    }
    item.events = events;
    item.data = data;
    item.armed = true;
    item.spent = false;
  }

  /** A closed socket leaves every set. */
  forget(socket: Socket): void {
    this.#items.delete(socket.fd);
  }

  /** What is ready now, `most` at most; what is reported of an edge is not news any more. */
  take(most: number): Ready[] {
    const ready: Ready[] = [];
    for (const item of this.#items.values()) {
      const { socket } = item;
      if ((socket.edges & ((item.events & 0xffff) | POLLERR | POLLHUP)) !== 0) item.armed = true;
      socket.edges = 0;
      if (ready.length >= most || item.spent) continue;
      if ((item.events & EPOLLET) !== 0 && !item.armed) continue;
      const mask = socket.poll() & ((item.events & 0xffff) | POLLERR | POLLHUP);
      item.armed = false;
      if (mask === 0) continue;
      if ((item.events & EPOLLONESHOT) !== 0) item.spent = true;
      ready.push({ events: mask, data: item.data });
    }
    return ready;
  }
}
