// A message that goes out, in Node's shape: its fields, and content that waits until the connection takes it.

import { type CodedError, coded, wrongType } from './errors.ts';
import { joined } from './http-incoming.ts';
import { checkFieldName, checkFieldValue, type FieldValue, headSent } from './http-names.ts';
import { type Duplex, platform, Writable } from './node-platform.ts';

/** Where a message goes once there is a connection for it. */
export interface Sink {
  /** Takes as much as there is room for; when that is not all, `_drained` is called later. */
  write(bytes: Uint8Array, from: number, to: number): number;
  /** The content is complete. */
  end(trailers: [string, string][] | null): void;
}

/** What `writeHead` and `addTrailers` take: a record, pairs, or names and values by turns. */
export type FieldsInit = Readonly<Record<string, FieldValue | undefined>> | readonly unknown[];

type Callback = (error?: Error | null) => void;

/** An outgoing message. */
export class OutgoingMessage extends Writable {
  declare socket: Duplex | null;
  /** The head as text, once it is decided; `null` before. */
  declare _header: string | null;
  declare sendDate: boolean;
  declare shouldKeepAlive: boolean;
  declare useChunkedEncodingByDefault: boolean;
  declare strictContentLength: boolean;
  /** By name in lower case: the name as it was given, and its value. */
  declare _fields: Map<string, [name: string, value: FieldValue]>;
  declare _sink: Sink | null;
  /** Writes and ends that wait for a connection or for room. */
  declare _waiting: (() => void) | null;
  declare _trailerFields: [string, string][] | null;
  /** Octets of the whole content when it was given to `end` at once; -1 otherwise. */
  declare _known: number;

  get connection(): Duplex | null {
    return this.socket;
  }
  set connection(socket: Duplex | null) {
    this.socket = socket;
  }

  get headersSent(): boolean {
    return this._header !== null;
  }

  /** Whether `end` was called. */
  get finished(): boolean {
    return this.writableEnded;
  }

  // --- fields ---

  setHeader(name: string, value: FieldValue): this {
    if (this._header !== null) throw headSent('set');
    checkFieldName(name);
    checkFieldValue(name, value);
    this._fields.set(name.toLowerCase(), [name, value]);
    return this;
  }

  /** All of a `Headers` or a `Map`. */
  setHeaders(headers: Iterable<readonly [string, FieldValue]>): this {
    if (this._header !== null) throw headSent('set');
    const given: unknown = headers;
    if (typeof given !== 'object' || given === null || !('get' in given) || !(Symbol.iterator in given)) {
      throw wrongType(platform, 'headers', ['Headers', 'Map'], given);
    }
    // `Headers` gives each cookie by itself.
    const cookies: string[] = [];
    for (const [name, value] of headers) {
      if (name.toLowerCase() !== 'set-cookie') this.setHeader(name, value);
      else cookies.push(...(Array.isArray(value) ? value : [value]));
    }
    if (cookies.length > 0) this.setHeader('set-cookie', cookies);
    return this;
  }

  appendHeader(name: string, value: string | readonly string[]): this {
    if (this._header !== null) throw headSent('append');
    checkFieldName(name);
    checkFieldValue(name, value);
    const before = this._fields.get(name.toLowerCase());
    if (before === undefined) return this.setHeader(name, value);
    before[1] = [before[1], value].flat() as string[];
    return this;
  }

  getHeader(name: string): FieldValue | undefined {
    if (typeof name !== 'string') throw wrongType(platform, 'name', ['string'], name);
    return this._fields.get(name.toLowerCase())?.[1];
  }

  hasHeader(name: string): boolean {
    if (typeof name !== 'string') throw wrongType(platform, 'name', ['string'], name);
    return this._fields.has(name.toLowerCase());
  }

  removeHeader(name: string): void {
    if (typeof name !== 'string') throw wrongType(platform, 'name', ['string'], name);
    if (this._header !== null) throw headSent('remove');
    this._fields.delete(name.toLowerCase());
  }

  getHeaderNames(): string[] {
    return [...this._fields.keys()];
  }

  getRawHeaderNames(): string[] {
    return [...this._fields.values()].map(([name]) => name);
  }

  getHeaders(): Record<string, FieldValue> {
    const all: Record<string, FieldValue> = Object.create(null);
    for (const [key, [, value]] of this._fields) all[key] = value;
    return all;
  }

