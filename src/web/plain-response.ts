// A `Response` whose content `serve` finds without a stream, for handlers that want to be quick.
//
// The platform's `Response` makes a stream of whatever it is given, and hides what it was: making one of five octets and
// reading them back takes longer than everything that the stack does for the exchange. This one keeps text and octets as
// they came. As soon as somebody asks for more than `serve` does it makes the platform's, and asks that.

import { copyFields } from './served-request.ts';

/** The type of text where no field says one (Fetch, "extract a body"). @internal */
export const TEXT_TYPE = 'text/plain;charset=UTF-8';

let platform: typeof Response | null = null;

/** The platform's own class, also once another has been put in its place. Asked late: Node loads much for it. @internal */
export function platformResponse(): typeof Response {
  platform ??= globalThis.Response;
  return platform;
}

/** Text, a copy of octets, or `null` for none; `undefined` for what is left to the platform. */
function plainContent(body: unknown): string | Uint8Array | null | undefined {
  if (body === null || body === undefined) return null;
  if (typeof body === 'string') return body;
  // Copies, as the platform makes them: who writes to the buffer later does not change the response.
  if (body instanceof ArrayBuffer) return new Uint8Array(body.slice(0));
  if (!ArrayBuffer.isView(body)) return undefined;
  return new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength).slice();
}

/** Whether `status` needs the platform to judge it, or what it means for `content`. */
function isOdd(status: number, content: unknown): boolean {
  if (!Number.isInteger(status) || status < 200 || status > 599) return true;
  return content !== null && (status === 204 || status === 205 || status === 304);
}

/** Passes for a `Response`: its prototype has that of the platform's behind it, once there is an instance. @internal */
export class PlainResponse {
  readonly #content: string | Uint8Array | null = null;
  readonly #status: number = 200;
  /** `null` until somebody wants them: then only the type of the content is there. */
  #headers: Headers | null = null;
  /** The platform's response, once this one cannot do alone. */
  #whole: Response | null = null;
  /** The content has been sent: as with the platform's it can be had once. */
  #sent = false;

  constructor(body?: BodyInit | null, init?: ResponseInit) {
    prepare();
    const content = plainContent(body);
    const status = init?.status ?? 200;
    if (content === undefined || isOdd(status, content) || init?.statusText) {
      this.#whole = new (platformResponse())(body, init);
      return;
    }
    this.#content = content;
    this.#status = status;
    if (init?.headers !== undefined) this.#headers = this.#typed(new Headers(init.headers));
  }

  /** As the platform's: any `Response` is one, whoever made it. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof platformResponse();
  }

  /** As the platform's `Response.json`. */
  static json(data: unknown, init: ResponseInit = {}): Response {
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError('the value has no JSON');
    const headers = new Headers(init.headers);
    if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    return new PlainResponse(text, { ...init, headers }) as unknown as Response;
  }

  /** As the platform's `Response.error`. */
  static error(): Response {
    return platformResponse().error();
  }

  /** As the platform's `Response.redirect`. */
  static redirect(url: string | URL, status?: number): Response {
    return platformResponse().redirect(url, status);
  }

  get status(): number {
    return this.#whole === null ? this.#status : this.#whole.status;
  }

  get ok(): boolean {
    return this.status <= 299 && this.status >= 200;
  }

  get bodyUsed(): boolean {
    return this.#sent || this.#whole?.bodyUsed === true;
  }

  get headers(): Headers {
    if (this.#headers !== null) return this.#headers;
    if (this.#whole !== null) return this.#whole.headers;
    this.#headers = this.#typed(new Headers());
    return this.#headers;
  }

  #typed(headers: Headers): Headers {
    if (typeof this.#content === 'string' && !headers.has('content-type')) headers.set('content-type', TEXT_TYPE);
    return headers;
  }

  /** The platform's response in the place of `plain`, with the fields as the program may have changed them. */
  static whole(plain: PlainResponse): Response {
    if (plain.#whole === null) {
      plain.#whole = new (platformResponse())(plain.#content as BodyInit | null, { status: plain.#status });
      if (plain.#sent) void plain.#whole.body?.cancel();
    }
    if (plain.#headers !== null) copyFields(plain.#headers, plain.#whole.headers);
    return plain.#whole;
  }

  /** Whether `answer` is one of these, and nobody has made it the platform's. */
  static untouched(answer: unknown): answer is PlainResponse {
    return (
      typeof answer === 'object' && answer !== null && #content in answer && answer.#whole === null && !answer.#sent
    );
  }

  /** Fields of an `untouched` one, when the program has given or seen any. */
  static fieldsOf(plain: PlainResponse): Headers | null {
    return plain.#headers;
  }

  /** The content, to be sent: nobody else gets it. */
  static takeContent(plain: PlainResponse): string | Uint8Array | null {
    plain.#sent = plain.#content !== null;
    return plain.#content;
  }
}

let prepared = false;

/** Puts the platform's prototype behind ours; each of its members asks the whole response. */
function prepare(): void {
  if (prepared) return;
  prepared = true;
  const prototype = PlainResponse.prototype;
  const Platform = platformResponse();
  const parts = Object.getOwnPropertySymbols(new Platform());
  for (const key of [...Reflect.ownKeys(Platform.prototype), ...parts]) {
    if (key === Symbol.toStringTag || Object.hasOwn(prototype, key)) continue;
    const method = Object.getOwnPropertyDescriptor(Platform.prototype, key)?.value;
    const forward = function (this: PlainResponse, ...args: unknown[]): unknown {
      const whole = PlainResponse.whole(this);
      return typeof method === 'function' ? method.apply(whole, args) : Reflect.get(whole, key);
    };
    const property = typeof method === 'function' ? { value: forward, writable: true } : { get: forward };
    Object.defineProperty(prototype, key, { ...property, configurable: true });
  }
  Object.setPrototypeOf(prototype, Platform.prototype);
  Object.defineProperty(prototype, 'constructor', { value: PlainResponse, configurable: true, writable: true });
}
