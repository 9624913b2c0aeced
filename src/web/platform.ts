// The platform's own types, as far as the program's compiler knows them.
//
// `lib.dom`, `@types/node` and others each declare `Request` and its kin, and a program may have any of them or
// none. Public signatures therefore take these names from whatever declares them as values; where nothing does,
// they become `unknown` (or `never`, for what may be passed in), and the declarations still compile.

/** What instances of the global class `Name` are; `Fallback` where no such class is declared. */
type Instance<Name extends string, Fallback = unknown> = typeof globalThis extends {
  readonly [Key in Name]: { prototype: infer T };
}
  ? T
  : Fallback;

/** The platform's `Request`. */
export type PlatformRequest = Instance<'Request'>;

/** The platform's `Response`. */
export type PlatformResponse = Instance<'Response'>;

/** The class of it: what `new Response` and `Response.json` are called on. */
export type PlatformResponseClass = typeof globalThis extends { readonly Response: infer Class }
  ? Class
  : new (
      body?: never,
      init?: never,
    ) => PlatformResponse;

/** What `fetch` takes in the first place: text, the platform's `URL` or its `Request`. */
export type FetchInput = string | Instance<'URL', never> | Instance<'Request', never>;

/** The platform's `RequestInit`: what the second parameter of `new Request` is. */
export type FetchInit = typeof globalThis extends {
  readonly Request: new (input: never, init?: infer Init) => unknown;
}
  ? Exclude<Init, undefined>
  : unknown;

/** The platform's `ReadableStream`, of octets: what the body of a `Response` is. */
export type OctetReadable = PlatformResponse extends { readonly body: infer Body }
  ? Exclude<Body, null>
  : Instance<'ReadableStream'>;

/** The platform's `WritableStream`. */
export type OctetWritable = Instance<'WritableStream'>;

/** The platform's `AbortSignal`. */
export type PlatformSignal = Instance<'AbortSignal'>;

/** The platform's `Headers`. */
export type PlatformHeaders = Instance<'Headers'>;