  /** Fields behind the content (RFC 9110 §6.5); they need chunks. */
  addTrailers(trailers: FieldsInit): void {
    this._trailerFields = pairsOf(trailers).map(([name, value]) => {
      checkFieldName(name, 'Trailer name');
      checkFieldValue(name, value);
      return [name, String(value)];
    });
  }

  // --- content ---

  override write(...args: unknown[]): boolean {
    if (this._header === null && !this.writableEnded && !this.destroyed) this._implicitHeader();
    return Reflect.apply(Writable.prototype.write, this, args) as boolean;
  }

  override end(...args: unknown[]): this {
    if (this._header === null && !this.writableEnded && !this.destroyed) {
      const [chunk, encoding] = args;
      const none = chunk === undefined || chunk === null || typeof chunk === 'function';
      if (none) this._known = 0;
      else if (typeof chunk === 'string') {
        this._known = platform.encode(chunk, typeof encoding === 'string' ? encoding : 'utf8').length;
      } else if (chunk instanceof Uint8Array) this._known = chunk.length;
      this._implicitHeader();
    }
    return Reflect.apply(Writable.prototype.end, this, args) as this;
  }

  override _write(chunk: Uint8Array, _encoding: string, callback: Callback): void {
    this._offer(chunk, 0, callback);
  }

  override _final(callback: Callback): void {
    const sink = this._sink;
    if (sink === null) {
      this._waiting = () => this._final(callback);
      return;
    }
    callback(attempt(() => sink.end(this._trailerFields)));
  }

  _offer(octets: Uint8Array, from: number, callback: Callback): void {
    const sink = this._sink;
    let at = from;
    if (sink !== null) {
      const error = attempt(() => {
        at += sink.write(octets, from, octets.length);
      });
      if (error !== null || at === octets.length) {
        callback(error);
        return;
      }
    }
    this._waiting = () => this._offer(octets, at, callback);
  }

  /** @internal There is a connection, or room again. */
  _drained(): void {
    const waiting = this._waiting;
    this._waiting = null;
    waiting?.();
  }

  /** Decides the head, from what the program has said so far. */
  _implicitHeader(): void {
    throw coded(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'The _implicitHeader() method is not implemented');
  }

  /** Sends the head before there is content. */
  flushHeaders(): void {
    if (this._header === null) this._implicitHeader();
  }

  setTimeout(timeout: number, callback?: () => void): this {
    if (callback !== undefined) this.on('timeout', callback);
    const set = (socket: { setTimeout?(timeout: number): void } | null): void => socket?.setTimeout?.(timeout);
    if (this.socket === null) this.once('socket', set);
    else set(this.socket as { setTimeout?(timeout: number): void });
    return this;
  }
}

/** Everything of a constructor that follows the stream's own. */
export function initialiseOutgoing(message: OutgoingMessage): void {
  message.socket = null;
  message._header = null;
  message.sendDate = false;
  message.shouldKeepAlive = true;
  message.useChunkedEncodingByDefault = true;
  message.strictContentLength = false;
  message._fields = new Map();
  message._sink = null;
  message._waiting = null;
  message._trailerFields = null;
  message._known = -1;
}

/** The fields of a message as lines. */
export function linesOf(message: OutgoingMessage): [string, string][] {
  const lines: [string, string][] = [];
  for (const [name, value] of message._fields.values()) {
    if (typeof value === 'object') for (const one of value) lines.push([name, String(one)]);
    else lines.push([name, String(value)]);
  }
  return lines;
}

/** Pairs of what `writeHead`, `request` and `addTrailers` take. */
export function pairsOf(fields: FieldsInit): [string, FieldValue][] {
  if (!Array.isArray(fields)) return Object.entries(fields) as [string, FieldValue][];
  if (fields.every((pair) => Array.isArray(pair))) return fields as [string, FieldValue][];
  if (fields.length % 2 !== 0) {
    throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', "The argument 'headers' is invalid: a name lacks its value");
  }
  return Array.from(
    { length: fields.length / 2 },
    (_, i) => [fields[2 * i], fields[2 * i + 1]] as [string, FieldValue],
  );
}

/** The first value of a field of `lines` by its name in lower case. */
export function fieldOf(lines: readonly (readonly [string, string])[], key: string): string | undefined {
  const value = joined(lines.flat())[key];
  return Array.isArray(value) ? value[0] : value;
}

/** What `run` throws, or `null`. */
function attempt(run: () => void): Error | null {
  try {
    run();
    return null;
  } catch (error) {
    return error as CodedError;
  }
}
