// The public names of `http/`: HTTP/1.1 messages without I/O, and both ends of a connection over a stream.

export { CHUNK_HEAD_MAX, ChunkDecoder, type ChunkResult, writeChunkHead } from './chunked.ts';
export {
  ClientExchange,
  type ClientResponse,
  type ClientStreamOptions,
  HttpClientStream,
  type RequestInit,
  type ResponseHandlers,
} from './client.ts';
export { faultStatus, HttpError, type HttpFault } from './errors.ts';
export { ServerRequest, ServerResponse } from './exchange.ts';
export { HeaderList, type HeadersInit, hasToken, members } from './fields.ts';
export { type BodyKind, Framing, type FramingReason, hasNoContent } from './framing.ts';
export { type HeadKind, HeadParser, type HeadResult } from './head.ts';
export { DEFAULT_LIMITS, type HttpLimits, type HttpPolicy, LENIENT, STRICT } from './policy.ts';
export { ClientPool, type PooledHandlers, type PooledRequest, type PoolOptions } from './pool.ts';
export { HttpServerStream, type ServerStreamOptions, type ServerTimeouts } from './server.ts';
export { HALF_EDGES, type HalfCause, type HalfEdge, type HalfState, persists } from './states.ts';
export { authorityOf, isHost, type TargetForm, targetForm } from './target.ts';
export { type AsciiDecoder, useAsciiDecoder } from './usual.ts';
export {
  fieldsSize,
  REASON_PHRASES,
  reasonPhrase,
  requestHeadSize,
  responseHeadSize,
  writeFields,
  writeRequestHead,
  writeResponseHead,
} from './writer.ts';
