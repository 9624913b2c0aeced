// The errors of Node's shape: what `node:net` throws and emits, by code, with the words Node uses.

/** What the errors need of the platform. */
export interface ErrorSource {
  /** By error code: the platform's number (negative, as Node gives it) and its description. */
  readonly systemErrors: ReadonlyMap<string, { readonly errno: number; readonly text: string }>;
  /** One line of text for any value. */
  inspect(value: unknown): string;
}

/** An error of a system call, as Node's carry it. */
export interface SystemError extends Error {
  code: string;
  errno: number;
  syscall: string;
  address?: string;
  port?: number;
  localAddress?: string;
  localPort?: number;
}

/** Any error with a code. */
export interface CodedError extends Error {
  code: string;
}

type ErrorConstructorLike = new (message: string) => Error;

/** An error with `code`, printed as `TypeError [CODE]: message`. */
export function coded(Base: ErrorConstructorLike, code: string, message: string): CodedError {
  const error = new Base(message) as CodedError;
  error.code = code;
  // Node shows the code in the stack and in `toString()`, and keeps it out of `name`.
  const shown = `${error.name} [${code}]`;
  if (typeof error.stack === 'string') error.stack = error.stack.replace(error.name, () => shown);
  Object.defineProperty(error, 'toString', {
    value: () => `${shown}: ${message}`,
    enumerable: false,
    writable: true,
    configurable: true,
  });
  return error;
}

/** The number of a code on this platform; -1 for a code that it does not know. */
function errnoOf(source: ErrorSource, code: string): number {
  return source.systemErrors.get(code)?.errno ?? -1;
}

/** The code of a (negative) error number. */
export function codeOf(source: ErrorSource, errno: number): string {
  for (const [code, entry] of source.systemErrors) if (entry.errno === errno) return code;
  return `Unknown system error ${errno}`;
}

function system(source: ErrorSource, code: string, syscall: string, message: string): SystemError {
  const error = new Error(message) as SystemError;
  error.errno = errnoOf(source, code);
  error.code = code;
  error.syscall = syscall;
  return error;
}

/** `read ECONNRESET` and the like: a call on an open socket failed. */
export function callFailed(source: ErrorSource, code: string, syscall: string): SystemError {
  return system(source, code, syscall, `${syscall} ${code}`);
}

/** `connect ECONNREFUSED 127.0.0.1:80`, with what `extra` adds. */
export function peerFailed(
  source: ErrorSource,
  code: string,
  syscall: string,
  address: string,
  port: number | undefined,
  extra = '',
): SystemError {
  const where = port !== undefined && port > 0 ? `${address}:${port}` : address;
  const tail = extra === '' ? '' : ` - Local (${extra})`;
  return withPlace(system(source, code, syscall, `${syscall} ${code} ${where}${tail}`), address, port);
}

/** `listen EADDRINUSE: address already in use 127.0.0.1:80`. */
export function listenFailed(source: ErrorSource, code: string, address: string, port: number): SystemError {
  const text = source.systemErrors.get(code)?.text ?? 'unknown error';
  const where = port > 0 ? `${address}:${port}` : address;
  return withPlace(system(source, code, 'listen', `listen ${code}: ${text} ${where}`), address, port);
}

function withPlace(error: SystemError, address: string, port: number | undefined): SystemError {
  error.address = address;
  if (port !== undefined && port > 0) error.port = port;
  return error;
}

/** A value as messages name it: `Received type number (3)`. */
function received(source: ErrorSource, value: unknown): string {
  if (value === null || value === undefined) return `${value}`;
  if (typeof value === 'function') return value.name === '' ? 'function ' : `function ${value.name}`;
  if (typeof value === 'object') {
    const name = value.constructor?.name;
    return name ? `an instance of ${name}` : source.inspect(value);
  }
  const text = source.inspect(value);
  return `type ${typeof value} (${text.length > 28 ? `${text.slice(0, 25)}...` : text})`;
}

const listed = (words: readonly string[], word: 'or' | 'and'): string =>
  words.length < 3 ? words.join(` ${word} `) : `${words.slice(0, -1).join(', ')}, ${word} ${words.at(-1)}`;

