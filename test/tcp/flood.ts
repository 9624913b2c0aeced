// Bulk transfers: one end always has something to send, the other reads whatever comes.

import type { Connection } from '../../src/tcp/connection.ts';

/** Fills `from` whenever there is room, as long as its network runs; what `to` reads is counted. */
export function flood(from: Connection, to: Connection): { received: number } {
  const count = { received: 0 };
  to.handler = {
    onReadable: (s) => {
      count.received += s.readable;
      s.consume(s.readable);
    },
  };
  const chunk = new Uint8Array(65_536);
  const fill = (): void => {
    while (from.send(chunk, 0, chunk.length) === chunk.length);
  };
  from.handler = { onWritable: fill };
  fill();
  return count;
}
