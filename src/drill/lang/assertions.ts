// The small language of `%{ }%`: assertions about what TCP_INFO tells, with variables that last through the script.
//
// It looks like Python because scripts do, and it is no more than this: `assert E`, `assert E, WHAT`, `print(E, ...)`,
// `name = E` and `name += E` (`-=`, `*=`), one to a line or divided by `;`. An E has numbers, texts, names, parentheses,
// `or and not`, comparisons (which may be chained), `+ - * / // %` and `abs`, `min`, `max`. `'cwnd=%d' % E` fills in.

import { AssertionError, Cursor, type Place, ScriptError } from './cursor.ts';

/** A number, a text, or what a comparison gives. */
export type Value = number | string | boolean;

/** What a block of assertions is run with. */
export interface Scope {
  /** Variables of the script, which a block may set. */
  readonly variables: Map<string, Value>;
  /** The value of a name that is no variable; `undefined` when there is none. */
  lookup(name: string): Value | undefined;
  /** Takes what `print` says. */
  print(text: string): void;
}

const NUMBER = /(?:0x[0-9a-fA-F]+|\d+\.\d*|\.\d+|\d+)/y;
const TEXT = /'([^'\n]*)'|"([^"\n]*)"/y;
const COMPARISON = /==|!=|<=|>=|<|>/y;
const CONTINUED = /\\\s*$/;
const ASSIGNMENT = /(\+|-|\*)?=(?!=)/y;

/**
 * Runs a block.
 *
 * @param place of the block's first character
 * @throws {AssertionError} where an assertion does not hold
 * @throws {ScriptError} where the block cannot be read
 */
