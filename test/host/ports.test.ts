// Which local ports are in use, and which one a listener without a wish gets.

import { expect, it } from 'vitest';
import { DEFAULT_PROFILE } from '../../src/base/profile.ts';
import { SipKey } from '../../src/base/siphash.ts';
import { Ports } from '../../src/host/ports.ts';
import type { ConnectionAddressing } from '../../src/tcp/tcb.ts';

const ports = (profile = {}): Ports => new Ports(new SipKey(new Uint8Array(16)), { ...DEFAULT_PROFILE, ...profile });
const from = (localPort: number): ConnectionAddressing => ({ localPort }) as ConnectionAddressing;

it('a port counts once however many connections share it, until the last of them has gone', () => {
  const all = ports();
  for (const port of [40_000, 40_000, 300, 65_535]) all.hold(from(port));
  expect(all.inUse).toBe(3);
  all.release(40_000);
  expect(all.inUse).toBe(3);
  all.release(40_000);
  expect(all.inUse).toBe(2);
  // One that nobody holds any more is not given back twice.
  all.release(40_000);
  expect(all.inUse).toBe(2);
  all.release(300);
  all.release(65_535);
  expect(all.inUse).toBe(0);
});

it('a listener does not get the port of a connection', () => {
  const all = ports({ ephemeralFrom: 40_000, ephemeralTo: 40_002 });
  all.hold(from(40_000));
  expect(all.free()).toBe(40_001);
  all.hold(from(40_001));
  expect(all.free()).toBe(-1);
  all.release(40_000);
  expect(all.free()).toBe(40_000);
});
