// The language of scripts: what is read, what is refused and where, and what makes a script fail.

import { describe, expect, it } from 'vitest';
import { type DrillResult, parseScript, type RunOptions, runScript, ScriptError } from '../../src/drill/index.ts';

/** A server that listens as descriptor 3. */
const LISTEN = `
 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
`;
/** A connection that is open as descriptor 4, without options but the MSS. */
const OPEN = `${LISTEN}
+0 < S 0:0(0) win 32792 <mss 1000>
+0 > S. 0:0(0) ack 1 <...>
+.1 < . 1:1(0) ack 1 win 32792
+0 accept(3, ..., ...) = 4
`;

const run = (text: string, options: RunOptions = {}): DrillResult => runScript(text, options);

function passes(text: string, options: RunOptions = {}): void {
  expect(run(text, options).failure).toBeNull();
}

/** `[line, column]` from the end of what stands before, and the message. */
function failure(text: string, options: RunOptions = {}): string {
  const { outcome, failure: f } = run(text, options);
  return f === null ? 'passed' : `${outcome} ${f.line}:${f.column} ${f.message}`;
}

describe('times', () => {
  it('absolute, relative, ranges and * count as they should', () => {
    passes(`${LISTEN}
      0.5 < S 0:0(0) win 1000 <mss 1000>
      0.5 > S. 0:0(0) ack 1 <...>
      +.9~+1.1 > S. 0:0(0) ack 1 <...>
      * > S. 0:0(0) ack 1 <...>
      3.6~4 < . 1:1(0) ack 1 win 1000
      +0 accept(3, ..., ...) = 4`);
  });

  it('behind an event of unsure time, + counts from when it happened', () => {
    passes(`${OPEN}
      +0 write(4, ..., 100) = 100
      +0 > P. 1:101(100) ack 1
      * > P. 1:101(100) ack 1
      +.1 < . 1:1(0) ack 101 win 1000`);
  });

  it('a packet that comes late fails with both times', () => {
    const text = `${LISTEN}+0 < S 0:0(0) win 1000 <mss 1000>\n+0 > S. 0:0(0) ack 1 <...>\n+.5 > S. 0:0(0) ack 1 <...>`;
    expect(failure(text)).toBe('failed 8:1 the packet was expected at 0.500000 and happened at 1.000000');
    expect(run(text).failure?.expected).toBe('+.5 > S. 0:0(0) ack 1 <...>');
    expect(run(text).failure?.actual).toMatch(/^1\.000000 > S\. 0:0\(0\) ack 1 win \d+ <mss 1460>$/);
  });

  it('tolerances come from the caller and from the script, whose own go first', () => {
    const text = (lines: string): string => `${lines}${LISTEN}
      +0 < S 0:0(0) win 1000 <mss 1000>
      +0 > S. 0:0(0) ack 1 <...>
      +.9 > S. 0:0(0) ack 1 <...>`;
    passes(text(''));
    const exact = { options: { tolerance_usecs: '1', tolerance_percent: '0' } };
    expect(failure(text(''), exact)).toContain('failed');
    passes(text('--tolerance_usecs=100000\n'), exact);
  });

  it('an event before the one above it is refused', () => {
    expect(failure(`${LISTEN}1 close(3) = 0\n0.5 close(3) = -1 EBADF`)).toBe(
      'broken 7:1 this event is before the one above it',
    );
  });

  it('a blocking call returns at its own time, in the middle of other events', () => {
    const text = (end: string): string => `${LISTEN}
      +0...${end} accept(3, ..., ...) = 4
      +.1 < S 0:0(0) win 1000 <mss 1000>
      +0 > S. 0:0(0) ack 1 <...>
      +.1 < . 1:1(0) ack 1 win 1000
      +0 write(4, ..., 10) = 10`;
    passes(text('0.2'));
    expect(failure(text('0.3'))).toContain('the return of accept was expected at 0.300000 and happened at 0.200000');
  });

  it('a call that never returns fails, it does not hang', () => {
    expect(failure(`${LISTEN}+0 accept(3, ..., ...) = 4`)).toBe(
      'failed 6:1 accept never returns: the host has nothing more to do',
    );
  });
});

