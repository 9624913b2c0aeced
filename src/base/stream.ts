// The contract of a reliable ordered byte stream: what TCP offers and what HTTP builds on.
//
// `http/` knows no TCP; it knows this. A TCP connection implements it, and so can anything else (a TLS
// session, a pair of buffers in a test). Everything is synchronous and non-blocking; the handler is called
// only while the owner of the host delivers events, never from inside one of the methods below.

import type { NetError } from './errors.ts';

/** Says of a write to a TCP connection that more follows at once: a small segment waits for it (MSG_MORE). */
export const WRITE_MORE = 1;
/** Says of a write to a TCP connection that a record ends with it: later octets share no segment with it (MSG_EOR). */
export const WRITE_ENDS = 2;

/** What a stream tells the program. Each is called from the owner's event loop, never re-entrantly. */
export interface StreamHandler {
  /** The stream is open for writing and reading. Not called for streams that were open when handed over. */
  onOpen?(stream: ByteStream): void;
  /** There are octets to read, or the peer has said all it had to (`stream.ended`). */
  onReadable?(stream: ByteStream): void;
  /** The peer calls octets urgent, or more of them (RFC 9293 §3.8.5). They stay in line; a TCP stream says how many. */
  onUrgent?(stream: ByteStream): void;
  /** `send` took less than was offered, and now there is room again. */
  onWritable?(stream: ByteStream): void;
  /**
   * Something hinders the stream, which goes on all the same (RFC 9293 §3.9.1.8): the network reported an error
   * (EHOSTUNREACH and the like), or what was sent has gone unanswered for three retransmissions (ETIMEDOUT). Any number
   * of times; who does not want to know leaves it out.
   */
  onTrouble?(stream: ByteStream, error: NetError): void;
  /**
   * The stream is over for the program: exactly once, after everything readable was announced. Octets that
   * were announced and not read yet can still be read.
   *
   * @param error why, or `null` when both sides ended it in good order
   */
  onClose?(stream: ByteStream, error: NetError | null): void;
}

/** A reliable, ordered, two-way stream of octets with half-close. */
export interface ByteStream {
  /** Who is told of what happens; may be replaced at any time. */
  handler: StreamHandler | null;
  /** Octets that can be read now. */
  readonly readable: number;
  /** The peer has ended its direction and everything it sent has been read. */
  readonly ended: boolean;
  /** Octets that `send` would take now. */
  readonly writable: number;
  /**
   * The contiguous octets at the front of what can be read: a view, valid until `consume` or until control
   * returns to the event loop. Empty when nothing can be read. May be shorter than `readable`.
   */
  peek(): Uint8Array;
  /** Drops `count` octets from the front, `0 <= count <= readable`. */
  consume(count: number): void;
  /** Copies up to `to - from` octets to `into[from, to)`, consumes them, and returns their number. */
  read(into: Uint8Array, from: number, to: number): number;
  /**
   * Copies as many octets of `bytes[from, to)` as there is room for, and returns their number. When that is
   * fewer than offered, `onWritable` follows. Throws a `StateError` after `shutdown`; returns 0 when closed.
   */
  send(bytes: Uint8Array, from: number, to: number): number;
  /** Ends our direction once everything sent before has gone out; the other direction stays open. */
  shutdown(): void;
  /** Ends both directions at once; unsent octets are lost and the peer learns of it. */
  abort(): void;
}
