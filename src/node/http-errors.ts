// Errors of HTTP itself, with the codes that Node's parser gives them.

import { HttpError, type HttpFault } from '../http/index.ts';
import type { CodedError } from './errors.ts';

/** Codes of Node's parser; faults that are not here have `HPE_INVALID_CONSTANT`. */
const CODES: Readonly<Partial<Record<HttpFault, string>>> = {
  'bare-cr': 'HPE_LF_EXPECTED',
  'bare-lf': 'HPE_CR_EXPECTED',
  'bad-field-name': 'HPE_INVALID_HEADER_TOKEN',
  'space-before-colon': 'HPE_INVALID_HEADER_TOKEN',
  'bad-field-value': 'HPE_INVALID_HEADER_TOKEN',
  'obs-fold': 'HPE_INVALID_HEADER_TOKEN',
  'bad-method': 'HPE_INVALID_METHOD',
  'method-too-long': 'HPE_INVALID_METHOD',
  'bad-target': 'HPE_INVALID_URL',
  'target-too-long': 'HPE_HEADER_OVERFLOW',
  'no-version': 'HPE_INVALID_VERSION',
  'bad-version': 'HPE_INVALID_VERSION',
  'unsupported-version': 'HPE_INVALID_VERSION',
  'bad-status-line': 'HPE_INVALID_STATUS',
  'head-too-large': 'HPE_HEADER_OVERFLOW',
  'too-many-fields': 'HPE_HEADER_OVERFLOW',
  'trailer-too-large': 'HPE_HEADER_OVERFLOW',
  'bad-length': 'HPE_INVALID_CONTENT_LENGTH',
  'different-lengths': 'HPE_UNEXPECTED_CONTENT_LENGTH',
  'length-overflow': 'HPE_INVALID_CONTENT_LENGTH',
  'length-with-transfer-encoding': 'HPE_UNEXPECTED_CONTENT_LENGTH',
  'transfer-encoding-in-http-1.0': 'HPE_INVALID_TRANSFER_ENCODING',
  'bad-transfer-encoding': 'HPE_INVALID_TRANSFER_ENCODING',
  'chunked-not-last': 'HPE_INVALID_TRANSFER_ENCODING',
  'unknown-transfer-coding': 'HPE_INVALID_TRANSFER_ENCODING',
  'bad-chunk-size': 'HPE_INVALID_CHUNK_SIZE',
  'bad-chunk-end': 'HPE_STRICT',
  'chunk-extension-too-long': 'HPE_CHUNK_EXTENSIONS_OVERFLOW',
  'incomplete-message': 'HPE_INVALID_EOF_STATE',
  'head-timeout': 'ERR_HTTP_REQUEST_TIMEOUT',
  'body-timeout': 'ERR_HTTP_REQUEST_TIMEOUT',
};

/** What programs see of a fault of the peer's: `Parse Error: ...` with a code; any other error as it is. */
export function seen(error: unknown): Error {
  if (!(error instanceof HttpError)) return error as Error;
  const code = CODES[error.fault] ?? 'HPE_INVALID_CONSTANT';
  const late = code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const made = new Error(late ? 'Request timeout' : `Parse Error: ${error.fault}`) as CodedError;
  made.code = code;
  return Object.assign(made, { reason: error.fault });
}
