// Requests by undici and by the platform's fetch, as programs make them; it knows nothing of where its packets go.
//
//   node requests.mjs ORIGIN

import { createHash } from 'node:crypto';
import { Pool } from 'undici';

const [origin] = process.argv.slice(2);
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const body = Buffer.alloc(2_000_000, 'a body that goes up ');

const pool = new Pool(origin, { connections: 4 });
const pages = await Promise.all(
  Array.from({ length: 50 }, async (_, n) => {
    const { statusCode, body: answer } = await pool.request({ method: 'GET', path: `/hello/${n}` });
    const { hello } = await answer.json();
    return statusCode === 200 && hello === String(n);
  }),
);
console.log(`undici: ${pages.filter(Boolean).length} pages`);
const { body: sum } = await pool.request({ method: 'POST', path: '/sum', body });
console.log(`undici upload: ${(await sum.text()) === sha256(body)}`);
await pool.close();

const page = await fetch(`${origin}/`);
console.log(`fetch: ${page.status} ${(await page.text()).length > 3000}`);
const up = await fetch(`${origin}/sum`, { method: 'POST', body });
console.log(`fetch upload: ${(await up.text()) === sha256(body)}`);
console.log('done: requests');
