// What a connection tells of itself by the names of Linux's TCP_INFO, and a host by those of nstat.

import { describe, expect, test } from 'vitest';
import { nstat } from '../../src/host/nstat.ts';
import { tcpInfo } from '../../src/tcp/info.ts';
import { established, Peer, synSent } from '../rfc/peer.ts';

/** A connection whose program has written 3000 octets in segments of 1000, all in flight. */
function threeInFlight(): { p: Peer; c: NonNullable<ReturnType<typeof established>['connection']> } {
  const p = new Peer();
  const a = established(p, { syn: 'sackOK', ws: 7 });
  a.connection!.send(new Uint8Array(3000), 0, 3000);
  expect(p.out()).toHaveLength(3);
  return { p, c: a.connection! };
}

describe('info', () => {
  test('a fresh connection tells its options, windows and segments', () => {
    const p = new Peer({ mtu: 1400 });
    const info = tcpInfo(established(p, { syn: 'sackOK', ws: 7 }).connection!);
    expect(info).toMatchObject({
      tcpi_state: 1,
      tcpi_ca_state: 0,
      tcpi_options: 2 | 4,
      tcpi_snd_wscale: 7,
      tcpi_rcv_wscale: 4,
      tcpi_snd_mss: 1000,
      tcpi_advmss: 1360,
      tcpi_pmtu: 1400,
      tcpi_segs_in: 2,
      tcpi_segs_out: 1,
      tcpi_data_segs_in: 0,
      tcpi_bytes_acked: 0,
      tcpi_snd_ssthresh: 0x7fffffff,
      tcpi_snd_cwnd: 10,
      tcpi_delivered: 1,
    });
  });

  test('what is in flight, reported and lost is told in segments, octets beside it', () => {
    const { p, c } = threeInFlight();
    p.advance(20);
    p.send('. 1 ack=1001 sack=2001-3001');
    p.out();
    expect(tcpInfo(c)).toMatchObject({
      tcpi_unacked: 2,
      tcpi_sacked: 1,
      tcpi_bytes_acked: 1000,
      tcpi_bytes_sent: 5000,
      tcpi_bytes_retrans: 2000,
      tcpi_data_segs_out: 5,
      tcpi_delivered: 3,
      tcpi_rtt: 2500,
      tcpi_min_rtt: 0,
      tcpi_ca_state: 3,
    });
  });

  test('a timeout after a tail loss probe is told: retransmissions, back-off, copies, state of loss', () => {
    const { p, c } = threeInFlight();
    p.advance(300);
    expect(tcpInfo(c)).toMatchObject({
      tcpi_ca_state: 4,
      tcpi_retransmits: 1,
      tcpi_backoff: 1,
      tcpi_total_retrans: 2,
      tcpi_retrans: 1,
      tcpi_bytes_retrans: 2000,
      tcpi_bytes_sent: 5000,
      tcpi_total_rto: 1,
      tcpi_last_data_sent: 98,
      tcpi_rto: 400_000,
    });
  });

  test('octets received, out of order and not read are told', () => {
    const p = new Peer();
    const { connection } = established(p, { reads: false, syn: 'sackOK' });
    p.send('P. 1:10');
    p.send('P. 21:10');
    p.advance(70);
    expect(tcpInfo(connection!)).toMatchObject({
      tcpi_bytes_received: 10,
      tcpi_data_segs_in: 2,
      tcpi_rcv_ooopack: 1,
      tcpi_last_data_recv: 70,
      tcpi_segs_in: 4,
    });
  });

  test('time with something to send is told, and what part of it the peer had its window shut', () => {
    const p = new Peer();
    const c = established(p).connection!;
    p.advance(100);
    c.send(new Uint8Array(500), 0, 500);
    p.out();
    p.advance(30);
    p.send('. 1 ack=501 win=0');
    p.out();
    p.advance(1000);
    expect(tcpInfo(c)).toMatchObject({ tcpi_busy_time: 30_000, tcpi_rwnd_limited: 0 });
    c.send(new Uint8Array(10), 0, 10);
    p.advance(150);
    expect(tcpInfo(c)).toMatchObject({ tcpi_busy_time: 180_000, tcpi_rwnd_limited: 150_000, tcpi_notsent_bytes: 10 });
  });

  test('a connection that is over tells its state and what it had carried', () => {
    const { p, c } = threeInFlight();
    p.send('R 1');
    p.out();
    expect(tcpInfo(c)).toMatchObject({ tcpi_state: 7, tcpi_bytes_sent: 3000 });
  });
});