describe('packets', () => {
  it('one large segment of the script stands for several of the host', () => {
    passes(`${OPEN}
      +0 write(4, ..., 2500) = 2500
      +0 > P. 1:2501(2500) ack 1`);
  });

  it('but not for fewer octets, and not for others', () => {
    const text = `${OPEN}+0 write(4, ..., 2500) = 2500\n`;
    expect(failure(`${text}+0 > P. 1:3001(3000) ack 1`)).toContain('a part of the segment');
    expect(failure(`${text}+0 > P. 2:2502(2500) ack 1`)).toContain('the sequence number is 1, not 2');
    expect(failure(`${text}+0 > . 1:2501(2500) ack 1`)).toContain('a part of the segment: the flags are P., not .');
    expect(failure(`${text}+0 > P. 1:2501(2500) ack 9`)).toContain('the acknowledgement number is 1, not 9');
  });

  it.each([
    ['> . 1:101(100) ack 1', 'the flags are P., not .'],
    ['> P. 1:101(100) ack 2', 'the acknowledgement number is 1, not 2'],
    ['> P. 1:101(100) ack 1 win 7', 'the window is 65535, not 7'],
    ['> P. 1:101(100) ack 1 <nop,nop,TS val 1 ecr 2>', 'the options are <>, not <nop,nop,TS val 1 ecr 2>'],
    ['> [ect0] P. 1:101(100) ack 1', 'ECN is noecn, not ect0'],
    ['> (tos 0x10) P. 1:101(100) ack 1', 'the TOS is 0, not 16'],
    ['> [ttl 3] P. 1:101(100) ack 1', 'the hop limit is 64, not 3'],
    ['> PU. 1:101(100) ack 1 urg 3', 'the flags are P., not PU.'],
    ['> icmp unreachable', 'it is no ICMP message'],
    ['> 8080 > 99 P. 1:101(100) ack 1', 'the destination port is 45001, not 99'],
  ])('%s is not what the host sends', (packet, message) => {
    expect(failure(`${OPEN}+0 write(4, ..., 100) = 100\n+0 ${packet}`)).toContain(message);
  });

  it('what the IP header must have is found there', () => {
    passes(`${OPEN}+0 write(4, ..., 100) = 100\n+0 > [noecn, ttl 64] 8080 > 45001 P. 1:101(100) ack 1`);
  });

  it('every option goes in, and out again in its order', () => {
    passes(`${LISTEN}
      +0 < SEW 0:0(0) win 1000 <mss 1000,sackOK,TS val 7 ecr 0,nop,wscale 7,unknown 253 abcd>
      +0 > SE. 0:0(0) ack 1 <mss 1460,sackOK,TS val 100 ecr 7,nop,wscale 6>
      +0 < . 1:1(0) ack 1 win 1000 <nop,nop,TS val 8 ecr 100>
      +0 < . 101:201(100) ack 1 win 1000 <nop,nop,TS val 9 ecr 100>
      +0 > . 1:1(0) ack 1 <nop,nop,TS val 100 ecr 8,nop,nop,sack 101:201>`);
  });

  it('timestamps of ours are compared when the length of a tick is known', () => {
    const text = (val: number): string => `--tcp_ts_tick_usecs=1000\n${LISTEN}
      +0 < S 0:0(0) win 1000 <mss 1000,sackOK,TS val 7 ecr 0>
      +0 > S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 100 ecr 7>
      +1 > S. 0:0(0) ack 1 <mss 1460,sackOK,TS val ${val} ecr 7>`;
    passes(text(1100));
    expect(failure(text(1300))).toContain('the timestamp is -200000 us off');
  });

  it('the peer may acknowledge blocks in our numbers', () => {
    passes(`${LISTEN}
      +0 < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop>
      +0 > S. 0:0(0) ack 1 <...>
      +.1 < . 1:1(0) ack 1 win 32792
      +0 accept(3, ..., ...) = 4
      +0 write(4, ..., 5000) = 5000
      +0 > P. 1:5001(5000) ack 1
      +.1 < . 1:1(0) ack 1 win 32792 <sack 1001:5001,nop,nop>
      +0 > . 1:1001(1000) ack 1`);
  });

  it('ports tell two connections apart', () => {
    passes(`${LISTEN}
      +0 < 1001 > 8080 S 5:5(0) win 1000 <mss 1000>
      +0 > 8080 > 1001 S. 0:0(0) ack 6 <...>
      +0 < 1002 > 8080 S 9:9(0) win 1000 <mss 1000>
      +0 > 8080 > 1002 S. 0:0(0) ack 10 <...>
      +0 < 1001 > 8080 . 6:6(0) ack 1 win 1000
      +0 accept(3, ..., ...) = 4`);
  });

  it('an ICMP error quotes the connection, an echo is answered', () => {
    passes(`
      0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
     +0...0.1 connect(3, ..., ...) = -1 ECONNREFUSED
     +0 > S 0:0(0) <...>
     +.1 < icmp unreachable port_unreachable [0:0(0)]
     +0 < icmp echo_request id 7
     +0 > icmp echo_reply id 7`);
  });

  it('one script runs over both versions of IP', () => {
    const text = `${OPEN}+0 write(4, ..., 1000) = 1000\n+0 > P. 1:1001(1000) ack 1\n
      +.01 < icmp unreachable frag_needed mtu 1300 [1:1001(1000)]
      +.01 < . 1:1(0) ack 1001 win 1000`;
    passes(text);
    passes(text, { ipVersion: 'ipv6' });
    expect(failure(`${LISTEN}+0 < icmp source_quench`, { ipVersion: 'ipv6' })).toBe(
      'broken 6:1 this version of IP has no such message',
    );
  });

  it('a strict run has no packet that the script does not have', () => {
    const text = `${OPEN}+0 write(4, ..., 100) = 100\n+.01 %{ assert True }%`;
    passes(text);
    expect(failure(text, { strict: true })).toContain('a packet that the script does not have');
  });
});

