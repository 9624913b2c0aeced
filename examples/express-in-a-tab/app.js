// An application of express as anybody writes it: it knows nothing of where it runs.

import { createReadStream } from 'node:fs';
import compression from 'compression';
import cors from 'cors';
import express from 'express';

/** Where the files are. */
const folder = process.env.PUBLIC ?? '/public';

export const app = express();

app.use(cors({ origin: 'https://example.org' }));
app.use(compression({ threshold: 1000 }));
app.use(express.json());
app.use(express.urlencoded({ extended: true }));
app.use('/static', express.static(folder, { maxAge: '1h' }));

app.get('/', (_, response) => response.send('<h1>express, in a tab</h1>'));
app.get('/hello/:name', (request, response) => {
  const { name } = request.params;
  response.json({ hello: name, query: request.query, ip: request.ip, secure: request.secure });
});
app.post('/echo', (request, response) => response.status(201).json(request.body));
app.put('/octets', express.raw({ limit: '10mb' }), (request, response) => {
  response.type('text').send(`${request.body.length} octets`);
});
app.get('/moved', (_, response) => response.redirect('/hello/you'));
app.get('/cookie', (request, response) => {
  response.cookie('seen', 'yes', { httpOnly: true }).send(request.headers.cookie ?? 'no cookie');
});
app.get('/large', (_, response) => response.type('text').send('All is well. '.repeat(20_000)));
app.get('/piped', (_, response) => createReadStream(`${folder}/page.html`).pipe(response));
app.get('/parts', async (_, response) => {
  for (const part of ['one ', 'two ', 'three']) {
    response.write(part);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  response.end();
});
app.get('/broken', () => {
  throw new Error('as it should');
});
app.get('/late', async () => {
  throw Object.assign(new Error('later'), { status: 418 });
});

// Express knows handlers of errors by their four arguments.
app.use((error, _request, response, _next) => {
  response.status(error.status ?? 500).json({ error: error.message });
});
