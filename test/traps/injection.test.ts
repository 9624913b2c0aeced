// Traps 1 to 5, 21, 22, 35, 42, 56: segments and errors that somebody else sent in the peer's name.

import { describe, expect, it } from 'vitest';
import { pair } from '../../src/sim/index.ts';
import { INTO, LISTEN, OPEN, passes } from './script.ts';

describe.each(['default', 'linux', 'freebsd', 'rfc'] as const)('a blind reset, %s', (profile) => {
  it(`trap 1: RST behind RCV.NXT earns a challenge ACK, beyond the window nothing, at RCV.NXT it ends (${profile})`, () => {
    const server = OPEN.replace('> S. 0:0(0) ack 1 <mss 1460>', '> S. 0:0(0) ack 1 <...>');
    passes(
      `${server}
       +.1 < R 2:2(0) win 0
       +0 > . 1:1(0) ack 1
       +1 < R 9000001:9000001(0) win 0
       +0 %{ assert tcpi_state == TCP_ESTABLISHED }%
       +1 < R 1:1(0) win 0
       +0 %{ assert tcpi_state == TCP_CLOSE }%
       +0 read(4, ..., 1) = -1 ECONNRESET`,
      profile,
    );
  });
});

it.each(Object.entries(INTO))(
  'trap 2: %s: a SYN in the window earns a challenge ACK, the state stays (default)',
  (state, to) => {
    passes(`${OPEN}${to.steps}
    +.1 < S ${to.rn + 10}:${to.rn + 10}(0) win 65535 <mss 1000>
    +0 > . ${to.nxt}:${to.nxt}(0) ack ${to.rn}
    +0 %{ assert tcpi_state == TCP_${state}, tcpi_state }%`);
  },
);

it('trap 3: text whose ACK is older than any window ever was is not taken (default)', () => {
  passes(`${OPEN}
    +.1 < P. 1:101(100) ack ${1 - 2 ** 30} win 65535
    +0 > . 1:1(0) ack 1
    +0 ioctl(4, SIOCINQ, [0]) = 0`);
});

it('trap 4: challenge ACKs are counted by connection: 200 on one leave those of another alone (default)', () => {
  const storm = Array.from({ length: 200 }, () => '+0 < 1001 > 8080 R 50:50(0) win 0').join('\n');
  passes(`${LISTEN}
    +0 < 1001 > 8080 S 0:0(0) win 65535 <mss 1000>
    +0 > 8080 > 1001 S. 0:0(0) ack 1 <...>
    +0 < 1002 > 8080 S 0:0(0) win 65535 <mss 1000>
    +0 > 8080 > 1002 S. 0:0(0) ack 1 <...>
    +.1 < 1001 > 8080 . 1:1(0) ack 1 win 65535
    +0 < 1002 > 8080 . 1:1(0) ack 1 win 65535
    ${storm}
    +0 > 8080 > 1001 . 1:1(0) ack 1
    +0 < 1002 > 8080 R 50:50(0) win 0
    +0 > 8080 > 1002 . 1:1(0) ack 1`);
});

it('trap 5: two ends that no longer agree on the numbers exchange two ACKs a second at most (default)', () => {
  const p = pair({ impairments: { delay: 1 } });
  let server = null as ReturnType<typeof p.client.connect> | null;
  p.server.listen({ port: 80 }, (c) => {
    server = c;
  });
  const client = p.client.connect({ address: p.serverAddress, port: 80 });
  p.network.run({ until: 1000 });
  for (const c of [client, server!]) {
    c.snd.una = (c.snd.una - 1000) | 0;
    c.snd.nxt = c.snd.una;
    c.snd.base = c.snd.una;
  }
  const before = p.server.counters.segmentsOut + p.client.counters.segmentsOut;
  // Each says a number that the other has long had, and answers the other's with its own.
  client.ackNow = true;
  client.env.touch(client);
  p.network.run({ until: 61_000 });
  const sent = p.server.counters.segmentsOut + p.client.counters.segmentsOut - before;
  expect(sent).toBeGreaterThan(0);
  expect(sent).toBeLessThanOrEqual(120);
});

const TIME_WAIT = `${OPEN}${INTO['FIN_WAIT2']!.steps}
  +0 < F. 1:1(0) ack 2 win 65535
  +0 > . 2:2(0) ack 2`;

