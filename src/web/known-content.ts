// What a `Response` of the platform was made of, where the platform lets that be seen.
//
// Reading text back through the stream that was made of it costs as much as making it, for what is there all the same:
// Node up to 22 keeps it beside the stream, under a symbol. Where a platform keeps such parts in private members nothing
// is known, and the stream is read.

import { platformResponse } from './plain-response.ts';

/** The parts that are looked at, as Node 20 and 22 have them. */
interface State {
  readonly body?: { readonly stream: ReadableStream; readonly source: unknown } | null;
}

/** Under what a platform keeps the parts of its responses; `null` where it does not, `undefined` until it is looked for. */
let symbol: symbol | null | undefined;

function stateSymbol(): symbol | null {
  const probe = new (platformResponse())('probe');
  const found = Object.getOwnPropertySymbols(probe).find(({ description }) => description === 'state');
  const body = found === undefined ? null : (Reflect.get(probe, found) as State).body;
  return found !== undefined && body?.source === 'probe' && body.stream === probe.body ? found : null;
}

/**
 * The text or the octets that `answer` was made of, nobody having read any yet; `undefined` for everything else, streams
 * above all, and on platforms that do not say. Leaves the body as one that has been used.
 *
 * @internal
 */
export function takeKnownContent(answer: Response): string | Uint8Array | undefined {
  if (symbol === undefined) symbol = stateSymbol();
  // A class of the program's own may have another opinion of what its body is.
  if (symbol === null || Object.getPrototypeOf(answer) !== platformResponse().prototype) return undefined;
  const { body } = Reflect.get(answer, symbol) as State;
  if (!body || body.stream.locked || answer.bodyUsed) return undefined;
  const { source } = body;
  if (typeof source !== 'string' && !(source instanceof Uint8Array)) return undefined;
  void body.stream.cancel();
  return source;
}
