// What is over is garbage, also for a host that hears nothing afterwards.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { ByteStream } from '../../src/base/stream.ts';
import { Network } from '../../src/sim/network.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test.each([
  ['closes', (c: ByteStream) => c.shutdown()],
  ['resets', (c: ByteStream) => c.abort()],
])('hosts keep nothing of the last connection that they had when one end %s it', async (_what, end) => {
  const network = new Network({ seed: 1 });
  const a = network.host('a', { addresses: ['10.0.0.1/24'] });
  const b = network.host('b', { addresses: ['10.0.0.2/24'] });
  network.connect(a, b, { delay: 1 });
  const ends: WeakRef<object>[] = [];
  b.listen({ port: 80 }, (stream) => {
    ends.push(new WeakRef(stream));
    stream.handler = { onReadable: (s) => void (s.ended && s.shutdown()) };
  });
  open();
  network.run();
  expect(ends).toHaveLength(2);
  // What a WeakRef was made for lives to the end of the job.
  await new Promise((resolve) => setTimeout(resolve, 1));
  collect();
  expect(ends.map((ref) => ref.deref())).toEqual([undefined, undefined]);

  function open(): void {
    const stream = a.connect({ address: '10.0.0.2', port: 80 });
    stream.handler = { onOpen: (s) => void network.after(10, () => end(s)) };
    ends.push(new WeakRef(stream));
  }
});
