// What TCP must do here: one test for each line of the plan, named after it; the finer points are in `test/rfc`.

import { describe, expect, test } from 'vitest';
import { DEFAULT_PROFILE } from '../../src/base/profile.ts';
import type { SegmentEvent, TraceEvent } from '../../src/base/trace.ts';
import type { Connection } from '../../src/tcp/connection.ts';
import { parseTcp, Segment } from '../../src/wire/tcp.ts';
import { drain, type End, end, feed, program, run } from '../host/wire.ts';

const SYN = 2;
const FIN = 1;
const ACK = 16;

interface Stage {
  readonly a: End;
  readonly b: End;
  /** The client's end, in ESTABLISHED or on its way. */
  readonly c: Connection;
  readonly client: ReturnType<typeof program>;
  /** The server's end, once it was accepted. */
  server(): { s: Connection; told: ReturnType<typeof program> };
}

function stage(): Stage {
  const a = end('a', '10.0.0.1/24');
  const b = end('b', '10.0.0.2/24');
  let served: { s: Connection; told: ReturnType<typeof program> } | null = null;
  b.host.listen({ port: 80 }, (s) => {
    served = { s, told: program(s) };
  });
  const c = a.host.connect({ address: '10.0.0.2', port: 80 });
  const client = program(c);
  return {
    a,
    b,
    c,
    client,
    server: () => {
      if (served === null) throw new Error('nothing was accepted');
      return served;
    },
  };
}

function states(e: End): string[] {
  return e.trace.filter((t) => t.type === 'state').map((t) => t.to);
}

function sent(e: End): SegmentEvent[] {
  return e.trace.filter((t: TraceEvent): t is SegmentEvent => t.type === 'segment' && t.dir === 'out');
}

function flagsOf(packet: Uint8Array): number {
  const seg = new Segment();
  return parseTcp(packet, 20, packet.length, seg) === null ? seg.flags : -1;
}

describe('1. opening', () => {
  test('three shakes: SYN x; SYN,ACK y, x+1; ACK x+1, y+1; the client is ESTABLISHED first, the server on the third', () => {
    const { a, b, c, server } = stage();
    expect([c.passive, c.state]).toEqual([false, 'SYN-SENT']);
    const [one] = drain(a);
    feed(b, one!);
    expect(b.host.connections()[0]!.state).toBe('SYN-RECEIVED');
    const [two] = drain(b);
    feed(a, two!);
    expect([c.state, b.host.connections()[0]!.state]).toEqual(['ESTABLISHED', 'SYN-RECEIVED']);
    const [three] = drain(a);
    feed(b, three!);
    expect([server().s.state, server().s.passive]).toEqual(['ESTABLISHED', true]);
    expect([one, two, three].map((p) => flagsOf(p!))).toEqual([SYN, SYN | ACK, ACK]);
    const [x, third] = sent(a);
    const [y] = sent(b);
    expect([y!.ack, third!.seq, third!.ack]).toEqual([(x!.seq + 1) | 0, (x!.seq + 1) | 0, (y!.seq + 1) | 0]);
    // The third uses no number: the next segment has x+1 again.
    c.send(Uint8Array.of(1), 0, 1);
    drain(a);
    expect(sent(a).at(-1)!.seq).toBe((x!.seq + 1) | 0);
  });

  test('the third ACK may carry data', () => {
    const { a, b, c, server } = stage();
    c.send(Uint8Array.of(1, 2, 3), 0, 3);
    run(a, b, 10);
    expect(server().told.read).toEqual([1, 2, 3]);
    expect(sent(a)[1]!.len).toBe(3);
  });

  test('the third ACK lost leaves ESTABLISHED and SYN-RECEIVED, and heals by the repeated SYN,ACK', () => {
    const { a, b, c, server } = stage();
    run(a, b, 500, (from, packet) => from === a && flagsOf(packet) === ACK);
    expect([c.state, b.host.connections()[0]!.state]).toEqual(['ESTABLISHED', 'SYN-RECEIVED']);
    run(a, b, 2000);
    expect(server().s.state).toBe('ESTABLISHED');
    expect(sent(b).filter((s) => (s.flags & SYN) !== 0)).toHaveLength(2);
  });

  test('each of the three may be lost once: the connection opens all the same', () => {
    for (let lost = 0; lost < 3; lost++) {
      const { a, b, c, server } = stage();
      let n = 0;
      run(a, b, 10_000, () => n++ === lost);
      expect([c.state, server().s.state]).toEqual(['ESTABLISHED', 'ESTABLISHED']);
    }
  });
});

