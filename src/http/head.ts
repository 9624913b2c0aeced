// The head parser: start line and field lines of requests and responses, and trailer sections, in one
// validating pass over octets (RFC 9112 §2.2, §3, §4, §5).
//
// A head that is complete in the chunk at hand is parsed where it lies, most of them by `usual.ts`. Otherwise what
// there is of it is kept and the pass goes on from where it stopped: no octet is looked at twice, so a peer that
// sends octet by octet costs no more than one that does not. Offsets are relative to the first octet of the head,
// so they stay right when the head moves into the parser's own buffer.

import { CLASS, COLON, CR, DIGIT, HTAB, LF, latin1, SP, TARGET, TCHAR, VALUE } from './bytes.ts';
import type { HttpFault } from './errors.ts';
import { HeaderList, trimOws } from './fields.ts';
import { DEFAULT_LIMITS, type HttpLimits, type HttpPolicy, STRICT } from './policy.ts';
import { isHost, type TargetForm, targetForm } from './target.ts';
import { usual, usualFields, usualHead } from './usual.ts';

/** What `feed` came to: the head is not complete, it is, or it is wrong (`fault` says how). */
export type HeadResult = 'more' | 'done' | 'fault';

/** What a parser reads: a whole head of either kind, or the fields after a chunked body. */
export type HeadKind = 'request' | 'response' | 'trailer';

// The pass stands in one of these places; each consumes octets and moves on.
const REQUEST_START = 0;
const EMPTY_LINE_LF = 1;
const METHOD = 2;
const TARGET_PART = 3;
const REQUEST_VERSION = 4;
const RESPONSE_VERSION = 5;
const STATUS = 6;
const STATUS_SP = 7;
const REASON = 8;
const START_LINE_LF = 9;
const LINE_START = 10;
const NAME = 11;
const OWS = 12;
const FIELD_VALUE = 13;
const FIELD_LF = 14;
const END_LF = 15;
const COMPLETE = 16;

/** `HTTP/` in octets. */
const VERSION_PREFIX: readonly number[] = [0x48, 0x54, 0x54, 0x50, 0x2f];
const NOTHING = new Uint8Array(0);

/**
 * Parses heads, one after the other: `feed` until it says `'done'` or `'fault'`, read the results, `reset`.
 *
 * Every fault is final and does not depend on how the octets were cut into chunks.
 *
 * @example
 * const parser = new HeadParser('request');
 * const taken = parser.feed(bytes, 0, bytes.length);
 * if (parser.result === 'done') console.log(parser.method, parser.target, parser.fields.get('host'));
 */
export class HeadParser {
  readonly kind: HeadKind;
  readonly #limits: HttpLimits;
  readonly #policy: HttpPolicy;
  readonly #limit: number;

  /** What the last `feed` came to. */
  result: HeadResult = 'more';
  /** Why, when `result` is `'fault'`; `''` otherwise. */
  fault: HttpFault | '' = '';
  /** Request: the method, case-sensitive; any token is delivered (RFC 9110 §9.1). */
  method = '';
  /** Request: the target as received. */
  target = '';
  /** Request: which form the target has. */
  form: TargetForm = 'origin';
  /** Minor version: 0 or 1. */
  minor = 1;
  /** Response: the status code, 100 to 999. */
  status = 0;
  /** Response: the reason phrase, often empty. */
  reason = '';
  /** The field lines. A fresh list for every head: it may be kept. */
  fields: HeaderList = new HeaderList();

  #phase = REQUEST_START;
  /** Where the pass goes on, from the first octet of the head. */
  #pos = 0;
  /** Where the part being read started. */
  #mark = 0;
  #methodFrom = 0;
  #methodTo = 0;
  #targetFrom = 0;
  #targetTo = 0;
  #reasonFrom = 0;
  #reasonTo = 0;
  #major = 0;
  /** Four offsets per field line: name from and to, value from and to. Grows, and is reused. */
  #lines: Int32Array = new Int32Array(64);
  #count = 0;
  /** A line of this head continues the one before it. */
  #folded = false;
  /** The head so far, when it came in pieces. */
  #kept: Uint8Array = NOTHING;
  #keptLength = 0;

