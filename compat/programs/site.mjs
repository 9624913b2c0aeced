// The same small site by express, fastify or hono, each in its usual way; it knows nothing of where its packets go.
//
//   node site.mjs express|fastify|hono PORT

import { createHash } from 'node:crypto';

const [what, portText] = process.argv.slice(2);
const port = Number(portText);
const PAGE = `<!doctype html><title>${what}</title>${'<p>All is well.</p>'.repeat(200)}`;
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

const sites = {
  express: async () => {
    const { default: express } = await import('express');
    const app = express();
    app.get('/', (_, response) => response.type('html').send(PAGE));
    app.get('/hello/:name', (request, response) => response.json({ hello: request.params.name }));
    app.post('/sum', express.raw({ type: '*/*', limit: '20mb' }), (request, response) => {
      response.send(sha256(request.body));
    });
    await new Promise((listening) => app.listen(port, listening));
  },
  fastify: async () => {
    const { default: fastify } = await import('fastify');
    const app = fastify({ bodyLimit: 20_000_000 });
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
    app.get('/', (_, reply) => reply.type('text/html').send(PAGE));
    app.get('/hello/:name', (request) => ({ hello: request.params.name }));
    app.post('/sum', (request) => sha256(request.body));
    await app.listen({ port, host: '0.0.0.0' });
  },
  hono: async () => {
    const { Hono } = await import('hono');
    const { serve } = await import('@hono/node-server');
    const app = new Hono();
    app.get('/', (c) => c.html(PAGE));
    app.get('/hello/:name', (c) => c.json({ hello: c.req.param('name') }));
    app.post('/sum', async (c) => c.text(sha256(Buffer.from(await c.req.arrayBuffer()))));
    await new Promise((listening) => serve({ fetch: app.fetch, port }, listening));
  },
};

await sites[what]();
console.log(`listening: ${port}`);
