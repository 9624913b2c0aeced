// Heads of answers that were written before. A server says nearly the same again and again: what its program gave, and
// Date, Content-Length and what keeps the connection. That is put together once; then only what changes is written anew.

import { putLatin1 } from './bytes.ts';
import { checkValue, type HeaderList } from './fields.ts';
import { responseHeadSize, writeResponseHead } from './writer.ts';

/** What a head is made of. */
export interface HeadParts {
  readonly status: number;
  readonly reason: string;
  /** The fields that the program gave and does not change any more; no Date and no Content-Length among them. */
  readonly given: HeaderList;
  /** The value of Date; `''` for none. */
  readonly date: string;
  /** The value of Content-Length. */
  readonly length: string;
  /** The seconds in Keep-Alive, 0 for none. */
  readonly advertised: number;
}

/** One head, and where in it stands what changes. */
interface Written {
  parts: HeadParts;
  readonly bytes: Uint8Array;
  readonly dateAt: number;
  readonly lengthAt: number;
}

/** Heads that are kept; each has one place. */
const PLACES = 16;

/** A few heads that were written, by what they were made of. */
export class WrittenHeads {
  readonly #heads: (Written | null)[] = new Array(PLACES).fill(null);

  /**
   * The octets of such a head with Date and Content-Length as `parts` say, good until the next call; `null` for a new
   * one. Throws `TypeError` for a date that cannot be sent.
   */
  find(parts: HeadParts): Uint8Array | null {
    const head = this.#heads[placeOf(parts)]!;
    if (head === null || !alike(head.parts, parts)) return null;
    const { bytes } = head;
    if (parts.date !== head.parts.date) {
      checkValue('Date', parts.date);
      putLatin1(bytes, head.dateAt, parts.date);
    }
    if (parts.length !== head.parts.length) putLatin1(bytes, head.lengthAt, parts.length);
    head.parts = parts;
    return bytes;
  }

  /** Writes the head that `parts` came to, which is `fields`, and keeps it. Throws as `writeResponseHead` does. */
  write(parts: HeadParts, fields: HeaderList): Uint8Array {
    const { status, reason } = parts;
    const bytes = new Uint8Array(responseHeadSize(reason, fields));
    writeResponseHead(bytes, 0, status, reason, fields);
    let dateAt = 0;
    let lengthAt = 0;
    // The first line takes as much as a head without fields, less the empty line.
    for (let i = 0, at = reason.length + 15; i < fields.length; i++) {
      at += fields.nameAt(i).length + 2;
      if (fields.isAt(i, 'date')) dateAt = at;
      if (fields.isAt(i, 'content-length')) lengthAt = at;
      at += fields.valueAt(i).length + 2;
    }
    this.#heads[placeOf(parts)] = { parts, bytes, dateAt, lengthAt };
    return bytes;
  }
}

function placeOf({ status, given, length }: HeadParts): number {
  let place = status + 7 * length.length;
  for (let i = 0; i < given.length; i++) place += 31 * given.valueAt(i).length + given.nameAt(i).length;
  return place % PLACES;
}

/** Whether two heads differ in nothing but a date and a length of as many characters. */
function alike(a: HeadParts, b: HeadParts): boolean {
  return (
    a.status === b.status &&
    a.reason === b.reason &&
    a.advertised === b.advertised &&
    a.date.length === b.date.length &&
    a.length.length === b.length.length &&
    a.given.equals(b.given)
  );
}