  constructor(kind: HeadKind, limits: HttpLimits = DEFAULT_LIMITS, policy: HttpPolicy = STRICT) {
    this.kind = kind;
    this.#limits = limits;
    this.#policy = policy;
    this.#limit = kind === 'trailer' ? limits.trailer : limits.head;
    this.reset();
  }

  /** Whether octets of a head have been taken and it is not complete. */
  get begun(): boolean {
    return this.#pos > 0 && this.#phase !== COMPLETE;
  }

  /** Ready for the next head. */
  reset(): void {
    this.result = 'more';
    this.fault = '';
    this.method = '';
    this.#phase = this.kind === 'request' ? REQUEST_START : this.kind === 'response' ? RESPONSE_VERSION : LINE_START;
    this.#pos = 0;
    this.#mark = 0;
    this.#count = 0;
    this.#folded = false;
    this.#major = 0;
    this.#keptLength = 0;
    if (this.#kept.length > 4096) this.#kept = NOTHING;
  }

  /**
   * Takes octets of `bytes[from, to)` until the head is complete or wrong, and returns how many it took;
   * `result` says which. Octets after the head are not taken. After `'done'` or `'fault'` it takes nothing.
   */
  feed(bytes: Uint8Array, from: number, to: number): number {
    if (this.result !== 'more') return 0;
    if (this.#keptLength === 0) {
      const stop = to - from > this.#limit ? from + this.#limit : to;
      if (this.#usual(bytes, from, stop)) return this.#pos;
      this.#scan(bytes, from, stop);
      if (this.result === 'more' && stop - from === this.#limit) this.#tooLarge();
      if (this.result !== 'more') return this.#pos;
      this.#keep(bytes, from, to);
      return to - from;
    }
    // The rest of a head that came in pieces joins it, in steps, because a body may follow in the same chunk.
    let taken = 0;
    while (this.result === 'more' && from + taken < to) {
      const room = this.#limit - this.#keptLength;
      const step = Math.min(to - from - taken, room, 1024);
      this.#keep(bytes, from + taken, from + taken + step);
      this.#scan(this.#kept, 0, this.#keptLength);
      taken += step;
      if (this.result === 'more' && this.#keptLength === this.#limit) this.#tooLarge();
    }
    return taken - (this.#keptLength - this.#pos);
  }

  #keep(bytes: Uint8Array, from: number, to: number): void {
    const need = this.#keptLength + to - from;
    if (need > this.#kept.length) {
      const grown = new Uint8Array(Math.max(256, need, Math.min(this.#kept.length * 2, this.#limit)));
      grown.set(this.#kept.subarray(0, this.#keptLength));
      this.#kept = grown;
    }
    this.#kept.set(bytes.subarray(from, to), this.#keptLength);
    this.#keptLength = need;
  }

  /**
   * Takes a head that is whole in `b[from, to)` and has nothing unusual about it; false leaves it to the pass, and
   * nothing changed. A head beyond a limit is left too: which fault that is depends on where the pass stands.
   */
  #usual(b: Uint8Array, from: number, to: number): boolean {
    if (this.kind === 'trailer') return false;
    const text = usualHead(this.kind, b, from, to);
    if (text === '') return false;
    const limits = this.#limits;
    const { wordTo, targetTo, lineTo } = usual;
    if (this.kind === 'request' && (wordTo > limits.method || targetTo - wordTo - 1 > limits.target)) return false;
    if (usual.lines > limits.fields) return false;
    this.#pos = text.length;
    this.#phase = COMPLETE;
    this.minor = usual.minor;
    if (this.kind === 'request') {
      // A literal is compared with others by identity.
      this.method = text.startsWith('GET ') ? 'GET' : text.slice(0, wordTo);
      this.target = text.slice(wordTo + 1, targetTo);
    } else {
      this.status = Number(text.slice(wordTo + 1, wordTo + 4));
      this.reason = text.slice(wordTo + 5, lineTo);
    }
    this.#done(usualFields(text));
    return true;
  }

  #scan(b: Uint8Array, base: number, end: number): void {
    if (this.#phase < LINE_START) {
      if (this.kind === 'request') this.#pos = this.#requestLine(b, base, end);
      else this.#pos = this.#statusLine(b, base, end);
      if (this.#phase < LINE_START || this.result === 'fault') return;
    }
    this.#pos = this.#fieldLines(b, base, end);
    if (this.#phase === COMPLETE) this.#finish(latin1(b, base, base + this.#pos));
  }

  /** RFC 9112 §3: `method SP request-target SP HTTP-version CRLF`, single spaces. */
  #requestLine(b: Uint8Array, base: number, end: number): number {
    let i = base + this.#pos;
    while (i < end) {
      if (this.#phase === METHOD) {
        while (i < end && (CLASS[b[i]!]! & TCHAR) !== 0) i++;
        if (i - base - this.#mark > this.#limits.method) return this.#fail('method-too-long', i - base);
        if (i === end) break;
        if (b[i] !== SP) return this.#fail('bad-method', i - base);
        this.#methodFrom = this.#mark;
        this.#methodTo = i - base;
        this.#targetFrom = ++i - base;
        this.#phase = TARGET_PART;
      } else if (this.#phase === TARGET_PART) {
        while (i < end && (CLASS[b[i]!]! & TARGET) !== 0) i++;
        if (i - base - this.#targetFrom > this.#limits.target) return this.#fail('target-too-long', i - base);
        if (i === end) break;
        const c = b[i]!;
        if (i - base === this.#targetFrom) return this.#fail('bad-target', i - base);
        // HTTP/0.9 ended its line here; an answer to it could be taken for content (RFC 9112 §A.1).
        if (c === CR || c === LF) return this.#fail('no-version', i - base);
        if (c !== SP) return this.#fail('bad-target', i - base);
        this.#targetTo = i - base;
        this.#mark = ++i - base;
        this.#phase = REQUEST_VERSION;
      } else if (this.#phase === REQUEST_VERSION) {
        const at = i - base - this.#mark;
        if (at < 8) {
          if (!this.#versionOctet(at, b[i]!)) return this.#fail('bad-version', i - base);
        } else if (b[i] === CR) {
          if (!this.#versionKnown()) return this.#fail('unsupported-version', i - base);
          this.#phase = START_LINE_LF;
        } else return this.#fail(b[i] === LF ? 'bare-lf' : 'bad-version', i - base);
        i++;
      } else if (this.#phase === REQUEST_START) {
        // RFC 9112 §2.2: empty lines before a request line are ignored, since old clients sent them.
        if (b[i] === CR) {
          this.#phase = EMPTY_LINE_LF;
          i++;
        } else {
          if (b[i] === LF) return this.#fail('bare-lf', i - base);
          this.#mark = i - base;
          if ((CLASS[b[i]!]! & TCHAR) === 0) return this.#fail('bad-method', i - base);
          this.#phase = METHOD;
        }
      } else {
        if (b[i] !== LF) return this.#fail('bare-cr', i - base);
        i++;
        if (this.#phase === START_LINE_LF) {
          this.#phase = LINE_START;
          break;
        }
        this.#phase = REQUEST_START;
      }
    }
    return i - base;
  }

  /** RFC 9112 §4: `HTTP-version SP status-code SP [ reason-phrase ] CRLF`. */
  #statusLine(b: Uint8Array, base: number, end: number): number {
    let i = base + this.#pos;
    for (; i < end; i++) {
      const c = b[i]!;
      const at = i - base - this.#mark;
      if (this.#phase === RESPONSE_VERSION) {
        if (at < 8) {
          if (!this.#versionOctet(at, c)) return this.#fail('bad-status-line', i - base);
          continue;
        }
        if (c !== SP) return this.#fail('bad-status-line', i - base);
        if (!this.#versionKnown()) return this.#fail('unsupported-version', i - base);
        this.#mark = i - base + 1;
        this.status = 0;
        this.#phase = STATUS;
      } else if (this.#phase === STATUS) {
        if ((CLASS[c]! & DIGIT) === 0 || (at === 0 && c === 0x30)) return this.#fail('bad-status-line', i - base);
        this.status = this.status * 10 + c - 0x30;
        if (at === 2) this.#phase = STATUS_SP;
      } else if (this.#phase === STATUS_SP) {
        this.#reasonFrom = i - base + 1;
        this.#reasonTo = i - base + 1;
        if (c === SP) this.#phase = REASON;
        else if (c === CR && this.#policy.shortStatusLine) this.#phase = START_LINE_LF;
        else return this.#fail(c === LF ? 'bare-lf' : 'bad-status-line', i - base);
      } else if (this.#phase === REASON) {
        if ((CLASS[c]! & VALUE) !== 0) continue;
        if (c !== CR) return this.#fail(c === LF ? 'bare-lf' : 'bad-status-line', i - base);
        this.#reasonTo = i - base;
        this.#phase = START_LINE_LF;
      } else {
        if (c !== LF) return this.#fail('bare-cr', i - base);
        this.#phase = LINE_START;
        i++;
        break;
      }
    }
    return i - base;
  }

  /** RFC 9112 §5: `field-name ":" OWS field-value OWS CRLF`, until the empty line. */
  #fieldLines(b: Uint8Array, base: number, end: number): number {
    let i = base + this.#pos;
    while (i < end) {
      if (this.#phase === FIELD_VALUE) {
        while (i < end && (CLASS[b[i]!]! & VALUE) !== 0) i++;
        if (i === end) break;
        if (b[i] !== CR) return this.#fail(b[i] === LF ? 'bare-lf' : 'bad-field-value', i - base);
        let to = i;
        while (to > base + this.#mark && (b[to - 1] === SP || b[to - 1] === HTAB)) to--;
        this.#lines[this.#count * 4 + 3] = to - base;
        this.#phase = FIELD_LF;
        i++;
      } else if (this.#phase === NAME) {
        while (i < end && (CLASS[b[i]!]! & TCHAR) !== 0) i++;
        if (i === end) break;
        if (b[i] !== COLON || i - base === this.#mark) return this.#fail(nameFault(b[i]!), i - base);
        if (this.#count === this.#limits.fields) return this.#fail('too-many-fields', i - base);
        this.#line(i - base);
        i++;
        this.#phase = OWS;
      } else if (this.#phase === OWS) {
        while (i < end && (b[i] === SP || b[i] === HTAB)) i++;
        if (i === end) break;
        this.#lines[this.#count * 4 + 2] = i - base;
        this.#mark = i - base;
        this.#phase = FIELD_VALUE;
      } else if (this.#phase === FIELD_LF) {
        if (b[i++] !== LF) return this.#fail('bare-cr', i - base);
        this.#count++;
        this.#phase = LINE_START;
      } else if (this.#phase === LINE_START) {
        const c = b[i]!;
        if (c === SP || c === HTAB) {
          if (!this.#unfold()) return this.#fail('obs-fold', i - base);
          continue;
        }
        this.#mark = i - base;
        this.#phase = c === CR ? END_LF : NAME;
        if (c === CR) i++;
      } else {
        if (b[i++] !== LF) return this.#fail('bare-cr', i - base);
        this.#phase = COMPLETE;
        break;
      }
    }
    return i - base;
  }

  /**
   * Goes on with the value of the line before, because this one starts with white space; false when it may not.
   * Folding is obsolete, and a smuggler's tool (RFC 9112 §5.2); before the first field it would hide a field from
   * others (RFC 9112 §2.2).
   */
  #unfold(): boolean {
    if (!this.#policy.fold || this.#count === 0) return false;
    this.#folded = true;
    this.#count--;
    this.#mark = this.#lines[this.#count * 4 + 2]!;
    this.#phase = FIELD_VALUE;
    return true;
  }

  /** Notes the name of the line being read, which ends at `to`. */
  #line(to: number): void {
    const at = this.#count * 4;
    if (at + 4 > this.#lines.length) {
      const grown = new Int32Array(this.#lines.length * 2);
      grown.set(this.#lines);
      this.#lines = grown;
    }
    this.#lines[at] = this.#mark;
    this.#lines[at + 1] = to;
  }

  /** Octet `at` of `HTTP/d.d`; false when it is not what belongs there. */
  #versionOctet(at: number, c: number): boolean {
    if (at < 5) return c === VERSION_PREFIX[at];
    if (at === 6) return c === 0x2e;
    if ((CLASS[c]! & DIGIT) === 0) return false;
    if (at === 5) this.#major = c - 0x30;
    else this.minor = c - 0x30;
    return true;
  }

  #versionKnown(): boolean {
    if (this.#major !== 1) return false;
    if (this.minor <= 1) return true;
    this.minor = 1;
    return this.#policy.laterMinor;
  }

  /** Makes the strings of a complete head, slices of its `text`. */
  #finish(text: string): void {
    const lines = this.#lines;
    const fields = new HeaderList();
    for (let at = 0; at < this.#count * 4; at += 4) {
      const value = text.slice(lines[at + 2]!, lines[at + 3]!);
      fields.appendParsed(text.slice(lines[at]!, lines[at + 1]!), this.#folded ? unfolded(value) : value);
    }
    if (this.kind === 'response') this.reason = text.slice(this.#reasonFrom, this.#reasonTo);
    if (this.kind === 'request') {
      this.method = text.slice(this.#methodFrom, this.#methodTo);
      this.target = text.slice(this.#targetFrom, this.#targetTo);
    }
    this.#done(fields);
  }

  /** The head is complete and well-formed; a request may still contradict itself. */
  #done(fields: HeaderList): void {
    this.fields = fields;
    this.result = 'done';
    if (this.kind !== 'request') return;
    let form = targetForm(this.method, this.target);
    if (form === '' && this.#policy.anyTarget && this.method !== 'CONNECT') form = 'origin';
    const fault = form === '' ? 'bad-target' : this.#hostFault();
    if (form !== '') this.form = form;
    if (fault !== '') this.#fail(fault, this.#pos);
  }

  /** RFC 9112 §3.2: a 1.1 request has exactly one Host, and whatever Host there is must be valid. */
  #hostFault(): HttpFault | '' {
    const fields = this.fields;
    let hosts = 0;
    for (let i = 0; i < fields.length; i++) {
      if (!fields.isAt(i, 'host')) continue;
      if (++hosts > 1 && this.#policy.firstHost) continue;
      if (hosts > 1) return 'many-hosts';
      if (!this.#policy.anyHost && !isHost(fields.valueAt(i))) return 'bad-host';
    }
    return hosts === 0 && this.minor === 1 && !this.#policy.noHost ? 'no-host' : '';
  }

  #tooLarge(): void {
    if (this.kind === 'trailer') this.#fail('trailer-too-large', this.#pos);
    else if (this.#phase === TARGET_PART) this.#fail('target-too-long', this.#pos);
    else this.#fail('head-too-large', this.#pos);
  }

  /** Ends the pass for good, at `pos`. */
  #fail(fault: HttpFault, pos: number): number {
    this.fault = fault;
    this.result = 'fault';
    return pos;
  }
}

/** `value` with each fold in it replaced by one space (RFC 9112 §5.2). */
function unfolded(value: string): string {
  if (!value.includes('\r')) return value;
  return trimOws(value.split('\r\n').map(trimOws).join(' '));
}

/** What is wrong with a field name that `c` ended. */
function nameFault(c: number): HttpFault {
  if (c === SP || c === HTAB) return 'space-before-colon';
  if (c === LF) return 'bare-lf';
  return 'bad-field-name';
}
