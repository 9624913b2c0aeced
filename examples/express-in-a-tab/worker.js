// The application in a worker.

import './shims/globals.js';
import { app } from './app.js';
import { server } from './host.js';
import { portLink } from './port.js';

server.runtime.attach(portLink(self), { addresses: ['10.0.0.2/24'] });
app.listen(80);
