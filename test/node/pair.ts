// Two hosts in real time with a pipe between them, and the modules of Node's shape over each.

import { createPipe } from '../../src/link/pipe.ts';
import { createNet, type Net, type NetOptions } from '../../src/node/net.ts';
import { afterIo } from '../../src/run/clock.ts';
import { createHost, type RealHost } from '../../src/run/create-host.ts';

/** Both ends, and their end. */
export interface NetPair {
  readonly client: Net;
  readonly server: Net;
  readonly hosts: readonly [RealHost, RealHost];
  /** The server's address. */
  readonly address: string;
  close(): void;
}

/** Makes a client and a server host. */
export function netPair(options: NetOptions = {}): NetPair {
  const a = createHost({ name: 'client' });
  const b = createHost({ name: 'server' });
  const pipe = createPipe({ schedule: afterIo });
  a.runtime.attach(pipe.a, { addresses: ['10.0.0.1/24', 'fd00::1/64'] });
  b.runtime.attach(pipe.b, { addresses: ['10.0.0.2/24', 'fd00::2/64'] });
  return {
    client: createNet(a, options),
    server: createNet(b, options),
    hosts: [a, b],
    address: '10.0.0.2',
    close() {
      a.runtime.close();
      b.runtime.close();
    },
  };
}
