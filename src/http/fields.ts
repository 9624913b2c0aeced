// Field lines: the ordered list of a message's header fields, and what is asked of lists inside their values.

import { CLASS, TCHAR, VALUE } from './bytes.ts';

/** An init for a list of fields: pairs in order, or a record whose arrays become several lines. */
export type HeadersInit =
  | HeaderList
  | Iterable<readonly [string, string]>
  | Readonly<Record<string, string | number | readonly string[]>>;

/**
 * The field lines of a message in their order, with their names as they were spelled; looked up without
 * regard to case (RFC 9110 §5.1).
 */
export class HeaderList implements Iterable<[string, string]> {
  /**
   * Name and value of each line, one behind the other. No copy in lower case: few lines are ever looked for, and their
   * length alone rules most of the others out.
   */
  readonly #lines: string[];
  /** Bit n mod 32 is set when there is, or was, a name of n characters: what is not there mostly need not be looked for. */
  #lengths: number;

  /**
   * A list without lines; `HeaderList.from` makes one of what a program has. The parameters are the room's own: names and
   * values in turn, which have been validated and are given away, and the bits of the names' lengths.
   */
  constructor(lines: string[] = [], lengths = 0) {
    this.#lines = lines;
    this.#lengths = lengths;
  }

  /** A new list made of another, of pairs or of a record. Throws `TypeError` on a name or value that could not be sent. */
  static from(init: HeadersInit | null | undefined): HeaderList {
    const list = new HeaderList();
    if (init === null || init === undefined) return list;
    if (Symbol.iterator in init) {
      for (const [name, value] of init as Iterable<readonly [string, string]>) list.append(name, value);
      return list;
    }
    for (const name of Object.keys(init)) {
      const value = init[name]!;
      if (typeof value === 'object') for (const one of value) list.append(name, one);
      else list.append(name, String(value));
    }
    return list;
  }

  /** Number of field lines. */
  get length(): number {
    return this.#lines.length / 2;
  }

  /** Name of line `i` as it was spelled. */
  nameAt(i: number): string {
    return this.#lines[i * 2]!;
  }

  /** Name of line `i` in lower case. */
  keyAt(i: number): string {
    return this.nameAt(i).toLowerCase();
  }

  /** Whether line `i` is called `key`, which is in lower case. */
  isAt(i: number, key: string): boolean {
    const name = this.nameAt(i);
    return name.length === key.length && (name === key || name.toLowerCase() === key);
  }

  /** Value of line `i`, without the white space around it. */
  valueAt(i: number): string {
    return this.#lines[i * 2 + 1]!;
  }

