// Who tells the event loop that a TUN device has packets.
//
// Node has no public way to wait for a descriptor that is neither a socket nor a pipe. Its own pipe handle, opened on
// the descriptor, does it at no cost (1.64 us a packet, measured) but is not documented: its class is looked for, its
// methods are checked, and where they are not found a thread waits in `poll` instead (1.55 us, but one thread of the
// pool is always busy).

import { createServer } from 'node:net';
import type { Ffi } from './ffi.ts';

/** Waits for a descriptor to become readable. Owns the descriptor from `start` on and closes it. */
export interface Wake {
  /**
   * @param ready the descriptor is readable, or has failed. `first` is a packet that was read already, if any:
   *   borrowed until the call returns
   */
  start(ready: (first: Uint8Array | null) => void): void;
  /** Whether waiting keeps the process alive. */
  hold(hold: boolean): void;
  close(): void;
}

/** Node's internal pipe handle, as far as it is used here. */
interface PipeHandle {
  onread: (data: ArrayBuffer | undefined) => void;
  open(fd: number): number | undefined;
  readStart(): number;
  readStop(): number;
  ref(): void;
  unref(): void;
  close(): void;
}
type PipeClass = new (type: number) => PipeHandle;

/** Largest wait of the polling thread, ms: how long a closed link may keep its thread. */
const POLL_MS = 250;
const POLLIN = 1;
const EINTR = 4;

let pipeClass: PipeClass | null | undefined;

/** The class of Node's pipe handles, taken from a server that listens for a moment; `null` where there is none. */
function findPipeClass(): PipeClass | null {
  if (pipeClass !== undefined) return pipeClass;
  pipeClass = null;
  const server = createServer();
  server.on('error', () => {
    // Listening may be forbidden here; the polling thread is used then.
  });
  // An abstract name: nothing appears in the file system.
  server.listen(`\0synfin-${process.pid}`);
  const handle: unknown = (server as { _handle?: unknown })._handle;
  if (typeof handle === 'object' && handle !== null) {
    const kind = handle.constructor;
    const methods = ['open', 'readStart', 'readStop', 'close', 'ref', 'unref'];
    const found = methods.every((name) => typeof (handle as Record<string, unknown>)[name] === 'function');
    if (found && kind.name === 'Pipe') pipeClass = kind as unknown as PipeClass;
  }
  server.close();
  return pipeClass;
}

class PipeWake implements Wake {
  readonly #handle: PipeHandle;

  constructor(handle: PipeHandle) {
    this.#handle = handle;
  }

  start(ready: (first: Uint8Array | null) => void): void {
    this.#handle.onread = (data) => ready(data === undefined ? null : new Uint8Array(data));
    this.#handle.readStart();
  }

  hold(hold: boolean): void {
    if (hold) this.#handle.ref();
    else this.#handle.unref();
  }

  close(): void {
    this.#handle.readStop();
    this.#handle.close();
  }
}

class PollWake implements Wake {
  readonly #ffi: Ffi;
  readonly #fd: number;
  #waiting = false;
  #closed = false;

  constructor(ffi: Ffi, fd: number) {
    this.#ffi = ffi;
    this.#fd = fd;
  }

  start(ready: (first: Uint8Array | null) => void): void {
    const done = (result: number): void => {
      this.#waiting = false;
      // The descriptor must not be closed while a thread waits for it: its number could mean another file by then.
      if (this.#closed) this.#ffi.close(this.#fd);
      else if (result !== 0 && result !== -EINTR) ready(null);
      if (!this.#closed) wait();
    };
    const wait = (): void => {
      this.#waiting = true;
      this.#ffi.poll(this.#fd, POLLIN, POLL_MS, done);
    };
    wait();
  }

  hold(): void {
    // A call on another thread always keeps the process alive.
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#waiting) this.#ffi.close(this.#fd);
  }
}

/** The best way to wait for `fd` on this platform. */
export function createWake(ffi: Ffi, fd: number): Wake {
  const Pipe = findPipeClass();
  if (Pipe !== null) {
    // 0: a pipe for data, neither a server nor one that passes descriptors.
    const handle = new Pipe(0);
    const result = handle.open(fd);
    if (result === undefined || result === 0) return new PipeWake(handle);
    handle.close();
  }
  return new PollWake(ffi, fd);
}

/** Waits by a thread in `poll`, on any platform that has an `Ffi`. */
export function createPollWake(ffi: Ffi, fd: number): Wake {
  return new PollWake(ffi, fd);
}
