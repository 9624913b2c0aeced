import { describe, expect, it } from 'vitest';
import { connectPair, InvariantChecker, pair } from '../../src/sim/index.ts';

describe('pair', () => {
  it('gives two hosts that reach each other, over IPv4, IPv6 and Ethernet', () => {
    for (const options of [{}, { ipv6: true }, { medium: 'ethernet' as const }]) {
      const p = pair(options);
      const checker = new InvariantChecker([p.client, p.server]);
      checker.attach(p.network);
      const { client, server } = connectPair(p);
      expect([client.state, server.state]).toEqual(['ESTABLISHED', 'ESTABLISHED']);
      expect(client.remoteAddress).toBe(p.serverAddress);
      client.send(Uint8Array.of(1, 2, 3), 0, 3);
      p.network.run({ until: p.network.now + 15 });
      expect([...server.peek()]).toEqual([1, 2, 3]);
      server.consume(3);
      client.shutdown();
      server.shutdown();
      p.network.run();
      expect([client.state, server.state]).toEqual(['CLOSED', 'CLOSED']);
      checker.released(p.network);
      expect(checker.checks).toBeGreaterThan(10);
    }
  });

  it('derives sequence numbers from the seed', () => {
    const iss = (seed: number): number => connectPair(pair({ seed })).client.snd.iss;
    expect(iss(1)).toBe(iss(1));
    expect(iss(1)).not.toBe(iss(2));
  });

  it('throws when the ends do not meet', () => {
    const p = pair({ impairments: { loss: 1 } });
    expect(() => connectPair(p, 80, 5000)).toThrow(/no connection within 5000 ms: the client is SYN-SENT/);
  });
});
