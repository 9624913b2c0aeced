// The application in the page itself.

import './shims/globals.js';
import { afterIo } from 'synfin';
import { createPipe } from 'synfin/link/pipe';
import { app } from './app.js';
import { server } from './host.js';

/** Starts it; the link leads to its host. */
export function start() {
  const pipe = createPipe({ schedule: afterIo });
  server.runtime.attach(pipe.b, { addresses: ['10.0.0.2/24'] });
  app.listen(80);
  return pipe.a;
}