describe('calls', () => {
  it('values that come back are compared', () => {
    expect(failure(`${OPEN}+0 getsockopt(4, SOL_TCP, TCP_MAXSEG, [999], [4]) = 0`)).toContain(
      'getsockopt: the value is [1000]',
    );
    expect(failure(`${OPEN}+0 < P. 1:11(10) ack 1 win 1000\n+0 ioctl(4, SIOCINQ, [11]) = 0`)).toContain(
      'ioctl: the value is [10]',
    );
    expect(failure(`${OPEN}+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLIN}], 1, 0) = 1`)).toContain(
      'revents of entry 0 is 0x4, not 0x1',
    );
    expect(failure(`${OPEN}+0 write(4, ..., 10) = 11`)).toContain('write returned 10, not 11');
    expect(failure(`${OPEN}+0 read(17, ..., 10) = -1 EAGAIN`)).toContain('read failed with EBADF, not EAGAIN');
    expect(failure(`${OPEN}+0 fcntl(4, F_GETFL) = 0x3`)).toContain('fcntl returned 2, not 3');
  });

  it('messages, vectors, structures and texts are read', () => {
    passes(`${OPEN}
      +0 setsockopt(4, SOL_TCP, TCP_INQ, [1], 4) = 0
      +0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=5}, 8) = 0
      +0 getsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=5}, [8]) = 0
      +0 setsockopt(4, SOL_TCP, TCP_CONGESTION, "reno", 4) = 0
      +0 getsockopt(4, SOL_TCP, TCP_CONGESTION, "reno", [16]) = 0
      +0 setsockopt(4, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=0, tv_usec=100000}, 16) = 0
      +0 < P. 1:101(100) ack 1 win 1000
      +0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 40}], msg_flags=0,
                     msg_control=[{cmsg_level=SOL_TCP, cmsg_type=TCP_CM_INQ, cmsg_data=60}]}, 0) = 40
      +0 recv(4, ..., 60, MSG_DONTWAIT) = 60
      +0 writev(4, [{"ab", 2}, {..., 3}], 2) = 5
      +0 sendmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 7}], msg_flags=0}, 0) = 7
      +0 epoll_create(1) = 5
      +0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLOUT, fd=4}) = 0
      +0 epoll_wait(5, {events=EPOLLOUT, fd=4}, 1, 0) = 1
      +0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0
      +0 read(4, ..., 10) = -1 EAGAIN (Resource temporarily unavailable)
      +0 shutdown(4, SHUT_WR) = 0
      +0 close(4) = 0`);
  });

  it('addresses may be named', () => {
    passes(`
      0 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3
     +0 bind(3, {sa_family = AF_INET, sin_port = htons(999), sin_addr = inet_addr("192.168.0.1")}, ...) = 0
     +0 listen(3, 1) = 0
     +0 < S 0:0(0) win 1000 <mss 1000>
     +0 > 999 > 45001 S. 0:0(0) ack 1 <...>`);
  });

  it('shell lines are settings; no others are understood', () => {
    passes(`\`./defaults.sh\`\n\`sysctl -q net.ipv4.tcp_sack=0\`${LISTEN}
      +0 < S 0:0(0) win 1000 <mss 1000,sackOK,nop,nop>
      +0 > S. 0:0(0) ack 1 <mss 1460>`);
    expect(failure(`\`rm -rf /\`${LISTEN}`)).toBe('broken 1:1 the command is not understood: rm -rf /');
  });
});

