// A program that uses PostgreSQL by `pg`, as programs do; it knows nothing of where its packets go.
//
//   node postgres.mjs work|wait|late HOST PORT

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import pg from 'pg';

const [what, host, port] = process.argv.slice(2);
const options = { host, port: Number(port), user: 'postgres', database: 'postgres' };
const tell = (about, value) => console.log(`${about}: ${value}`);

/** Queries, a large result, a transaction that is taken back, a subscription. */
async function work() {
  const pool = new pg.Pool({ ...options, max: 4 });
  const sums = await Promise.all(
    Array.from({ length: 20 }, (_, n) => pool.query('SELECT $1::int * 2 AS twice', [n]).then((r) => r.rows[0].twice)),
  );
  tell(
    'sum',
    sums.reduce((a, b) => a + b),
  );
  const { rows } = await pool.query(
    "SELECT string_agg(md5(i::text), '' ORDER BY i) AS text FROM generate_series(1, 163840) i",
  );
  tell('large', `${rows[0].text.length} ${createHash('md5').update(rows[0].text).digest('hex')}`);

  const client = await pool.connect();
  await client.query('CREATE TABLE account (name text PRIMARY KEY, money int)');
  await client.query("INSERT INTO account VALUES ('a', 10), ('b', 0)");
  await client.query('BEGIN');
  await client.query("UPDATE account SET money = money - 7 WHERE name = 'a'");
  await client.query('ROLLBACK');
  await client.query('BEGIN');
  await client.query("UPDATE account SET money = money - 3 WHERE name = 'a'");
  await client.query("UPDATE account SET money = money + 3 WHERE name = 'b'");
  await client.query('COMMIT');
  const found = await pool.query('SELECT name, money FROM account ORDER BY name');
  tell('money', found.rows.map((r) => `${r.name}=${r.money}`).join(' '));
  const duplicate = await client.query("INSERT INTO account VALUES ('a', 1)").catch((error) => error.code);
  tell('duplicate', duplicate);

  await client.query('LISTEN news');
  const heard = once(client, 'notification');
  await pool.query("NOTIFY news, 'good'");
  const [{ payload }] = await heard;
  tell('heard', payload);
  client.release();
  await pool.end();
}

/** One query that takes long, at once or when it is told to: for when the server or the way to it is gone. */
async function wait() {
  const client = new pg.Client(options);
  client.on('error', () => undefined);
  await client.connect();
  tell('waiting', 'now');
  if (what === 'late') await once(process.stdin, 'data');
  const answer = client.query('SELECT pg_sleep(600)');
  await answer.then(
    () => tell('failed', 'no'),
    (error) => tell('failed', error.code ?? error.message),
  );
}

await (what === 'work' ? work() : wait());
tell('done', what);
// Standard input may still be open.
process.exit();
