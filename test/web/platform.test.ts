// The platform's types in our signatures: they are the compiler's own wherever it knows them.

import { expect, it } from 'vitest';
import type {
  FetchInit,
  FetchInput,
  OctetReadable,
  OctetWritable,
  PlatformRequest,
  PlatformResponse,
  PlatformResponseClass,
  PlatformSignal,
} from '../../src/web/index.ts';

/** `true` when two types are the same, `false` else: a wrong one is an error of the type check. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

it('are the types that the compiler of the program knows (checked by the type check)', () => {
  const same: [
    Same<PlatformRequest, Request>,
    Same<PlatformResponse, Response>,
    Same<PlatformResponseClass, typeof Response>,
    Same<FetchInput, string | URL | Request>,
    Same<FetchInit, RequestInit>,
    Same<OctetReadable, NonNullable<Response['body']>>,
    Same<OctetWritable, WritableStream>,
    Same<PlatformSignal, AbortSignal>,
  ] = [true, true, true, true, true, true, true, true];
  expect(same).not.toContain(false);
});