describe('2. exchange', () => {
  test('two pipes of octets, not of messages: writes of 1+5+3 octets may be read as 9, both ways at once', () => {
    const { a, b, c, server } = stage();
    run(a, b, 10);
    for (const s of [c, server().s]) {
      for (const n of [1, 5, 3]) s.send(new Uint8Array(n).fill(n), 0, n);
    }
    run(a, b, 1000);
    const nine = [1, 5, 5, 5, 5, 5, 3, 3, 3];
    expect([server().told.read, a.trace.length > 0]).toEqual([nine, true]);
  });

  test('every segment of a conversation lost once, in turn: everything is counted, delivered once, and ended (trap 14)', () => {
    let total = 1;
    for (let lost = 0; lost < total; lost++) {
      const { a, b, c, client, server } = stage();
      let n = 0;
      const data = new Uint8Array(20_000).map((_, k) => k * 31);
      c.send(data, 0, data.length);
      c.shutdown();
      run(a, b, 20_000, () => n++ === lost);
      server().s.send(data, 0, 5000);
      server().s.shutdown();
      run(a, b, 200_000, () => n++ === lost);
      total = Math.max(total, n);
      expect([server().told.read.length, client.read.length]).toEqual([20_000, 5000]);
      expect(client.read).toEqual([...data.subarray(0, 5000)]);
      expect([client.log, server().told.log]).toEqual([
        ['open', 'ended', 'closed'],
        ['ended', 'closed'],
      ]);
      expect([a.host.connectionCount, b.host.connectionCount]).toEqual([0, 0]);
    }
    expect(total).toBeGreaterThan(20);
  });
});

describe('3. closing, by either side', () => {
  const sides = ['client', 'server'] as const;

  test.each(sides)(
    'the %s first: four waves, half-close with the other side sending as long as it likes (trap 20)',
    (first) => {
      const { a, b, c, client, server } = stage();
      run(a, b, 10);
      const [active, passive] = first === 'client' ? [c, server().s] : [server().s, c];
      const [activeEnd, passiveEnd] = first === 'client' ? [a, b] : [b, a];
      const told = first === 'client' ? client : server().told;
      active.shutdown();
      run(a, b, 10);
      expect([active.state, passive.state]).toEqual(['FIN-WAIT-2', 'CLOSE-WAIT']);
      run(a, b, 7_200_000);
      const data = new Uint8Array(300_000).map((_, k) => k % 251);
      passive.send(data, 0, data.length);
      run(a, b, 10_000);
      expect(told.read.length).toBe(300_000);
      passive.shutdown();
      run(a, b, 10);
      expect([active.state, passive.state]).toEqual(['TIME-WAIT', 'CLOSED']);
      run(a, b, 59_000);
      expect(active.state).toBe('TIME-WAIT');
      run(a, b, 1000);
      expect(active.state).toBe('CLOSED');
      expect(states(activeEnd).slice(-4)).toEqual(['FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT', 'CLOSED']);
      expect(states(passiveEnd).slice(-3)).toEqual(['CLOSE-WAIT', 'LAST-ACK', 'CLOSED']);
    },
  );

  test('FIN uses one number, also without data', () => {
    const { a, b, c } = stage();
    run(a, b, 10);
    c.shutdown();
    run(a, b, 10);
    const fin = sent(a).find((s) => (s.flags & FIN) !== 0)!;
    expect(sent(b).at(-1)!.ack).toBe((fin.seq + 1) | 0);
    expect(fin.flags & ACK).toBe(ACK);
  });

  test('three waves when the passive side has nothing left', () => {
    const { a, b, c } = stage();
    run(a, b, 10);
    const server = b.host.connections()[0]!;
    server.handler = { onReadable: (s) => s.ended && s.shutdown() };
    c.shutdown();
    run(a, b, 10);
    expect(states(a).slice(-2)).toEqual(['FIN-WAIT-1', 'TIME-WAIT']);
    expect(
      sent(b)
        .filter((s) => s.len === 0)
        .at(-1)!.flags,
    ).toBe(FIN | ACK);
  });

  test('the last ACK lost brings the FIN again, which is answered again, and 2MSL starts anew', () => {
    const { a, b, c, server } = stage();
    run(a, b, 10);
    c.shutdown();
    run(a, b, 10);
    const from = a.host.now;
    let lost = 0;
    server().s.shutdown();
    run(a, b, 150, (e) => e === a && lost++ === 0);
    expect([c.state, server().s.state]).toEqual(['TIME-WAIT', 'LAST-ACK']);
    run(a, b, 1000);
    expect(server().s.state).toBe('CLOSED');
    const waits = a.trace.filter((t) => t.type === 'time-wait');
    expect(waits.map((t) => t.again)).toEqual([false, true]);
    expect(waits[1]!.until - from).toBeGreaterThan(DEFAULT_PROFILE.timeWait + 150);
  });

  test('a FIN lost in FIN-WAIT-1, LAST-ACK or CLOSING is sent again: both ends reach CLOSED (trap 17)', () => {
    for (const order of ['client', 'server', 'both'] as const) {
      for (const loser of ['a', 'b'] as const) {
        const { a, b, c, server } = stage();
        run(a, b, 10);
        const s = server().s;
        let lost = false;
        const lose = (from: End, packet: Uint8Array): boolean => {
          if (lost || from.host.name !== loser || (flagsOf(packet) & FIN) === 0) return false;
          lost = true;
          return true;
        };
        if (order !== 'server') c.shutdown();
        if (order !== 'client') s.shutdown();
        run(a, b, 2000, lose);
        c.shutdown();
        s.shutdown();
        run(a, b, 200_000, lose);
        expect([lost, c.state, s.state]).toEqual([true, 'CLOSED', 'CLOSED']);
        expect([c.error, s.error]).toEqual([null, null]);
      }
    }
  });
});