it('trap 21: a RST does not end TIME-WAIT; it lasts its 60 s (default)', () => {
  passes(`${TIME_WAIT}
    +1 < R 2:2(0) win 0
    +58.999 %{ assert tcpi_state == TCP_TIME_WAIT, tcpi_state }%
    +.002 %{ assert tcpi_state == TCP_CLOSE, tcpi_state }%`);
});

it('trap 21: RFC 9293 and Linux let a RST at RCV.NXT end TIME-WAIT (linux)', () => {
  passes(
    `${TIME_WAIT.replace('ack 1 <mss 1460>', 'ack 1 <...>')}
     +1 < R 2:2(0) win 0
     +0 %{ assert tcpi_state == TCP_CLOSE, tcpi_state }%`,
    'linux',
  );
});

it('trap 22: in TIME-WAIT a SYN with an older timestamp is answered by an ACK, a later one opens (default)', () => {
  passes(`${LISTEN}
    +0 < S 0:0(0) win 65535 <mss 1000,sackOK,TS val 1000 ecr 0>
    +0 > S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 100 ecr 1000>
    +.1 < . 1:1(0) ack 1 win 65535 <nop,nop,TS val 1100 ecr 100>
    +0 accept(3, ..., ...) = 4
    +0 shutdown(4, SHUT_WR) = 0
    +0 > F. 1:1(0) ack 1 <nop,nop,TS val 200 ecr 1100>
    +.1 < F. 1:1(0) ack 2 win 65535 <nop,nop,TS val 1200 ecr 200>
    +0 > . 2:2(0) ack 2 <nop,nop,TS val 300 ecr 1200>
    +1 < S 5000:5000(0) win 65535 <mss 1000,sackOK,TS val 900 ecr 0>
    +0 > . 2:2(0) ack 2 <nop,nop,TS val 400 ecr 1200>
    +1 < S 1:1(0) win 65535 <mss 1000,sackOK,TS val 9000 ecr 0>
    +0 > S. 0:0(0) ack 2 <mss 1460,sackOK,TS val 500 ecr 9000>`);
});

it('trap 22: without timestamps the SYN has to be beyond RCV.NXT (default)', () => {
  passes(`${TIME_WAIT}
    +1 < S 1:1(0) win 65535 <mss 1000>
    +0 > . 2:2(0) ack 2
    +1 < S 3:3(0) win 65535 <mss 1000>
    +0 > S. 0:0(0) ack 4 <mss 1460>`);
});

it.each([
  ['port_unreachable', '[1:101(100)]'],
  ['protocol_unreachable', '[1:101(100)]'],
  ['host_unreachable', '[1:101(100)]'],
  ['port_unreachable', '[5000:5000(0)]'],
])('trap 35: ICMP %s about %s does not end an open connection (default)', (code, quoted) => {
  passes(`${OPEN}
    +0 write(4, ..., 100) = 100
    +0 > P. 1:101(100) ack 1
    +.05 < icmp unreachable ${code} ${quoted}
    +.05 < . 1:1(0) ack 101 win 65535
    +0 %{ assert tcpi_state == TCP_ESTABLISHED }%
    +0 write(4, ..., 100) = 100
    +0 > P. 101:201(100) ack 1`);
});

it('trap 42: an ACK of what was never sent is answered and opens no window (default)', () => {
  passes(`${OPEN}
    +0 write(4, ..., 1000) = 1000
    +0 > P. 1:1001(1000) ack 1
    +.1 < . 1:1(0) ack 2461 win 65535
    +0 > . 1001:1001(0) ack 1
    +0 %{ assert tcpi_snd_cwnd == 10 and tcpi_unacked == 1 }%`);
});

it.each(['LISTEN', ...Object.keys(INTO)])(
  'trap 56: %s: SYN and FIN in one segment is a scan: dropped in silence (default)',
  (state) => {
    const to = INTO[state];
    const at = to === undefined ? 0 : to.rn;
    const after = state === 'LISTEN' ? '+.1 < S 0:0(0) win 1000 <mss 1000>\n+0 > S. 0:0(0) ack 1 <mss 1460>' : '';
    passes(`${to === undefined ? LISTEN : OPEN + to.steps}
    +.1 < SF ${at}:${at}(0) win 65535
    +.05 < SF. ${at}:${at}(0) ack 1 win 65535
    ${after}`);
  },
);