export function runAssertions(text: string, place: Place, scope: Scope): void {
  // Comments of this language begin with #; blanked, so that columns stay.
  const plain = text.replace(/#[^\n]*/g, (comment) => ' '.repeat(comment.length));
  const lines = plain.split('\n');
  let from = 0;
  for (const [i, line] of lines.entries()) {
    // A backslash at its end: the statement goes on in the next line.
    if (CONTINUED.test(line) && i + 1 < lines.length) continue;
    const statement = lines.slice(from, i + 1).map((part) => part.replace(CONTINUED, ' '));
    const indent = from === 0 ? place.column - 1 : 0;
    new Block(new Cursor(' '.repeat(indent) + statement.join('\n'), place.line + from, false), scope).run();
    from = i + 1;
  }
}

class Block {
  readonly #c: Cursor;
  readonly #scope: Scope;

  constructor(cursor: Cursor, scope: Scope) {
    this.#c = cursor;
    this.#scope = scope;
  }

  run(): void {
    const c = this.#c;
    while (!c.ended) {
      if (c.takes(';')) continue;
      this.#statement();
      if (!c.ended && !c.sees(';')) c.expected("';' or the end of the line");
    }
  }

  #statement(): void {
    const c = this.#c;
    const place = c.place();
    const from = c.at;
    if (c.takesWord('assert')) {
      const held = truth(this.#either());
      const condition = c.text.slice(from, c.at).trim();
      const what = c.takes(',') ? ` (${shown(this.#either())})` : '';
      if (!held) throw new AssertionError(`does not hold: ${condition}${what}`, place);
      return;
    }
    if (c.takesWord('print')) {
      c.needs('(');
      const words: string[] = [];
      if (!c.takes(')')) {
        do words.push(shown(this.#either()));
        while (c.takes(','));
        c.needs(')');
      }
      this.#scope.print(words.join(' '));
      return;
    }
    const name = c.word("'assert', 'print' or a name to set");
    const sign = c.match(ASSIGNMENT) ?? c.expected("'=' behind the name");
    const value = this.#either();
    const { variables } = this.#scope;
    variables.set(name, sign[1] === undefined ? value : apply(c, sign[1], this.#named(name, place), value));
  }

  #either(): Value {
    let value = this.#both();
    while (this.#c.takesWord('or')) {
      const other = this.#both();
      value = truth(value) ? value : other;
    }
    return value;
  }

  #both(): Value {
    let value = this.#not();
    while (this.#c.takesWord('and')) {
      const other = this.#not();
      value = truth(value) ? other : value;
    }
    return value;
  }

  #not(): Value {
    return this.#c.takesWord('not') ? !truth(this.#not()) : this.#comparison();
  }

  #comparison(): Value {
    const c = this.#c;
    let left = this.#sum();
    let sign = c.match(COMPARISON)?.[0];
    if (sign === undefined) return left;
    let held = true;
    for (; sign !== undefined; sign = c.match(COMPARISON)?.[0]) {
      const right = this.#sum();
      held &&= compares(left, sign, right);
      left = right;
    }
    return held;
  }

  #sum(): Value {
    const c = this.#c;
    let value = this.#product();
    for (;;) {
      if (c.takes('+')) value = apply(c, '+', value, this.#product());
      else if (c.takes('-')) value = apply(c, '-', value, this.#product());
      else return value;
    }
  }

  #product(): Value {
    const c = this.#c;
    let value = this.#sign();
    for (;;) {
      if (c.takes('//')) value = apply(c, '//', value, this.#sign());
      else if (c.takes('*')) value = apply(c, '*', value, this.#sign());
      else if (c.takes('/')) value = apply(c, '/', value, this.#sign());
      else if (c.takes('%')) value = apply(c, '%', value, this.#sign());
      else return value;
    }
  }

  #sign(): Value {
    const c = this.#c;
    if (c.takes('-')) return apply(c, '-', 0, this.#sign());
    return c.takes('+') ? this.#sign() : this.#atom();
  }

  #atom(): Value {
    const c = this.#c;
    if (c.takes('(')) {
      const value = this.#either();
      c.needs(')');
      return value;
    }
    const number = c.match(NUMBER)?.[0];
    if (number !== undefined) return Number(number);
    const text = c.match(TEXT);
    if (text !== null) return text[1] ?? text[2] ?? '';
    const place = c.place();
    const name = c.word('a number, a text or a name');
    return c.takes('(') ? this.#function(name, place) : this.#named(name, place);
  }

  #function(name: string, place: Place): Value {
    const c = this.#c;
    const args: number[] = [];
    do {
      const value = this.#either();
      if (typeof value !== 'number') return c.fail(`${name} takes numbers`);
      args.push(value);
    } while (c.takes(','));
    c.needs(')');
    if (name === 'abs' && args.length === 1) return Math.abs(args[0] ?? 0);
    if (name === 'min') return Math.min(...args);
    if (name === 'max') return Math.max(...args);
    throw new ScriptError(`there is no function '${name}' (abs, min, max)`, place);
  }

  #named(name: string, place: Place): Value {
    if (name === 'True' || name === 'False') return name === 'True';
    const value = this.#scope.variables.get(name) ?? this.#scope.lookup(name);
    if (value === undefined) throw new ScriptError(`nothing has the name '${name}'`, place);
    return value;
  }
}

function truth(value: Value): boolean {
  return value !== 0 && value !== '' && value !== false;
}

function shown(value: Value): string {
  return typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value);
}

function compares(left: Value, sign: string, right: Value): boolean {
  const [a, b] = [typeof left === 'boolean' ? Number(left) : left, typeof right === 'boolean' ? Number(right) : right];
  if (sign === '==') return a === b;
  if (sign === '!=') return a !== b;
  if (sign === '<') return a < b;
  if (sign === '>') return a > b;
  return sign === '<=' ? a <= b : a >= b;
}

function apply(c: Cursor, sign: string, left: Value, right: Value): Value {
  if (sign === '%' && typeof left === 'string') return left.replace(/%[a-z]/, shown(right));
  if (sign === '+' && typeof left === 'string' && typeof right === 'string') return left + right;
  if (typeof left === 'string' || typeof right === 'string') c.fail(`'${sign}' needs numbers`);
  const [a, b] = [Number(left), Number(right)];
  if (sign === '+') return a + b;
  if (sign === '-') return a - b;
  if (sign === '*') return a * b;
  if (b === 0) c.fail('division by zero');
  if (sign === '/') return a / b;
  return sign === '//' ? Math.floor(a / b) : a - Math.floor(a / b) * b;
}
