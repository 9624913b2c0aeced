// Content codings (RFC 9110 §8.4) undone while the content is read: gzip, deflate, and br and zstd where the platform
// has them.
//
// The platform does the decoding: `DecompressionStream`, or, on Node, `node:zlib`, which knows more. What a small
// message can grow to has a limit, because a few octets can stand for gigabytes; nothing is decoded ahead of its
// reader, so memory stays small either way.

/** A transform of the platform. */
interface Pair {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** The parts of Node's modules that are used here. */
interface NodeModules {
  getBuiltinModule?(name: string): Record<string, unknown> | undefined;
}

/** Codings that one message may have on top of each other; honest ones have one. */
const MOST = 5;

/** What makes a decoder of a coding, by its name; `null` where the platform has none. */
const DECODERS: Map<string, (() => Pair) | null> = new Map();

function byStream(format: string): (() => Pair) | null {
  const make = (): Pair => new DecompressionStream(format as CompressionFormat) as unknown as Pair;
  try {
    make();
    return make;
  } catch {
    return null;
  }
}

function byNode(name: string): (() => Pair) | null {
  const node = (globalThis as { process?: NodeModules }).process;
  const make = node?.getBuiltinModule?.('node:zlib')?.[name];
  const duplex = node?.getBuiltinModule?.('node:stream')?.['Duplex'] as { toWeb(stream: unknown): Pair } | undefined;
  return typeof make === 'function' && duplex !== undefined ? () => duplex.toWeb(make()) : null;
}

function decoderOf(coding: string): (() => Pair) | null {
  const known = DECODERS.get(coding);
  if (known !== undefined) return known;
  let made: (() => Pair) | null = null;
  if (coding === 'gzip' || coding === 'x-gzip') made = byStream('gzip');
  else if (coding === 'deflate' || coding === 'deflate-raw') made = byStream(coding);
  else if (coding === 'br') made = byNode('createBrotliDecompress') ?? byStream('brotli');
  else if (coding === 'zstd') made = byNode('createZstdDecompress') ?? byStream('zstd');
  DECODERS.set(coding, made);
  return made;
}

/**
 * `content` with `codings` undone, the last first. Content with a coding that is not known here stays as it is.
 *
 * @param codings the members of Content-Encoding, in their order
 * @param limit octets that may come out; more fails the stream with `TypeError`
 */
export function decoded(
  content: ReadableStream<Uint8Array>,
  codings: readonly string[],
  limit: number,
): ReadableStream<Uint8Array> {
  const names = codings.map((coding) => coding.toLowerCase()).filter((coding) => coding !== 'identity');
  if (names.length === 0 || names.length > MOST) return content;
  if (names.some((coding) => decoderOf(coding) === null)) return content;
  let stream = content;
  for (const coding of names.reverse()) stream = decodedOnce(stream, coding, limit);
  return stream;
}

/** Which decoder fits: "deflate" is zlib's format by the RFC (§8.4.1.2) and bare deflate from some servers. */
function fitting(coding: string, first: Uint8Array): Pair {
  const bare = coding === 'deflate' && (first[0]! & 0x0f) !== 8;
  return decoderOf(bare ? 'deflate-raw' : coding)!();
}

function decodedOnce(stream: ReadableStream<Uint8Array>, coding: string, limit: number): ReadableStream<Uint8Array> {
  const source = stream.getReader();
  let inner: ReadableStreamDefaultReader<Uint8Array> | null = null;
  let total = 0;
  const begin = async (): Promise<ReadableStreamDefaultReader<Uint8Array>> => {
    let first = await source.read();
    // No content at all is no content, whatever it says that it is coded with.
    if (first.done) return new ReadableStream<Uint8Array>({ start: (controller) => controller.close() }).getReader();
    const pair = fitting(coding, first.value);
    const rest = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const next = first.done ? await source.read() : first;
          first = { done: true, value: undefined };
          if (next.done) controller.close();
          else controller.enqueue(next.value);
        },
        cancel: (reason) => source.cancel(reason),
      },
      { highWaterMark: 0 },
    );
    return rest.pipeThrough(pair as unknown as ReadableWritablePair<Uint8Array, Uint8Array>).getReader();
  };
  return new ReadableStream(
    {
      async pull(controller) {
        inner ??= await begin();
        const next = await inner.read();
        if (next.done) {
          controller.close();
          return;
        }
        total += next.value.byteLength;
        if (total <= limit) {
          controller.enqueue(new Uint8Array(next.value.buffer, next.value.byteOffset, next.value.byteLength));
          return;
        }
        const error = new TypeError(`the content is more than ${limit} octets when it is decoded`);
        void inner.cancel(error).catch(() => undefined);
        throw error;
      },
      cancel: (reason) => (inner ?? source).cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
