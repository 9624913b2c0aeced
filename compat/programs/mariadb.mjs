// A program that uses MariaDB by `mysql2`, as programs do; it knows nothing of where its packets go.
//
//   node mariadb.mjs work|wait|late HOST PORT

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import mysql from 'mysql2/promise';

const [what, host, port] = process.argv.slice(2);
const options = { host, port: Number(port), user: 'app', password: 'secret', database: 'app' };
const tell = (about, value) => console.log(`${about}: ${value}`);

/** Queries, a large result, a prepared statement, a transaction that is taken back. */
async function work() {
  const pool = mysql.createPool({ ...options, connectionLimit: 4 });
  const sums = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      pool.execute('SELECT ? * 2 AS twice', [n]).then(([rows]) => Number(rows[0].twice)),
    ),
  );
  tell(
    'sum',
    sums.reduce((a, b) => a + b),
  );
  await pool.query('CREATE TABLE large (text LONGTEXT)');
  await pool.query("INSERT INTO large SELECT REPEAT(MD5('large'), 163840)");
  const [[{ text }]] = await pool.query('SELECT text FROM large');
  tell('large', `${text.length} ${text === createHash('md5').update('large').digest('hex').repeat(163_840)}`);

  const connection = await pool.getConnection();
  await connection.query('CREATE TABLE account (name VARCHAR(9) PRIMARY KEY, money INT) ENGINE=InnoDB');
  await connection.query("INSERT INTO account VALUES ('a', 10), ('b', 0)");
  await connection.beginTransaction();
  await connection.query("UPDATE account SET money = money - 7 WHERE name = 'a'");
  await connection.rollback();
  await connection.beginTransaction();
  await connection.query("UPDATE account SET money = money - 3 WHERE name = 'a'");
  await connection.query("UPDATE account SET money = money + 3 WHERE name = 'b'");
  await connection.commit();
  const [found] = await pool.query('SELECT name, money FROM account ORDER BY name');
  tell('money', found.map((r) => `${r.name}=${r.money}`).join(' '));
  tell('duplicate', await connection.query("INSERT INTO account VALUES ('a', 1)").catch((error) => error.code));
  connection.release();
  await pool.end();
}

/** One query that takes long, at once or when it is told to: for when the server or the way to it is gone. */
async function wait() {
  const connection = await mysql.createConnection(options);
  connection.on('error', () => undefined);
  tell('waiting', 'now');
  if (what === 'late') await once(process.stdin, 'data');
  const answer = connection.query('SELECT SLEEP(600)');
  await answer.then(
    () => tell('failed', 'no'),
    (error) => tell('failed', error.code ?? error.message),
  );
  connection.destroy();
}

await (what === 'work' ? work() : wait());
tell('done', what);
// Standard input may still be open.
process.exit();
