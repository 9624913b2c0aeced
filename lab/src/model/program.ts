// A program at one end: follows its steps, and does what a hand asks.

import type { Connection } from 'synfin';
import type { ProgramEvent } from './record.ts';
import type { Deed, End, Step } from './scenario.ts';

/** What a program may use of the stage it plays on. */
export interface Surroundings {
  /** Opens the connection from an end. */
  connect(end: End): Connection;
  /** Virtual time, ms. */
  readonly now: number;
  /** Calls back in `delay` ms of virtual time. */
  after(delay: number, act: () => void): void;
  /** Tells what the program did or was told. */
  tell(end: End, what: ProgramEvent['what'], text?: string): void;
}

/** Whoever sits at an end of the connection. */
export interface Actor {
  /** Takes a stream that is there: a client's own, or one that was accepted. */
  take(stream: Connection, open: boolean): void;
  /** Begins. */
  go(): void;
  /** Does something, if it can still be done: a hand may have closed what the script wants to write to. */
  perform(deed: Deed): void;
  /** Reads what comes, or leaves it where it is so that the window closes. */
  setReading(on: boolean): void;
}

/** Text as octets. */
export function octets(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A program that is a list of steps. */
export class Program implements Actor {
  readonly #end: End;
  readonly #stage: Surroundings;
  readonly #steps: readonly Step[];
  /** How long it does not read, ms from the opening. */
  readonly #sleeps: number;
  #reading: boolean;
  #next = 0;
  #waiting = false;
  #stream: Connection | null = null;
  #open = false;
  #ended = false;
  #over = false;
  #received = 0;

  constructor(stage: Surroundings, end: End, steps: readonly Step[], sleeps: number) {
    this.#stage = stage;
    this.#end = end;
    this.#steps = steps;
    this.#sleeps = sleeps;
    this.#reading = sleeps === 0;
  }

  take(stream: Connection, open: boolean): void {
    this.#stream = stream;
    this.#open = open;
    stream.handler = {
      onOpen: () => {
        this.#open = true;
        this.#stage.tell(this.#end, 'open');
        if (this.#sleeps > 0) this.#stage.after(this.#sleeps, () => this.setReading(true));
        this.go();
      },
      onReadable: () => this.#read(),
      onClose: (_stream, error) => {
        this.#over = true;
        this.#stage.tell(this.#end, 'closed', error?.code ?? '');
      },
    };
    if (open) this.#stage.tell(this.#end, 'open');
    this.go();
  }

  /** Looks whether the next step may be taken. */
  go(): void {
    const step = this.#steps[this.#next];
    if (step === undefined || this.#waiting || !this.#holds(step.when)) return;
    const take = () => {
      this.#waiting = false;
      this.#next++;
      this.perform(step);
      this.go();
    };
    this.#waiting = true;
    // At once means in the same breath: a FIN then travels with the acknowledgement of the other's.
    if (step.after === undefined) take();
    else this.#stage.after(step.after, take);
  }

  #holds(when: Step['when']): boolean {
    if (when === 'start') return true;
    if (when === 'open') return this.#open;
    if (when === 'peer-ended') return this.#ended;
    return this.#received >= when.received;
  }

  perform(deed: Deed): void {
    if (deed.do === 'connect') {
      this.#stage.tell(this.#end, 'connect');
      this.take(this.#stage.connect(this.#end), false);
      return;
    }
    const stream = this.#stream;
    // Only a browser asks for pages.
    if (stream === null || this.#over || deed.do === 'get') return;
    if (deed.do === 'send') {
      const bytes = octets(deed.text);
      if (stream.writable === 0 || bytes.length === 0) return;
      const taken = stream.send(bytes, 0, bytes.length);
      this.#stage.tell(this.#end, 'send', taken === bytes.length ? deed.text : deed.text.slice(0, taken));
    } else if (deed.do === 'shutdown') {
      this.#stage.tell(this.#end, 'shutdown');
      stream.shutdown();
    } else {
      this.#stage.tell(this.#end, 'abort');
      stream.abort();
    }
  }

  setReading(on: boolean): void {
    this.#reading = on;
    this.#read();
  }

  #read(): void {
    const stream = this.#stream;
    if (stream === null || !this.#reading) return;
    if (stream.readable > 0) {
      const bytes = new Uint8Array(stream.readable);
      stream.read(bytes, 0, bytes.length);
      this.#received += bytes.length;
      this.#stage.tell(this.#end, 'read', new TextDecoder().decode(bytes));
    }
    if (stream.ended && !this.#ended) {
      this.#ended = true;
      this.#stage.tell(this.#end, 'ended');
    }
    this.go();
  }
}
