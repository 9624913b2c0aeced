// Arguments in the many forms that Node's functions take, and their checks.

import { badPort, type ErrorSource, outOfRange, wrongType, wrongValue } from './errors.ts';

/** Arguments of `connect` and `listen`, put in order. */
export interface Arguments<O> {
  readonly options: O;
  readonly callback: (() => void) | null;
}

const ORDERED: unique symbol = Symbol('arguments in order');

/** A list whose elements are options and callback: what `_normalizeArgs` gives, and what is taken as it is. */
type Ordered = [options: object, callback: (() => void) | null] & { [ORDERED]?: true };

/** A string that is no number is the path of a local socket. */
export const isPath = (value: unknown): value is string => typeof value === 'string' && !(Number(value) >= 0);

/** `(options)`, `(port, host)` or `(path)`, each with a callback or without, as `_normalizeArgs` of Node returns it. */
export function ordered(args: readonly unknown[]): Ordered {
  const last = args.at(-1);
  const list: Ordered = [givenOptions(args), typeof last === 'function' ? (last as () => void) : null];
  list[ORDERED] = true;
  return list;
}

function givenOptions(args: readonly unknown[]): object {
  const [first, second] = args;
  if (typeof first === 'object' && first !== null) return first;
  if (isPath(first)) return { path: first };
  if (args.length === 0) return {};
  return typeof second === 'string' ? { port: first, host: second } : { port: first };
}

/** While it is alive V8 keeps the shape of such lists, and the code that was made for it. */
const NOTHING: Ordered = ordered([]);

/** The same of arguments that may have been put in order before. */
export function inOrder(args: readonly unknown[]): Ordered {
  if (args.length === 0) return NOTHING;
  const [first] = args;
  return Array.isArray(first) && (first as Ordered)[ORDERED] === true ? (first as Ordered) : ordered(args);
}

/** The same, by name. */
export function argumentsOf<O>(args: readonly unknown[]): Arguments<O> {
  const list = inOrder(args);
  return { options: list[0] as O, callback: list[1] };
}

/** A port, `[0, 65535]`, as a number or as text. Throws ERR_SOCKET_BAD_PORT. */
export function portOf(source: ErrorSource, value: unknown, name: string): number {
  const text = typeof value === 'string' && value.trim() !== '';
  const port = Number(value);
  if ((typeof value !== 'number' && !text) || port !== port >>> 0 || port > 0xffff) throw badPort(source, name, value);
  return port;
}

/** Throws ERR_INVALID_ARG_TYPE for what is no function. */
export function checkCallback(source: ErrorSource, value: unknown, name = 'callback'): void {
  if (typeof value !== 'function') throw wrongType(source, name, ['function'], value);
}

/** Throws ERR_INVALID_ARG_TYPE for what is no number. */
export function checkNumber(source: ErrorSource, value: unknown, name: string): void {
  if (typeof value !== 'number') throw wrongType(source, name, ['number'], value);
}

/** Throws ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE. */
export function checkCount(source: ErrorSource, value: unknown, name: string): void {
  checkNumber(source, value, name);
  if (!Number.isInteger(value)) throw outOfRange(source, name, 'an integer', value);
  if ((value as number) < 1 || (value as number) > 0x7fffffff) {
    throw outOfRange(source, name, '>= 1 && <= 2147483647', value);
  }
}

/** Throws ERR_INVALID_ARG_TYPE for what is no boolean. */
export function checkBoolean(source: ErrorSource, value: unknown, name: string): void {
  if (typeof value !== 'boolean') throw wrongType(source, name, ['boolean'], value);
}

/** Throws ERR_INVALID_ARG_TYPE for what is no AbortSignal. */
export function checkSignal(source: ErrorSource, value: unknown, name: string): asserts value is AbortSignal {
  if (typeof value !== 'object' || value === null || !('aborted' in value)) {
    throw wrongType(source, name, ['AbortSignal'], value);
  }
}

/** The longest delay of a timer, ms. */
const LONGEST = 0x7fffffff;

/** A delay in ms, cut to what timers take. Throws ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE. */
export function duration(source: ErrorSource, value: unknown): number {
  checkNumber(source, value, 'msecs');
  const delay = value as number;
  if (!(delay >= 0 && delay < Number.POSITIVE_INFINITY)) {
    throw outOfRange(source, 'msecs', 'a non-negative finite number', value);
  }
  return Math.min(delay, LONGEST);
}

/** Throws ERR_INVALID_ARG_VALUE for options that name no place. */
export function noPlace(source: ErrorSource, options: unknown): Error {
  return wrongValue(source, 'options', options, 'must have the property "port" or "path"');
}
