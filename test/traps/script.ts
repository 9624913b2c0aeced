// Scripts for the traps: run strictly and to the microsecond, with the profile that the title names.

import { expect } from 'vitest';
import { type ProfileName, runScript } from '../../src/drill/index.ts';

/** A server that listens at 8080, as descriptor 3. */
export const LISTEN = `
  0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
 +0 bind(3, ..., ...) = 0
 +0 listen(3, 10) = 0
`;

/** An open connection as descriptor 4: round trip 100 ms, segments of 1000 octets, neither SACK nor timestamps. */
export const OPEN = `${LISTEN}
 +0 < S 0:0(0) win 65535 <mss 1000>
 +0 > S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 65535
 +0 accept(3, ..., ...) = 4
`;

/** The same with timestamps, 100 and more from our side, 1000 and more from the peer's. */
export const STAMPED = `${LISTEN}
 +0 < S 0:0(0) win 65535 <mss 1012,sackOK,TS val 1000 ecr 0>
 +0 > S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 100 ecr 1000>
+.1 < . 1:1(0) ack 1 win 65535 <nop,nop,TS val 1100 ecr 100>
 +0 accept(3, ..., ...) = 4
`;

/** Steps from ESTABLISHED into each state after it; the numbers are RCV.NXT and SND.NXT there. */
export const INTO: Readonly<Record<string, { readonly steps: string; readonly rn: number; readonly nxt: number }>> = {
  ESTABLISHED: { steps: '', rn: 1, nxt: 1 },
  FIN_WAIT1: { steps: '+0 shutdown(4, SHUT_WR) = 0\n+0 > F. 1:1(0) ack 1\n', rn: 1, nxt: 2 },
  FIN_WAIT2: {
    steps: '+0 shutdown(4, SHUT_WR) = 0\n+0 > F. 1:1(0) ack 1\n+.1 < . 1:1(0) ack 2 win 65535\n',
    rn: 1,
    nxt: 2,
  },
  CLOSE_WAIT: { steps: '+0 < F. 1:1(0) ack 1 win 65535\n+0 > . 1:1(0) ack 2\n', rn: 2, nxt: 1 },
  CLOSING: {
    steps: '+0 shutdown(4, SHUT_WR) = 0\n+0 > F. 1:1(0) ack 1\n+0 < F. 1:1(0) ack 1 win 65535\n+0 > . 2:2(0) ack 2\n',
    rn: 2,
    nxt: 2,
  },
  LAST_ACK: {
    steps: '+0 < F. 1:1(0) ack 1 win 65535\n+0 > . 1:1(0) ack 2\n+0 shutdown(4, SHUT_WR) = 0\n+0 > F. 1:1(0) ack 2\n',
    rn: 2,
    nxt: 2,
  },
};

/** Runs a script; what fails is shown with its line and both packets. */
export function passes(text: string, profile: ProfileName = 'default'): void {
  const options = { tolerance_usecs: '1', tolerance_percent: '0' };
  const { failure: f } = runScript(text, { profile, strict: true, options });
  expect(f === null ? '' : `line ${f.line}: ${f.message}\n script: ${f.expected}\n actual: ${f.actual}`).toBe('');
}
