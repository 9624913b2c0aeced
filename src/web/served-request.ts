// The request that `serve` gives its handler: the platform's `Request` to the program, made of one only when somebody
// asks for what it does not know itself.
//
// Most handlers read the method, the URL and a field or two. The platform's object costs more than all of the stack
// below it (on Node 20 a signal and a request of it take 20 microseconds), so ours answers those by itself. Everything
// else is inherited from `Request.prototype`, whose members look for parts under symbols of the platform's own: ours has
// a getter for each, which makes the whole object then. So `new Request(ours)`, `clone()` and the platform's `fetch` work.
// Where the platform keeps its parts in private members or outside of the language (Node from 24 on, Bun, browsers)
// nothing can stand in for a `Request`, and the handler gets the platform's at once.

/** What a request is made of, as late as can be. @internal */
export interface RequestParts {
  readonly method: string;
  /** A URL, which need not be in its normal form, and what it begins with: scheme and authority. */
  readonly address: string;
  readonly base: string;
  readonly content: ReadableStream<Uint8Array> | null;
  /** Made when first called. */
  fields(): Headers;
  /** The same at each call. */
  abortSignal(): AbortSignal;
}

/** Methods that every platform takes, and takes as they are; of others it knows which. */
const PLAIN: ReadonlySet<string> = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']);

/** The platform's request. Throws its `TypeError` for methods and URLs that it does not take. */
function wholeOf(parts: RequestParts, headers: Headers): Request {
  const init: RequestInit & { duplex?: 'half' } = {
    method: parts.method,
    headers,
    signal: parts.abortSignal(),
    redirect: 'manual',
  };
  if (parts.content !== null) {
    init.body = parts.content;
    init.duplex = 'half';
  }
  return new Request(parts.address, init);
}

/** Stands in for a `Request`, whose prototype `standIn` puts behind its own. */
class ServedRequest {
  readonly #parts: RequestParts;
  #url = '';
  #headers: Headers | null = null;
  #whole: Request | null = null;

  constructor(parts: RequestParts) {
    this.#parts = parts;
  }

  get method(): string {
    return this.#parts.method;
  }

  get url(): string {
    if (this.#url === '') this.#url = new URL(this.#parts.address).href;
    return this.#url;
  }

  get headers(): Headers {
    this.#headers ??= this.#parts.fields();
    return this.#headers;
  }

  get signal(): AbortSignal {
    return this.#parts.abortSignal();
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.#parts.content === null ? null : ServedRequest.whole(this).body;
  }

  get bodyUsed(): boolean {
    return this.#whole?.bodyUsed === true;
  }

  /** The platform's request in the place of `light`, with the fields as the program may have changed them. */
  static whole(light: ServedRequest): Request {
    const { headers } = light;
    if (light.#whole === null) light.#whole = wholeOf(light.#parts, headers);
    else copyFields(headers, light.#whole.headers);
    return light.#whole;
  }
}

/** Makes the fields of `to` those of `from`. @internal */
export function copyFields(from: Headers, to: Headers): void {
  for (const name of [...to.keys()]) to.delete(name);
  for (const [name, value] of from) to.append(name, value);
}

/** Makes stand-ins pass for requests; whether the platform takes them for such. */
function standIn(): boolean {
  const prototype = ServedRequest.prototype as unknown as Request;
  for (const key of Reflect.ownKeys(new Request('http://localhost/'))) {
    Object.defineProperty(prototype, key, {
      get(this: ServedRequest): unknown {
        return Reflect.get(ServedRequest.whole(this), key);
      },
      set(this: ServedRequest, value: unknown): void {
        Reflect.set(ServedRequest.whole(this), key, value);
      },
    });
  }
  Object.setPrototypeOf(prototype, Request.prototype);
  // Libraries tell what they were given by the name of its constructor.
  Object.defineProperty(prototype, 'constructor', { value: Request, configurable: true, writable: true });
  return passes();
}

/** Tries what could go wrong. */
function passes(): boolean {
  const { signal } = new AbortController();
  const fields = new Headers({ 'x-a': 'b' });
  const content = null;
  const parts = {
    method: 'PUT',
    address: 'http://localhost/a',
    base: 'http://localhost',
    content,
    fields: () => fields,
    abortSignal: () => signal,
  };
  const light = new ServedRequest(parts) as unknown as Request;
  try {
    return [new Request(light), light.clone()].every(
      (copy) => copy.method === 'PUT' && copy.url === parts.address && copy.headers.get('x-a') === 'b',
    );
  } catch {
    // The platform says in its own words that this is no Request; that is the answer.
    return false;
  }
}

/** Whether the platform takes stand-ins; `null` until the first is needed. */
let taken: boolean | null = null;

/** Whether handlers get stand-ins on this platform. @internal */
export function standsIn(): boolean {
  taken ??= standIn();
  return taken;
}

/**
 * The request that `parts` make. Throws the platform's `TypeError` for a method or URL that it does not take.
 *
 * @internal
 */
export function requestOf(parts: RequestParts): Request {
  // Credentials in a URL are refused by the platform; whoever can have sent some is asked at once.
  if (!standsIn() || !PLAIN.has(parts.method) || parts.base.includes('@')) return wholeOf(parts, parts.fields());
  return new ServedRequest(parts) as unknown as Request;
}
