// Packages of other people on our sockets, with the distribution's servers at the other end of a TUN device.

import { skip, vitest } from '../lib/cases.mjs';
import { obstacle } from './interop.mjs';

/** The stage: one package at a time. */
export async function compat(context) {
  const reason = await obstacle();
  return reason === '' ? vitest(['--mode', 'compat'], context) : [skip('packages of other people on synfin', reason)];
}
