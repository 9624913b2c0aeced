// How the lab is built: one page with relative addresses, so that it works from any folder of any host, and the
// service worker of its frame, whose name must not change.

import { defineConfig } from 'vite';
import solid from 'vite-plugin-solid';

export default defineConfig({
  base: './',
  plugins: [solid()],
  // What a worker fetches later has a name that says so.
  worker: { format: 'es', rollupOptions: { output: { chunkFileNames: 'assets/later-[name]-[hash].js' } } },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    reportCompressedSize: true,
    rollupOptions: {
      input: { index: 'index.html', frames: 'src/worker/frames.ts' },
      output: { entryFileNames: (chunk) => (chunk.name === 'frames' ? 'frames.js' : 'assets/[name]-[hash].js') },
    },
  },
});
