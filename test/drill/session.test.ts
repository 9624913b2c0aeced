// A script's requests, answered: blocking calls, virtual time, errors, and what shell lines may ask.

import { describe, expect, it } from 'vitest';
import { OP } from '../../src/drill/index.ts';
import { address, Judge, PEER, segment } from './judge.ts';

const RESULT = 0;
const PACKET = 1;
const COMPLETE = 2;
const BLOCKED = 3;
const SYN = 2;
const ACK = 16;
const PSH = 8;

function listening(profile = 'linux'): Judge {
  const judge = new Judge(profile);
  expect(judge.last(OP.SOCKET, -1, ['i32', 2], ['i32', 1], ['i32', 6]).ret).toBe(0);
  expect(judge.last(OP.BIND, 0, address(8080, 0)).ret).toBe(0);
  expect(judge.last(OP.LISTEN, 0, ['i32', 1]).ret).toBe(0);
  return judge;
}

/** The peer's SYN and the ACK of ours; returns our initial sequence number. */
function open(judge: Judge): number {
  const [synAck] = judge.inject(0, 0, SYN);
  if (synAck === undefined) throw new Error('no answer to a SYN');
  expect(synAck.kind).toBe(PACKET);
  const iss = segment(synAck).seq;
  judge.inject(1, (iss + 1) | 0, ACK);
  return iss;
}

function accepted(): { judge: Judge; iss: number } {
  const judge = listening();
  const iss = open(judge);
  expect(judge.last(OP.ACCEPT, 0).ret).toBe(1);
  return { judge, iss };
}

const recv = (size: number, kind = 0): ['u32' | 'i32' | 'u8' | 'u16', number][] => [
  ['u32', size],
  ['i32', 0],
  ['u8', kind],
  ['u8', 0],
  ['u16', 1],
  ['u32', 0],
];

function write(judge: Judge, fd: number, octets: number) {
  return judge.call(
    OP.SEND,
    fd,
    ['i32', 0],
    ['u8', 0],
    ['u8', 0],
    ['u16', 1],
    new Uint8Array(20),
    ['u32', 0],
    new Uint8Array(octets),
  );
}

describe('calls of a script', () => {
  it('a blocking accept is answered BLOCKED, and completes with the packet that opens the connection', () => {
    const judge = listening();
    expect(judge.last(OP.ACCEPT, 0).kind).toBe(BLOCKED);
    const [synAck] = judge.inject(0, 0, SYN);
    judge.now += 1234;
    const frames = judge.inject(1, (segment(synAck!).seq + 1) | 0, ACK);
    expect(frames.map((f) => f.kind)).toEqual([COMPLETE, RESULT]);
    expect(frames[0]).toMatchObject({ ret: 1, time: 1234 });
    expect(frames[0]?.payload.length).toBe(20);
  });

  it('a non-blocking accept, read and connect say EAGAIN and EINPROGRESS', () => {
    const judge = listening();
    judge.call(OP.FCNTL, 0, ['i32', 4], ['i32', 2 | 2048]);
    expect(judge.last(OP.FCNTL, 0, ['i32', 3], ['i32', 0]).ret).toBe(2 | 2048);
    expect(judge.last(OP.ACCEPT, 0)).toMatchObject({ ret: -1, errno: 11 });
    judge.call(OP.SOCKET, -1, ['i32', 2], ['i32', 1 | 2048], ['i32', 0]);
    const frames = judge.call(OP.CONNECT, 1, PEER);
    expect(frames.map((f) => f.kind)).toEqual([PACKET, RESULT]);
    expect(frames[1]).toMatchObject({ ret: -1, errno: 115 });
    expect(judge.last(OP.CONNECT, 1, PEER)).toMatchObject({ ret: -1, errno: 114 });
  });

  it('a blocking read returns what a packet brought, and its count leads the payload', () => {
    const { judge, iss } = accepted();
    expect(judge.last(OP.RECV, 1, ...recv(100)).kind).toBe(BLOCKED);
    const frames = judge.inject(1, (iss + 1) | 0, ACK | PSH, 40);
    const done = frames.find((f) => f.kind === COMPLETE);
    expect(done?.ret).toBe(40);
    expect(new DataView(done!.payload.buffer, done!.payload.byteOffset).getUint32(0, true)).toBe(40);
    expect(done?.payload.length).toBe(48);
  });

  it('an unknown descriptor and an unknown operation are errors, not crashes', () => {
    const judge = listening();
    expect(judge.last(OP.ACCEPT, 17)).toMatchObject({ ret: -1, errno: 9 });
    expect(judge.last(99, 0)).toMatchObject({ ret: -1, errno: 38 });
    expect(judge.last(OP.RECV, 0, ...recv(10))).toMatchObject({ ret: -1, errno: 107 });
    expect(judge.last(OP.GETSOCKOPT, 0, ['i32', 6], ['i32', 250], ['u32', 4])).toMatchObject({ ret: -1, errno: 92 });
  });

  it('poll gives up at its own time when nothing happens', () => {
    const judge = listening();
    const ask = judge.last(OP.POLL, -1, ['i32', 300], ['u32', 1], ['i32', 0], ['u16', 1], ['u16', 0]);
    expect(ask.kind).toBe(BLOCKED);
    const frames = judge.run(2);
    expect(frames.map((f) => [f.kind, f.ret, f.time])).toEqual([
      [COMPLETE, 0, 300_000],
      [RESULT, 0, 300_000],
    ]);
  });

  it('closing with octets unread resets', () => {
    const { judge, iss } = accepted();
    judge.inject(1, (iss + 1) | 0, ACK | PSH, 40);
    const frames = judge.call(OP.CLOSE, 1);
    expect(frames.map((f) => f.kind)).toEqual([PACKET, RESULT]);
    expect(segment(frames[0]!)).toMatchObject({ flags: 4 | ACK, ack: 41 });
  });
});

