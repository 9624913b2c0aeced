// How a snapshot is written and read: numbers of the network's order, texts with a length, octets with a length.

const NOT_ASCII = /[^ -~]/;

/** Kinds of values. */
const FALSE = 0;
const TRUE = 1;
const INTEGER = 2;
const REAL = 3;

/** Room for octets, which the caller fills. */
export interface Room {
  readonly bytes: Uint8Array;
  readonly at: number;
}

/** Writes a snapshot; grows as it needs. */
export class SnapshotWriter {
  #bytes: Uint8Array = new Uint8Array(4096);
  #view: DataView = new DataView(this.#bytes.buffer);
  #at = 0;

  /** What was written; a copy. */
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  #claim(count: number): number {
    const at = this.#at;
    this.#at += count;
    if (this.#at > this.#bytes.length) {
      const wider = new Uint8Array(2 * this.#at);
      wider.set(this.#bytes);
      this.#bytes = wider;
      this.#view = new DataView(wider.buffer);
    }
    return at;
  }

  u8(value: number): void {
    const at = this.#claim(1);
    this.#bytes[at] = value;
  }

  u16(value: number): void {
    const at = this.#claim(2);
    this.#view.setUint16(at, value);
  }

  u32(value: number): void {
    const at = this.#claim(4);
    this.#view.setUint32(at, value);
  }

  i32(value: number): void {
    const at = this.#claim(4);
    this.#view.setInt32(at, value);
  }

  /** A flag, with its kind in front. */
  flag(value: boolean): void {
    this.u8(value ? TRUE : FALSE);
  }

  /** A number, with its kind in front; fractions and infinities are kept. */
  number(value: number): void {
    if ((value | 0) === value && !Object.is(value, -0)) {
      this.u8(INTEGER);
      this.i32(value);
      return;
    }
    this.u8(REAL);
    const at = this.#claim(8);
    this.#view.setFloat64(at, value);
  }

  /** Characters of ASCII, without a length. */
  ascii(text: string): void {
    const at = this.#claim(text.length);
    for (let i = 0; i < text.length; i++) this.#bytes[at + i] = text.charCodeAt(i);
  }

  /** At most 255 characters of ASCII. */
  text(text: string): void {
    this.u8(text.length);
    this.ascii(text);
  }

  /** Room for `count` octets; valid until the next call. */
  octets(count: number): Room {
    this.u32(count);
    const at = this.#claim(count);
    return { bytes: this.#bytes, at };
  }
}

/** Reads a snapshot; throws a `RangeError` with the offset where the bytes are none. */
export class SnapshotReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Throws. */
  refuse(why: string): never {
    throw new RangeError(`not a snapshot, at octet ${this.#at}: ${why}`);
  }

  #take(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) this.refuse('it is cut off');
    this.#at += count;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  /** A flag or a number. */
  value(): number | boolean {
    const kind = this.u8();
    switch (kind) {
      case FALSE:
        return false;
      case TRUE:
        return true;
      case INTEGER:
        return this.i32();
      case REAL:
        return this.#view.getFloat64(this.#take(8));
      default:
        return this.refuse(`no kind ${kind}`);
    }
  }

  /** A number. */
  real(): number {
    const value = this.value();
    return typeof value === 'number' ? value : this.refuse('a flag where a number belongs');
  }

  ascii(count: number): string {
    const at = this.#take(count);
    let text = '';
    for (let i = 0; i < count; i++) text += String.fromCharCode(this.#bytes[at + i]!);
    return NOT_ASCII.test(text) ? this.refuse('a name that is none') : text;
  }

  text(): string {
    return this.ascii(this.u8());
  }

  /** A view into the snapshot. */
  octets(): Uint8Array {
    const count = this.u32();
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  /** Nothing may follow. */
  end(): void {
    if (this.#at !== this.#bytes.length) this.refuse(`${this.#bytes.length - this.#at} octets too many`);
  }
}
