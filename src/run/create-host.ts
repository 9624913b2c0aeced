// A host that lives in real time, in one call.

import { ethernet, fastOpen, Host, superSegments } from '../host/index.ts';
import type { Interface } from '../host/interface.ts';
import type { HostOptions } from '../host/options.ts';
import { type Clock, systemClock } from './clock.ts';
import { randomKey } from './entropy.ts';
import { createRuntime, type Runtime } from './runtime.ts';

/** As `HostOptions`, with everything optional. */
export interface RealHostOptions extends Omit<HostOptions, 'key'> {
  /** At least 16 octets of secret; from the platform's generator when absent. */
  readonly key?: Uint8Array;
  /** The platform's own when absent. */
  readonly clock?: Clock;
}

/** A host and what makes it run. */
export interface RealHost {
  readonly host: Host;
  readonly runtime: Runtime<Interface>;
}

/**
 * Makes a host with an unguessable key on the platform's clock.
 *
 * @example
 * ```ts
 * const { host, runtime } = createHost({ name: 'server' });
 * runtime.attach(openTun({ name: 'synfin0', kernelAddresses: ['10.77.0.1/24'] }), { addresses: ['10.77.0.2/24'] });
 * host.listen({ port: 80 }, (connection) => { ... });
 * ```
 */
export function createHost(options: RealHostOptions = {}): RealHost {
  const { clock, key, ...rest } = options;
  const host = new Host({ ethernet, fastOpen, superSegments, ...rest, key: key ?? randomKey() });
  return { host, runtime: createRuntime<Interface>({ host, clock: clock ?? systemClock() }) };
}