describe('nstat', () => {
  test('openings, the open ones, failures and resets', () => {
    const p = new Peer();
    const a = established(p);
    expect(nstat(p.host.counters)).toMatchObject({ TcpPassiveOpens: 1, TcpCurrEstab: 1, TcpInSegs: 2, TcpOutSegs: 1 });
    a.connection!.abort();
    p.out();
    expect(nstat(p.host.counters)).toMatchObject({ TcpCurrEstab: 0, TcpEstabResets: 1, TcpOutRsts: 1, TcpOutSegs: 2 });
  });

  test('an opening that is refused', () => {
    const p = new Peer();
    synSent(p);
    p.send('R. 0 ack=1');
    expect(nstat(p.host.counters)).toMatchObject({ TcpActiveOpens: 1, TcpAttemptFails: 1 });
  });

  test('a connection in CLOSE-WAIT counts as open, one in TIME-WAIT does not', () => {
    const p = new Peer();
    const a = established(p);
    p.send('F. 1 ack=1');
    p.out();
    expect(nstat(p.host.counters).TcpCurrEstab).toBe(1);
    a.connection!.shutdown();
    p.out();
    expect(nstat(p.host.counters)).toMatchObject({ TcpCurrEstab: 0, TcpEstabResets: 0 });
  });

  test('timeouts, retransmissions, recoveries, challenges and out-of-order segments', () => {
    const { p } = threeInFlight();
    p.send('R 500');
    p.send('S 700');
    p.send('. 11:5');
    p.out();
    p.advance(300);
    expect(nstat(p.host.counters)).toMatchObject({
      TcpExtTCPChallengeACK: 1,
      TcpExtTCPSYNChallenge: 0,
      TcpExtTCPOFOQueue: 1,
      TcpExtTCPTimeouts: 1,
      TcpRetransSegs: 2,
      TcpExtTCPLossProbes: 1,
      TcpExtTCPSlowStartRetrans: 1,
    });
  });

  test('a fast recovery and the copies it sends', () => {
    const { p } = threeInFlight();
    p.advance(20);
    for (let i = 0; i < 3; i++) p.send('. 1 ack=1');
    p.send('. 1 ack=1 sack=1001-3001');
    p.advance(60);
    expect(nstat(p.host.counters)).toMatchObject({ TcpExtTCPSackRecovery: 1, TcpExtTCPFastRetrans: 1 });
  });

  test('an aborted close says why', () => {
    const p = new Peer();
    const a = established(p, { reads: false });
    p.send('P. 1:10');
    p.out();
    a.connection!.close();
    expect(nstat(p.host.counters).TcpExtTCPAbortOnData).toBe(1);
  });

  test('headers that are none count as errors, checksums on their own', () => {
    const p = new Peer();
    established(p);
    const packets = p.packets.length;
    p.send('P. 1:10', new Uint8Array(10));
    const segment = forged(p);
    p.inject(segment, segment.length);
    expect(p.packets).toHaveLength(packets);
    expect(nstat(p.host.counters)).toMatchObject({ TcpInErrs: 1, TcpInCsumErrors: 1, TcpInSegs: 4 });
  });
});

/** A segment to the host's port 80 with a checksum that is wrong. */
function forged(p: Peer): Uint8Array {
  const out = p.packets[0]!.slice();
  const [source, destination] = [out.slice(12, 16), out.slice(16, 20)];
  out.set(destination, 12);
  out.set(source, 16);
  out[out.length - 1]! ^= 1;
  return out;
}
