// The parts of a file that a request asks for (RFC 9110 §14), and how several of them travel in one answer.

import type { Stats } from 'node:fs';
import type { HeaderList } from '../http/index.ts';

/** A part of a file, half open. */
export interface Part {
  readonly from: number;
  readonly to: number;
}

/** Parts of one request; whoever wants more, or asks for some octets twice, gets the whole (RFC 9110 §14.2). */
const MOST_PARTS = 16;

/** Whole seconds of a date field, or NaN; HTTP dates have no finer grain (RFC 9110 §5.6.7). */
export function seconds(date: string | null): number {
  return date === null ? Number.NaN : Math.floor(Date.parse(date) / 1000);
}

/**
 * The parts that a GET asks for, in its order. What is not understood, what asks for too much, and what is under a condition
 * that does not hold any more is ignored, as the RFC allows: then it is the whole.
 *
 * @param etag of the representation that would be sent
 */
export function rangesOf(headers: HeaderList, stats: Stats, etag: string): Part[] | 'whole' | 'unsatisfiable' {
  const range = headers.get('range');
  if (range === null) return 'whole';
  const condition = headers.get('if-range');
  if (condition !== null) {
    const same = condition.includes('"')
      ? condition.trim() === etag
      : seconds(condition) === Math.floor(stats.mtimeMs / 1000);
    if (!same) return 'whole';
  }
  const set = /^bytes=(.*)$/i.exec(range);
  if (set === null) return 'whole';
  const specs = set[1]!.split(',').map((spec) => spec.trim());
  const wanted = specs.filter((spec) => spec !== '');
  if (wanted.length === 0 || wanted.length > MOST_PARTS) return 'whole';
  const parts: Part[] = [];
  for (const spec of wanted) {
    const part = partOf(spec, stats.size);
    if (part === null) return 'whole';
    if (part.from < part.to) parts.push(part);
  }
  if (parts.length === 0) return 'unsatisfiable';
  const sorted = [...parts].sort((a, b) => a.from - b.from);
  return sorted.some((part, i) => i > 0 && part.from < sorted[i - 1]!.to) ? 'whole' : parts;
}

/** One range of a set; empty when no octet of it is there, `null` when it is none. */
function partOf(spec: string, size: number): Part | null {
  const match = /^([0-9]*)[ \t]*-[ \t]*([0-9]*)$/.exec(spec);
  if (match === null) return null;
  const [, first, last] = match as unknown as [string, string, string];
  if (first === '') return last === '' ? null : { from: Math.max(0, size - Number(last)), to: size };
  if (last !== '' && Number(last) < Number(first)) return null;
  return { from: Math.min(size, Number(first)), to: last === '' ? size : Math.min(size, Number(last) + 1) };
}

/** Several parts as `multipart/byteranges` (RFC 9110 §14.6): what stands between them, and how long it all is. */
export interface Multipart {
  readonly contentType: string;
  readonly length: number;
  /** Octets to send as they are, and parts of the file. */
  readonly pieces: readonly (Uint8Array | Part)[];
}

/** Puts `parts` together. `unique` must not be found in the file; a random text will not be. */
export function multipart(parts: readonly Part[], size: number, type: string, unique: string): Multipart {
  const pieces: (Uint8Array | Part)[] = [];
  let length = 0;
  const text = (words: string): void => {
    const bytes = new TextEncoder().encode(words);
    pieces.push(bytes);
    length += bytes.length;
  };
  for (const [i, part] of parts.entries()) {
    const before = i === 0 ? '' : '\r\n';
    const range = `Content-Range: bytes ${part.from}-${part.to - 1}/${size}`;
    text(`${before}--${unique}\r\nContent-Type: ${type}\r\n${range}\r\n\r\n`);
    pieces.push(part);
    length += part.to - part.from;
  }
  text(`\r\n--${unique}--\r\n`);
  return { contentType: `multipart/byteranges; boundary=${unique}`, length, pieces };
}
