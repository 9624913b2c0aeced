// Where a script is being read: what comes next, and on which line and column it stands.

/** A place in a script; both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A script, or a part of one, that cannot be read or cannot be run as it is written. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError';
  readonly place: Place;

  constructor(message: string, place: Place) {
    super(message);
    this.place = place;
  }
}

/** An assertion of a script that can be read and does not hold. */
export class AssertionError extends ScriptError {}

/** Blanks and the comments of C and C++. */
const BLANK = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
/** Blanks alone, for a language in which `//` divides. */
const SPACE = /\s+/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const INTEGER = /-?(?:0x[0-9a-fA-F]+|\d+)/y;

/** Reads a text from its beginning to its end. Everything but `rest` skips blanks and comments first. */
export class Cursor {
  readonly text: string;
  at = 0;
  /** Offsets at which lines begin. */
  readonly #lines: number[] = [0];
  readonly #line0: number;

  readonly #blank: RegExp;

  /**
   * @param line the number of the text's first line, where it is a part of a larger one
   * @param comments whether it may have comments
   */
  constructor(text: string, line = 1, comments = true) {
    this.text = text;
    this.#blank = comments ? BLANK : SPACE;
    this.#line0 = line;
    for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) this.#lines.push(i + 1);
  }

  /** The place of an offset; of the next word when none is given. */
  place(at: number = this.#skip()): Place {
    let low = 0;
    let high = this.#lines.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lines[middle] ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    return { line: low + this.#line0, column: at - (this.#lines[low] ?? 0) + 1 };
  }

  /** Stops with what was expected here. */
  fail(message: string, at: number = this.#skip()): never {
    throw new ScriptError(message, this.place(at));
  }

  /** Stops with what was expected and what there is. */
  expected(what: string): never {
    const at = this.#skip();
    const found = /\S{1,24}/y;
    found.lastIndex = at;
    const word = found.exec(this.text)?.[0];
    return this.fail(`expected ${what}, found ${word === undefined ? 'the end' : `'${word}'`}`, at);
  }

  get ended(): boolean {
    return this.#skip() >= this.text.length;
  }

  /** The offset of the next word. */
  get next(): number {
    return this.#skip();
  }

  /** Whether `token` comes next; it stays there. */
  sees(token: string): boolean {
    return this.text.startsWith(token, this.#skip());
  }

  /** Takes `token` if it comes next. */
  takes(token: string): boolean {
    if (!this.sees(token)) return false;
    this.at += token.length;
    return true;
  }

  /** Takes `token`, or stops. */
  needs(token: string): void {
    if (!this.takes(token)) this.expected(`'${token}'`);
  }

  /** Takes what a sticky expression matches here, or gives `null`. */
  match(sticky: RegExp): RegExpExecArray | null {
    sticky.lastIndex = this.#skip();
    const found = sticky.exec(this.text);
    if (found !== null) this.at += found[0].length;
    return found;
  }

  /** The next word (letters, digits, underscores), which stays there; empty when there is none. */
  peekWord(): string {
    WORD.lastIndex = this.#skip();
    return WORD.exec(this.text)?.[0] ?? '';
  }

  /** Takes the next word. */
  word(what: string): string {
    return this.match(WORD)?.[0] ?? this.expected(what);
  }

  /** Takes `word` if it comes next as a whole word. */
  takesWord(word: string): boolean {
    if (this.peekWord() !== word) return false;
    this.at += word.length;
    return true;
  }

  /** Takes a whole number, decimal or hexadecimal. */
  integer(what: string): number {
    return this.number(INTEGER) ?? this.expected(what);
  }

  /** Takes what a sticky expression matches as a whole number, or gives `null`. */
  number(sticky: RegExp): number | null {
    const text = this.match(sticky)?.[0];
    if (text === undefined) return null;
    const value = text.startsWith('-') ? -Number(text.slice(1)) : Number(text);
    return Number.isSafeInteger(value) ? value : this.fail(`${text} is too large`, this.at - text.length);
  }

  /** Takes everything up to `end`, which is taken too. Blanks count. */
  until(end: string, what: string): string {
    const from = this.at;
    const to = this.text.indexOf(end, from);
    if (to < 0) this.fail(`${what} has no '${end}' at its end`, from);
    this.at = to + end.length;
    return this.text.slice(from, to);
  }

  #skip(): number {
    this.#blank.lastIndex = this.at;
    const found = this.#blank.exec(this.text);
    if (found !== null) this.at += found[0].length;
    return this.at;
  }
}