const subject = (name: string): string => `${name.includes('.') ? 'property' : 'argument'}`;

/** ERR_INVALID_ARG_TYPE. Kinds in lower case are types, others are classes. */
export function wrongType(source: ErrorSource, name: string, kinds: readonly string[], value: unknown): CodedError {
  const types = kinds.filter((kind) => /^[a-z]/.test(kind));
  const classes = kinds.filter((kind) => /^[A-Z]/.test(kind));
  const parts: string[] = [];
  if (types.length > 0) parts.push(`${types.length > 1 ? 'one of type' : 'of type'} ${listed(types, 'or')}`);
  if (classes.length > 0) parts.push(`an instance of ${listed(classes, 'or')}`);
  const message = `The "${name}" ${subject(name)} must be ${parts.join(' or ')}. Received ${received(source, value)}`;
  return coded(TypeError, 'ERR_INVALID_ARG_TYPE', message);
}

/** ERR_INVALID_ARG_VALUE. */
export function wrongValue(source: ErrorSource, name: string, value: unknown, reason = 'is invalid'): CodedError {
  const message = `The ${subject(name)} '${name}' ${reason}. Received ${source.inspect(value)}`;
  return coded(TypeError, 'ERR_INVALID_ARG_VALUE', message);
}

/** ERR_OUT_OF_RANGE. */
export function outOfRange(source: ErrorSource, name: string, range: string, value: unknown): CodedError {
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${source.inspect(value)}`;
  return coded(RangeError, 'ERR_OUT_OF_RANGE', message);
}

/** ERR_SOCKET_BAD_PORT. */
export function badPort(source: ErrorSource, name: string, value: unknown): CodedError {
  const message = `${name} should be >= 0 and < 65536. Received ${received(source, value)}.`;
  return coded(RangeError, 'ERR_SOCKET_BAD_PORT', message);
}

/** ERR_INVALID_IP_ADDRESS. */
export function badAddress(text: unknown): CodedError {
  return coded(TypeError, 'ERR_INVALID_IP_ADDRESS', `Invalid IP address: ${text}`);
}

/** ERR_INVALID_ADDRESS_FAMILY, with the name and the port that were asked for. */
export function badFamily(family: unknown, host: string, port: unknown): CodedError {
  const message = `Invalid address family: ${family} ${host}:${port}`;
  return Object.assign(coded(RangeError, 'ERR_INVALID_ADDRESS_FAMILY', message), { host, port });
}

/** ERR_MISSING_ARGS of `connect` and `listen`. */
export function nothingGiven(): CodedError {
  return coded(TypeError, 'ERR_MISSING_ARGS', 'The "options" or "port" or "path" argument must be specified');
}

/** Several attempts failed, each with its own error. */
export function allFailed(errors: readonly SystemError[]): CodedError {
  return Object.assign(new AggregateError(errors), { code: errors[0]?.code ?? '' }) as unknown as CodedError;
}

/** ERR_SOCKET_CLOSED. */
export const socketClosed = (): CodedError => coded(Error, 'ERR_SOCKET_CLOSED', 'Socket is closed');

/** ERR_SOCKET_CLOSED_BEFORE_CONNECTION: what was written before has gone nowhere. */
export const closedTooEarly = (): CodedError =>
  coded(Error, 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION', 'Socket closed before the connection was established');

/** ERR_SOCKET_CONNECTION_TIMEOUT: no address answered in its time. */
export const noneAnswered = (): CodedError =>
  coded(Error, 'ERR_SOCKET_CONNECTION_TIMEOUT', 'Socket connection timeout');

/** ERR_SERVER_NOT_RUNNING. */
export const notRunning = (): CodedError => coded(Error, 'ERR_SERVER_NOT_RUNNING', 'Server is not running.');

/** ERR_SERVER_ALREADY_LISTEN. */
export const alreadyListening = (): CodedError =>
  coded(Error, 'ERR_SERVER_ALREADY_LISTEN', 'Listen method has been called more than once without closing.');

/** EPIPE of a write to a socket whose peer has ended, where half-open sockets were not asked for. */
export function peerEnded(): CodedError {
  return Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' });
}