  /** Whether surely no line is called `name`, by its length alone. @internal */
  lacks(name: string): boolean {
    return (this.#lengths & (1 << name.length)) === 0;
  }

  /** Whether `other` has the same lines, spelled the same, in the same order. @internal */
  equals(other: HeaderList): boolean {
    if (this === other) return true;
    const ours = this.#lines;
    const theirs = other.#lines;
    if (ours.length !== theirs.length) return false;
    for (let i = 0; i < ours.length; i++) if (ours[i] !== theirs[i]) return false;
    return true;
  }

  /** A list of its own with the same lines. @internal */
  copy(): HeaderList {
    return new HeaderList(this.#lines.slice(), this.#lengths);
  }

  /** All values of `name` joined with `, ` (RFC 9110 §5.3), or `null` when there is none. */
  get(name: string): string | null {
    if (this.lacks(name)) return null;
    const key = name.toLowerCase();
    let found: string | null = null;
    for (let i = 0; i < this.length; i++) {
      if (this.isAt(i, key)) found = found === null ? this.valueAt(i) : `${found}, ${this.valueAt(i)}`;
    }
    return found;
  }

  /** The values of all lines called `name`, in order; what `Set-Cookie` needs (RFC 9110 §5.3). */
  getAll(name: string): string[] {
    const key = name.toLowerCase();
    const values: string[] = [];
    for (let i = 0; i < this.length; i++) if (this.isAt(i, key)) values.push(this.valueAt(i));
    return values;
  }

  /** Whether a line is called `name`. */
  has(name: string): boolean {
    if (this.lacks(name)) return false;
    const key = name.toLowerCase();
    for (let i = 0; i < this.length; i++) if (this.isAt(i, key)) return true;
    return false;
  }

  /** Adds a line. Throws `TypeError` when the name is no token or the value holds a control or wide character. */
  append(name: string, value: string): void {
    checkName(name);
    checkValue(name, value);
    this.appendParsed(name, value);
  }

  /** Puts one line in the place of all lines called `name`. Throws as `append` does. */
  set(name: string, value: string): void {
    checkName(name);
    checkValue(name, value);
    this.delete(name);
    this.appendParsed(name, value);
  }

  /** Removes every line called `name`. */
  delete(name: string): void {
    if (this.lacks(name)) return;
    const key = name.toLowerCase();
    const lines = this.#lines;
    let kept = 0;
    for (let i = 0; i < this.length; i++) {
      if (this.isAt(i, key)) continue;
      lines[kept++] = this.nameAt(i);
      lines[kept++] = this.valueAt(i);
    }
    lines.length = kept;
  }

  /** Pairs of name, as spelled, and value, in order. */
  *entries(): IterableIterator<[string, string]> {
    for (let i = 0; i < this.length; i++) yield [this.nameAt(i), this.valueAt(i)];
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  /**
   * Adds a line that has been validated.
   *
   * @internal
   */
  appendParsed(name: string, value: string): void {
    this.#lines.push(name, value);
    this.#lengths |= 1 << name.length;
  }
}

/** Throws `TypeError` unless `text` is a token (RFC 9110 §5.6.2). */
export function checkName(text: string): void {
  let good = text.length > 0;
  for (let i = 0; i < text.length && good; i++) {
    const c = text.charCodeAt(i);
    good = c < 128 && (CLASS[c]! & TCHAR) !== 0;
  }
  if (!good) throw new TypeError(`${JSON.stringify(text)} is not a token (RFC 9110 §5.6.2)`);
}

/**
 * Throws `TypeError` when `value` could not be sent as the value of `name`: CR, LF and NUL would let it write
 * lines of its own (RFC 9110 §5.5), and characters above 255 have no octet.
 */
export function checkValue(name: string, value: string): void {
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c > 255 || (CLASS[c]! & VALUE) === 0) {
      throw new TypeError(`the value of ${name} holds a character that HTTP does not allow, at ${i}`);
    }
  }
}

/**
 * Whether a comma-separated list field holds `token`, compared without regard to case (RFC 9110 §5.6.1).
 *
 * @param token in lower case
 */
export function hasToken(fields: HeaderList, key: string, token: string): boolean {
  if (fields.lacks(key)) return false;
  for (let i = 0; i < fields.length; i++) {
    if (!fields.isAt(i, key)) continue;
    const value = fields.valueAt(i);
    if (value.length === token.length) {
      if (value.toLowerCase() === token) return true;
      continue;
    }
    for (const member of value.split(',')) {
      if (trimOws(member).toLowerCase() === token) return true;
    }
  }
  return false;
}

/** Adds `option` to Connection unless it is there (RFC 9110 §7.6.1). */
export function addOption(fields: HeaderList, option: string): void {
  if (hasToken(fields, 'connection', option.toLowerCase())) return;
  const others = fields.get('connection');
  if (others === null) fields.append('Connection', option);
  else fields.set('Connection', `${others}, ${option}`);
}

/** Lists the fields that are for this connection only in Connection, so that nobody passes them on (§7.6.1, §7.8). */
export function listOptions(fields: HeaderList): void {
  if (fields.has('upgrade')) addOption(fields, 'Upgrade');
  if (fields.has('te')) addOption(fields, 'TE');
  if (fields.has('keep-alive')) addOption(fields, 'keep-alive');
}

/** The members of a list field, without empty ones (RFC 9110 §5.6.1.2). */
export function members(fields: HeaderList, name: string): string[] {
  const value = fields.get(name);
  if (value === null) return [];
  return value
    .split(',')
    .map(trimOws)
    .filter((member) => member !== '');
}

/** Fields that frame, route, authenticate or condition a message, or say what its content is. */
const NO_TRAILER: ReadonlySet<string> = new Set(
  `age authorization cache-control connection content-encoding content-length content-range content-type cookie date
  expect expires host if-match if-modified-since if-none-match if-range if-unmodified-since keep-alive location
  max-forwards pragma proxy-authenticate proxy-authorization proxy-connection range retry-after set-cookie te trailer
  transfer-encoding upgrade vary www-authenticate`.split(/\s+/),
);

/** Throws `TypeError` when `fields` holds one that may not come after the content (RFC 9110 §6.5.1). */
export function checkTrailers(fields: HeaderList): void {
  for (let i = 0; i < fields.length; i++) {
    if (NO_TRAILER.has(fields.keyAt(i)))
      throw new TypeError(`${fields.nameAt(i)} cannot be a trailer (RFC 9110 §6.5.1)`);
  }
}

/** `text` without the spaces and tabs around it (OWS, RFC 9110 §5.6.3); other white space is content. */
export function trimOws(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isOws(text.charCodeAt(from))) from++;
  while (to > from && isOws(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isOws(c: number): boolean {
  return c === 32 || c === 9;
}