describe('assertions', () => {
  it('hold, print, and keep variables', () => {
    const { failure: f, output } = run(`${OPEN}
      +0 %{ cwnd = tcpi_snd_cwnd; assert cwnd == 10, cwnd }%
      +0 %{
# a comment
cwnd \\
  += 5; \\
assert cwnd // 2 == 7 and not cwnd % 15 and 10 < cwnd <= 15 and -cwnd == 0 - 15
assert tcpi_state == TCP_ESTABLISHED or False
assert tcpi_snd_ssthresh == TCP_INFINITE_SSTHRESH and max(1, 2, abs(-3)) == 3
print('cwnd=%d' % cwnd, (1 + 2) * 3)
}%`);
    expect(f).toBeNull();
    expect(output).toEqual(['cwnd=15 9']);
  });

  it.each([
    ['assert tcpi_snd_cwnd == 11, tcpi_snd_cwnd', 'failed 11:7 does not hold: assert tcpi_snd_cwnd == 11 (10)'],
    ['assert tcpi_nothing', "broken 11:14 nothing has the name 'tcpi_nothing'"],
    ['assert 1 2', "broken 11:16 expected ';' or the end of the line, found '2'"],
    ['import os', "broken 11:14 expected '=' behind the name, found 'os'"],
    ['assert 1 / 0', 'broken 11:20 division by zero'],
    ['assert "a" + 1', "broken 11:22 '+' needs numbers"],
    ['assert open(3)', "broken 11:14 there is no function 'open' (abs, min, max)"],
  ])('%s says where it does not hold, or cannot be read', (text, message) => {
    expect(failure(`${OPEN}+0 %{ ${text} }%`)).toBe(message);
  });
});

describe('a script that cannot be read', () => {
  it.each([
    ['', '1:1 the script has no events'],
    ['0 socket(..., SOCK_STREAM, IPPROTO_TCP)', "1:40 expected '=' and what the call returns, found the end"],
    ['0 < S 0:0(1) win 9', '1:7 0:0 is not 1 octets'],
    ['0 < X 0:0(0) win 9', "1:5 expected flags (letters of FSRPUEW, '.' for ACK, or '-' for none), found 'X'"],
    ['0 < S 0:0(0) win 9 <mss 5,nop>', '1:21 5 octets of options: pad them with nop or eol to a multiple of 4'],
    ['0 < S 0:0(0) win 9 <bogus>', "1:21 'bogus' is no TCP option that is understood"],
    ['0 < S 0:0(0) win 70000', '1:18 the window is 0 to 65535, not 70000'],
    ['0 < icmp nonsense', "1:10 'nonsense' is no type of ICMP"],
    ['0 < udp (100)', '1:5 UDP packets are not understood'],
    ['0 `never ends', "1:4 a command has no '`' at its end"],
    ['// just\n  what', "2:3 expected the time of an event (0.1, +0.1, +0~+0.1 or *), found 'what'"],
    ['+1~+0.5 close(3) = 0', '1:5 the range ends before it begins'],
    ['--bogus=1\n0 close(3) = 0', '1:1 the option --bogus is not understood'],
    ['--mtu=x\n0 close(3) = 0', '1:1 --mtu takes a whole number from 68 to 65535'],
    ['--mtu=67\n0 close(3) = 0', '1:1 --mtu takes a whole number from 68 to 65535'],
    ['99999999999 close(3) = 0', '1:1 a time is 1000000000 seconds at most'],
    ['0 close(99999999999999999999) = 0', '1:9 99999999999999999999 is too large'],
    ['--ip_version=ipv5\n0 close(3) = 0', '1:1 --ip_version takes ipv4, ipv6'],
    ['0 frobnicate(3) = 0', "1:3 the call 'frobnicate' is not understood"],
    ['0 socket(AF_BOGUS, SOCK_STREAM, 0) = 3', "1:10 nothing has the name 'AF_BOGUS'"],
    ['0 close() = 0', '1:3 close has 0 arguments, too few'],
  ])('%j says where and why', (text, message) => {
    expect(failure(text)).toBe(`broken ${message}`);
  });

  it('parseScript throws the same, with its place', () => {
    expect(() => parseScript('0 < ?')).toThrow(ScriptError);
    expect(parseScript(OPEN).events.map((event) => event.place.line)).toEqual([2, 3, 4, 5, 7, 8, 9, 10]);
  });

  it('comments of C and C++ are skipped, and lines are still counted', () => {
    expect(failure('/* one\n two */ // three\n0 x')).toBe("broken 3:4 expected '(', found the end");
  });
});

describe('what a run tells', () => {
  it('the state of the host at each event', () => {
    const { observed } = run(`${OPEN}+0 read(4, ..., 1) = -1 EAGAIN`);
    expect(observed.slice(0, 4)).toEqual([
      { line: 5, state: 'CLOSED', happening: 'OPEN' },
      { line: 7, state: 'LISTEN', happening: 'SYN' },
      { line: 9, state: 'SYN-RECEIVED', happening: 'ACK' },
      { line: 11, state: 'ESTABLISHED', happening: 'RECEIVE' },
    ]);
  });

  it('the same script gives the same result twice', () => {
    const text = `${OPEN}+0 write(4, ..., 5000) = 5000\n+0 > P. 1:5001(5000) ack 1\n+2 %{ print(tcpi_rto) }%`;
    expect(run(text)).toEqual(run(text));
  });
});