describe('virtual time', () => {
  it('a SYN is repeated after exactly one second and then two more', () => {
    const judge = new Judge('linux');
    judge.call(OP.SOCKET, -1, ['i32', 2], ['i32', 1 | 2048], ['i32', 0]);
    judge.call(OP.CONNECT, 0, PEER);
    expect(judge.run(1).map((f) => [f.kind, f.time])).toEqual([
      [PACKET, 1_000_000],
      [RESULT, 1_000_000],
    ]);
    expect(judge.run(1)[0]).toMatchObject({ kind: PACKET, time: 3_000_000 });
  });

  it('advancing fires what is due on the way, at its own time', () => {
    const { judge } = accepted();
    const [packet] = write(judge, 1, 10);
    expect(packet?.kind).toBe(PACKET);
    const frames = judge.advance(1_000_000);
    expect(frames.filter((f) => f.kind === PACKET).length).toBeGreaterThan(0);
    expect(frames[0]?.time).toBeLessThan(1_000_000);
    expect(frames[frames.length - 1]).toMatchObject({ kind: RESULT, time: 1_000_000 });
  });

  it('the same script gives the same frames twice', () => {
    const once = (): string => {
      const { judge } = accepted();
      return JSON.stringify([write(judge, 1, 5000), judge.advance(5_000_000)]);
    };
    expect(once()).toBe(once());
  });

  it('an idle host leaves the clock alone', () => {
    const judge = listening();
    judge.now = 5;
    expect(judge.run(1)).toMatchObject([{ kind: RESULT, time: 5 }]);
  });
});

