// Reads a socket call of a script: its name, its arguments, what it returns and which error.

import type { Cursor } from './cursor.ts';
import type { CallSpec, Expression, Field } from './script.ts';

const NUMBER = /-?(?:0x[0-9a-fA-F]+|\d+)(?![.\w])/y;
const TEXT = /"((?:\\.|[^"\\])*)"/y;
/** The note behind an error: `-1 EAGAIN (Resource temporarily unavailable)`; it is not compared with anything. */
const NOTE = /\([A-Za-z_ |/,.'-]*\)/y;
const ERROR = /E[A-Z0-9]+\b/y;

/** Reads a call; its name comes next. `end` is when it returns, -1 for one that does not wait. */
export function parseCall(c: Cursor, end: number): CallSpec {
  const place = c.place();
  const name = c.word('a call');
  c.needs('(');
  const args: Expression[] = [];
  if (!c.takes(')')) {
    do args.push(parseExpression(c));
    while (c.takes(','));
    c.needs(')');
  }
  if (!c.takes('=')) c.expected("'=' and what the call returns");
  const result = parseExpression(c);
  const error = c.match(ERROR)?.[0] ?? '';
  c.match(NOTE);
  return { name, args, end, result, error, place };
}

/** Reads a value. */
function parseExpression(c: Cursor): Expression {
  const place = c.place();
  const first = parsePrimary(c);
  if (!c.sees('|')) return first;
  const parts = [first];
  while (c.takes('|')) parts.push(parsePrimary(c));
  return { kind: 'or', place, parts };
}

function parsePrimary(c: Cursor): Expression {
  const place = c.place();
  if (c.takes('...')) return { kind: 'any', place };
  if (c.takes('[')) return { kind: 'array', place, items: parseItems(c, ']') };
  if (c.takes('{')) return { kind: 'struct', place, fields: parseFields(c) };
  const value = c.number(NUMBER);
  if (value !== null) return { kind: 'number', place, value };
  const text = c.match(TEXT);
  if (text !== null) {
    // Texts that follow one another are one, and `"x"...` is a text that goes on as it likes.
    let value = unescaped(text[1] ?? '');
    for (let next = c.match(TEXT); next !== null; next = c.match(TEXT)) value += unescaped(next[1] ?? '');
    c.takes('...');
    return { kind: 'text', place, value };
  }
  const name = c.word('a value');
  if (!c.takes('(')) return { kind: 'name', place, name };
  return { kind: 'call', place, name, args: parseItems(c, ')') };
}

function parseItems(c: Cursor, close: string): Expression[] {
  const items: Expression[] = [];
  if (c.takes(close)) return items;
  do items.push(parseExpression(c));
  while (c.takes(','));
  c.needs(close);
  return items;
}

function parseFields(c: Cursor): Field[] {
  const fields: Field[] = [];
  if (c.takes('}')) return fields;
  do {
    const value = parseExpression(c);
    // `name = value`; `name(count) = value` says how many there are, which can be seen anyway.
    const named = (value.kind === 'name' || value.kind === 'call') && c.takes('=');
    fields.push(named ? { name: value.name, value: parseExpression(c) } : { name: '', value });
  } while (c.takes(','));
  c.needs('}');
  return fields;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0' };

function unescaped(text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{2}|.)/g, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : (ESCAPES[code] ?? code),
  );
}
