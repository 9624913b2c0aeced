// Listeners that wait for the first octets of a connection, and openings that are tried as often as the program says.

import { describe, expect, test } from 'vitest';
import { DEFAULT_PROFILE } from '../../src/base/profile.ts';
import { Host, type Listener } from '../../src/host/index.ts';

function listenerWith(deferAccept: number): Listener {
  const host = new Host({ key: new Uint8Array(16) });
  host.addInterface({ medium: 'ip', mtu: 1500, addresses: ['10.0.0.1/24'] });
  return host.listen({ port: 80, deferAccept }, () => {});
}

describe('deferAccept', () => {
  test.each([
    [0, 0],
    [1, 1],
    [1000, 1],
    [1001, 2],
    [3000, 2],
    [5000, 3],
    [Infinity, 255],
  ])('%d ms are %d timeouts of a SYN,ACK', (time, timeouts) => {
    expect(DEFAULT_PROFILE.rtoInitial).toBe(1000);
    expect(listenerWith(time).deferral).toBe(timeouts);
  });

  test('a time that is none is refused', () => {
    expect(() => listenerWith(-1)).toThrow(RangeError);
    expect(() => listenerWith(Number.NaN)).toThrow(RangeError);
  });
});