describe('shell lines', () => {
  it('settings change the host, unknown ones are refused', () => {
    const judge = listening();
    expect(judge.system('../common/defaults.sh')).toBe(0);
    expect(judge.system('sysctl -q net.ipv4.tcp_sack=0')).toBe(0);
    expect(judge.system('../common/set_sysctls.py /proc/sys/net/ipv4/tcp_syn_retries=1')).toBe(0);
    expect(judge.system('sysctl -w net.inet.tcp.delacktime=10')).toBe(0);
    expect(judge.system('sysctl -q net.ipv4.no_such_thing=1')).toBe(1);
    expect(judge.system('rm -rf /')).toBe(1);
  });

  it('settings of sockets are seen by those that set nothing else', () => {
    const judge = listening();
    const read = (name: number): number => {
      const { payload } = judge.last(OP.GETSOCKOPT, 0, ['i32', 6], ['i32', name], ['u32', 4]);
      return new DataView(payload.buffer, payload.byteOffset).getInt32(0, true);
    };
    expect([read(4), read(5), read(6)]).toEqual([7200, 75, 9]);
    judge.system('sysctl -q net.ipv4.tcp_keepalive_time=60');
    judge.system('sysctl -w net.inet.tcp.keepintvl=5000');
    judge.system('sysctl -w net.inet.tcp.keepcnt=3');
    expect([read(4), read(5), read(6)]).toEqual([60, 5, 3]);
    judge.system('sysctl -q net.ipv4.tcp_rmem="4096 10000 2097152"');
    const { payload } = judge.last(OP.GETSOCKOPT, 0, ['i32', 1], ['i32', 8], ['u32', 4]);
    expect(new DataView(payload.buffer, payload.byteOffset).getInt32(0, true)).toBe(10_000);
  });

  it('what a socket was told of its segments it tells before it is open only on a recent machine', () => {
    const told = (judge: Judge): number => {
      judge.call(OP.SOCKET, -1, ['i32', 2], ['i32', 1], ['i32', 0]);
      judge.call(OP.SETSOCKOPT, 0, ['i32', 6], ['i32', 2], ['i32', 1100]);
      const { payload } = judge.last(OP.GETSOCKOPT, 0, ['i32', 6], ['i32', 2], ['u32', 4]);
      return new DataView(payload.buffer, payload.byteOffset).getInt32(0, true);
    };
    expect(told(new Judge())).toBe(536);
    const recent = new Judge();
    recent.system('./defaults.sh');
    expect(told(recent)).toBe(1100);
  });

  it.each([
    ['net.ipv4.tcp_retries1=5', 'troubleRetries', 5],
    ['net.ipv4.tcp_dsack=0', 'dsack', false],
    ['net.ipv4.tcp_mtu_probing=1', 'mtuProbing', 'black-hole'],
    ['net.ipv4.tcp_mtu_probing=2', 'mtuProbing', 'always'],
    ['net.ipv4.tcp_base_mss=1400', 'mtuBase', 1400],
    ['net.ipv4.tcp_mtu_probe_floor=48', 'mtuFloor', 48],
    ['net.ipv4.tcp_probe_interval=60', 'mtuRaise', 60_000],
    ['net.ipv4.tcp_probe_threshold=16', 'mtuThreshold', 16],
    ['net.ipv4.tcp_moderate_rcvbuf=0', 'receiveAutotune', false],
    ['net.ipv4.tcp_frto=0', 'frto', false],
    ['net.ipv4.tcp_no_metrics_save=0', 'shareMetrics', 'path'],
    ['net.ipv4.tcp_min_tso_segs=10', 'superSegmentLeast', 10],
    ['net.ipv4.tcp_tso_win_divisor=100', 'superSegmentDivisor', 100],
    ['net.ipv4.tcp_slow_start_after_idle=0', 'idleRestart', 'none'],
    ['net.ipv4.tcp_notsent_lowat=4000', 'notSentLowWater', 4000],
    ['net.ipv4.tcp_early_retrans=1', 'earlyRetransmit', 'quick'],
    ['net.ipv4.tcp_recovery=0', 'lossDetection', 'sack'],
    ['net.ipv4.tcp_syncookies=2', 'synCookies', 'always'],
    ['net.ipv4.tcp_abort_on_overflow=1', 'abortOnOverflow', true],
    ['net.inet.tcp.rexmit_slop=0', 'rtoSlop', 0],
    ['net.inet.tcp.keepinit=5000', 'openTimeout', 5000],
  ] as const)('%s sets %s', (line, field, value) => {
    const judge = listening(line.includes('inet') ? 'freebsd' : 'linux');
    expect(judge.session.host?.profile[field]).not.toBe(value);
    expect(judge.system(`sysctl -q ${line}`)).toBe(0);
    expect(judge.session.host?.profile[field]).toBe(value);
  });

  it('counts connections by state', () => {
    const { judge } = accepted();
    expect(judge.system('sockstat -4 -P tcp | grep -c ESTABLISHED | grep 1')).toBe(0);
    expect(judge.system('sockstat -4 -P tcp | grep -c ESTABLISHED | grep 2')).toBe(1);
  });

  it('the default set of a suite widens the window scale from 6 to 8', () => {
    const scale = (judge: Judge): number | undefined => {
      judge.call(OP.SOCKET, -1, ['i32', 2], ['i32', 1 | 2048], ['i32', 0]);
      return judge.call(OP.CONNECT, 0, PEER)[0]?.payload.at(-1);
    };
    expect(scale(new Judge())).toBe(6);
    const after = new Judge();
    after.system('./defaults.sh');
    expect(scale(after)).toBe(8);
  });
});

describe('TCP_INFO', () => {
  it('tells state, segment sizes and what is in flight', () => {
    const { judge } = accepted();
    write(judge, 1, 1072);
    const answer = judge.last(OP.GETSOCKOPT, 1, ['i32', 6], ['i32', 11], ['u32', 280]);
    expect(answer.payload.length).toBe(280);
    const v = new DataView(answer.payload.buffer, answer.payload.byteOffset);
    expect(v.getUint8(0)).toBe(1);
    expect(v.getUint32(16, true)).toBe(536);
    expect(v.getUint32(24, true)).toBe(2);
    expect(v.getUint32(80, true)).toBe(10);
    expect(v.getUint32(136, true)).toBe(3);
  });
});
