// A program that uses Redis by `ioredis`, as programs do; it knows nothing of where its packets go.
//
//   node redis.mjs work|wait|late HOST PORT

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Redis } from 'ioredis';

const [what, host, port] = process.argv.slice(2);
const tell = (about, value) => console.log(`${about}: ${value}`);
const connect = (more = {}) => new Redis({ host, port: Number(port), ...more });

/** Commands in a pipeline, a large value, a transaction, a subscription. */
async function work() {
  const redis = connect();
  const pipeline = redis.pipeline();
  for (let n = 0; n < 1000; n++) pipeline.incrby('sum', n);
  const results = await pipeline.exec();
  tell('sum', results.at(-1)[1]);
  const line = createHash('md5').update('large').digest('hex');
  await redis.eval("return redis.call('set', 'large', string.rep(ARGV[1], 163840))", 0, line);
  tell('large', `${await redis.strlen('large')} ${(await redis.get('large')) === line.repeat(163_840)}`);
  const [[, first], [, second]] = await redis.multi().set('k', 'v').get('k').exec();
  tell('transaction', `${first} ${second}`);
  tell('wrong', await redis.lpush('k', 'x').catch((error) => error.message.split(' ')[0]));

  const listener = connect();
  await listener.subscribe('news');
  const heard = once(listener, 'message');
  await redis.publish('news', 'good');
  tell('heard', (await heard).join(' '));
  await Promise.all([listener.quit(), redis.quit()]);
}

/** One command that takes long, at once or when it is told to: for when the server or the way to it is gone. */
async function wait() {
  const redis = connect({ retryStrategy: null, maxRetriesPerRequest: 0 });
  const errors = [];
  redis.on('error', (error) => errors.push(error.code ?? error.message));
  await once(redis, 'ready');
  tell('waiting', 'now');
  if (what === 'late') await once(process.stdin, 'data');
  const answer = redis.blpop('nothing', 600);
  await answer.then(
    () => tell('failed', 'no'),
    (error) => tell('failed', `${error.message}${errors.length > 0 ? ` (${errors[0]})` : ''}`),
  );
  redis.disconnect();
}

await (what === 'work' ? work() : wait());
tell('done', what);
// Standard input may still be open.
process.exit();
