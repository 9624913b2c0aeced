// Arguments of calls as numbers and octets.

import { parseAddress } from '../../wire/address.ts';
import { AF_INET, AF_INET6 } from '../errno.ts';
import { int32, view } from '../frames.ts';
import { constant } from './constants.ts';
import { ScriptError } from './cursor.ts';
import type { Expression } from './script.ts';

/** The number an expression stands for. Throws `ScriptError` for what is none. */
export function numberOf(
  e: Expression | undefined,
  what: string,
  call: { readonly place: Expression['place'] },
): number {
  if (e === undefined) throw new ScriptError(`${what} is missing`, call.place);
  switch (e.kind) {
    case 'number':
      return e.value;
    case 'name': {
      const value = constant(e.name);
      if (value === undefined) throw new ScriptError(`nothing has the name '${e.name}'`, e.place);
      return value;
    }
    case 'or': {
      // Bits above the 31st are added, not or-ed: JavaScript's or would make them negative.
      const values = [...new Set(e.parts.map((part) => numberOf(part, what, call)))];
      const high = values.some((value) => value >= 0x8000_0000);
      return high ? values.reduce((sum, value) => sum + value, 0) : values.reduce((bits, value) => bits | value, 0);
    }
    case 'call':
      if (e.name === 'htons' || e.name === 'htonl') return numberOf(e.args[0], what, e);
      throw new ScriptError(`there is no function '${e.name}' here`, e.place);
    default:
      throw new ScriptError(`${what} is not a number`, e.place);
  }
}

/** The same, with a value for `...`. */
export function numberOr(e: Expression | undefined, otherwise: number, what: string, call: Expression): number {
  return e === undefined || e.kind === 'any' ? otherwise : numberOf(e, what, call);
}

/** A field of a structure, or `undefined`. */
export function field(e: Expression, name: string): Expression | undefined {
  return e.kind === 'struct' ? e.fields.find((f) => f.name === name)?.value : undefined;
}

/** Octets of a text; characters beyond ASCII keep their low eight bits. */
export function textOctets(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** Which address a call without one means, and where it is bound or connected to. */
export interface AddressDefault {
  readonly v6: boolean;
  /** As words. */
  readonly address: Int32Array;
  readonly port: number;
}

/** An address as requests carry it: 20 octets. `...` is the default one. */
export function addressOctets(e: Expression | undefined, otherwise: AddressDefault): Uint8Array {
  const out = new Uint8Array(20);
  const v = view(out);
  let { v6, port } = otherwise;
  let words = otherwise.address;
  if (e !== undefined && e.kind !== 'any') {
    const family = numberOf(field(e, 'sa_family'), 'sa_family', e);
    if (family !== AF_INET && family !== AF_INET6) {
      v.setUint16(0, family, true);
      return out;
    }
    v6 = family === AF_INET6;
    port = numberOf(field(e, 'sin_port') ?? field(e, 'sin6_port'), 'sin_port', e);
    const address = field(e, 'sin_addr') ?? field(e, 'sin6_addr');
    words = address === undefined || address.kind === 'any' ? words : addressWords(address);
  }
  v.setUint16(0, v6 ? AF_INET6 : AF_INET, true);
  v.setUint16(2, port, true);
  if (v6) for (const [i, word] of words.entries()) v.setInt32(4 + 4 * i, word, false);
  else v.setInt32(4, words[3] ?? 0, false);
  return out;
}

function addressWords(e: Expression): Int32Array {
  const text = e.kind === 'call' && (e.name === 'inet_addr' || e.name === 'inet6_addr') ? e.args[0] : e;
  const address = text?.kind === 'text' ? parseAddress(text.value) : null;
  if (address === null) throw new ScriptError('expected inet_addr("1.2.3.4")', e.place);
  return Int32Array.of(address.w0, address.w1, address.w2, address.w3);
}

/** The value of a socket option: a number, a text, `[N]`, or a structure of Linux. */
export function optionOctets(e: Expression): Uint8Array {
  switch (e.kind) {
    case 'text':
      return textOctets(e.value);
    case 'array':
      return e.items.length === 1 && e.items[0] !== undefined && e.items[0].kind === 'struct'
        ? optionOctets(e.items[0])
        : joined(e.items.map((item) => int32(numberOf(item, 'the value', e))));
    case 'struct': {
      const seconds = field(e, 'tv_sec');
      if (seconds === undefined) return joined(e.fields.map((f) => int32(numberOf(f.value, f.name, e))));
      const out = new Uint8Array(16);
      view(out).setBigInt64(0, BigInt(numberOf(seconds, 'tv_sec', e)), true);
      view(out).setBigInt64(8, BigInt(numberOf(field(e, 'tv_usec'), 'tv_usec', e)), true);
      return out;
    }
    default:
      return int32(numberOf(e, 'the value', e));
  }
}

/** Octets of several pieces in a row. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Writes the body of a request, field by field, little endian. */
export class BodyWriter {
  readonly #parts: Uint8Array[] = [];

  u8(value: number): this {
    this.#parts.push(Uint8Array.of(value));
    return this;
  }

  u16(value: number): this {
    this.#parts.push(Uint8Array.of(value & 255, (value >> 8) & 255));
    return this;
  }

  /** 32 bits, signed or not. */
  u32(value: number): this {
    this.#parts.push(int32(value));
    return this;
  }

  u64(value: bigint): this {
    const out = new Uint8Array(8);
    view(out).setBigUint64(0, BigInt.asUintN(64, value), true);
    this.#parts.push(out);
    return this;
  }

  octets(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    return this;
  }

  get body(): Uint8Array {
    return joined(this.#parts);
  }
}
