// The host of the application. Whoever starts it gives it a link.

import { createHost } from 'synfin';

export const server = createHost({ name: 'server' });