describe('4. both ends at once, refusal, abort', () => {
  test('simultaneous open and close: SYN-RECEIVED and CLOSING on both ends, one connection', () => {
    const a = end('a', '10.0.0.1/24');
    const b = end('b', '10.0.0.2/24');
    const one = a.host.connect({ address: '10.0.0.2', port: 5000, localPort: 6000 });
    const two = b.host.connect({ address: '10.0.0.1', port: 6000, localPort: 5000 });
    const programs = [program(one), program(two)];
    run(a, b, 100);
    one.shutdown();
    two.shutdown();
    run(a, b, 100_000);
    for (const e of [a, b]) {
      expect(states(e)).toEqual([
        'SYN-SENT',
        'SYN-RECEIVED',
        'ESTABLISHED',
        'FIN-WAIT-1',
        'CLOSING',
        'TIME-WAIT',
        'CLOSED',
      ]);
    }
    for (const p of programs) expect(p.log).toEqual(['open', 'ended', 'closed']);
  });

  test('refusal: a port where nobody listens answers RST at once', () => {
    const { a, b } = stage();
    const c = a.host.connect({ address: '10.0.0.2', port: 81 });
    const p = program(c);
    run(a, b, 10);
    expect(p.log).toEqual(['closed ECONNREFUSED']);
  });

  test('abort: the other end learns of it by RST: ECONNRESET; unsent octets are lost', () => {
    const { a, b, c, client, server } = stage();
    run(a, b, 10);
    c.send(new Uint8Array(100), 0, 100);
    c.abort();
    run(a, b, 10);
    expect(client.log).toEqual(['open', 'closed']);
    expect(server().told.log).toEqual(['closed ECONNRESET']);
    expect(server().told.read).toEqual([]);
    expect([a.host.connectionCount, b.host.connectionCount]).toEqual([0, 0]);
  });

  test('an abort whose RST is lost: the next segment of the other end is answered by RST (trap 39)', () => {
    const { a, b, c, server } = stage();
    run(a, b, 10);
    c.abort();
    run(a, b, 10, (from) => from === a);
    expect(server().s.state).toBe('ESTABLISHED');
    server().s.send(new Uint8Array(5), 0, 5);
    run(a, b, 10);
    expect(server().told.log).toEqual(['closed ECONNRESET']);
  });
});
