// The same page by Vite: `npx vite`, or `npx vite build`.

import { aliases } from './aliases.mjs';

const alias = Object.entries(aliases).map(([name, replacement]) => ({
  find: new RegExp(`^(node:)?${name}$`),
  replacement,
}));

export default {
  ...{ base: './', resolve: { alias } },
  worker: { format: 'es' },
  build: { chunkSizeWarningLimit: 2000 },
};
