// What a host counts, and the same under the names that `nstat` shows on Linux.

import type { Cause, State } from '../base/state.ts';
import type { DropReason } from '../base/trace.ts';
import { TcpCounters } from '../tcp/statistics.ts';

/** Reasons that Linux counts as TcpInErrs: a header that is none. */
const HEADER_ERRORS: readonly DropReason[] = [
  'tcp-truncated',
  'tcp-bad-data-offset',
  'tcp-bad-checksum',
  'tcp-port-zero',
];

/** Counters of a host; they only grow, but for `currentlyEstablished`. */
export class Counters {
  /** Packets taken from links, and given to them. */
  packetsIn = 0;
  packetsOut = 0;
  /** TCP segments for a connection or listener, and sent by connections; a super-segment counts as what it is cut into. */
  segmentsIn = 0;
  segmentsOut = 0;
  /** Segments sent that belong to no connection, and those of them that are resets; the others carry SYN cookies. */
  repliesOut = 0;
  resetsOut = 0;
  /** UDP datagrams handed to sockets, and taken from them. */
  datagramsIn = 0;
  datagramsOut = 0;
  /** Connections opened actively and passively, and those that reached ESTABLISHED. */
  activeOpens = 0;
  passiveOpens = 0;
  established = 0;
  /** Connections that are in ESTABLISHED or CLOSE-WAIT now. */
  currentlyEstablished = 0;
  /** Openings that failed, and open connections that ended at once. */
  attemptsFailed = 0;
  establishedResets = 0;
  /** Connections whose TIME-WAIT ended. */
  timeWaitsEnded = 0;
  /** What connections count together. */
  readonly tcp: TcpCounters = new TcpCounters();
  /** What was not taken, by reason; a reason that never happened is absent. */
  readonly drops: Partial<Record<DropReason, number>> = {};

  /** Counts one dropped packet. */
  drop(reason: DropReason): void {
    this.drops[reason] = (this.drops[reason] ?? 0) + 1;
  }

  /** Dropped packets of all reasons. */
  get dropped(): number {
    let sum = 0;
    for (const n of Object.values(this.drops)) sum += n;
    return sum;
  }

  /** @internal A connection left one state for another (RFC 4022 has the words). */
  moved(from: State, to: State, cause: Cause): void {
    const was = from === 'ESTABLISHED' || from === 'CLOSE-WAIT';
    const is = to === 'ESTABLISHED' || to === 'CLOSE-WAIT';
    if (is && !was) {
      this.currentlyEstablished++;
      this.established++;
    } else if (was && !is) {
      this.currentlyEstablished--;
    }
    if (to !== 'CLOSED' || cause === 'snapshot') return;
    if (from === 'TIME-WAIT') this.timeWaitsEnded++;
    else if (was) this.establishedResets++;
    else if (from === 'SYN-SENT' || from === 'SYN-RECEIVED') this.attemptsFailed++;
  }

  /**
   * The counters under the names of `nstat`: `TcpActiveOpens`, `TcpExtTCPTimeouts`, ... Those of Linux that are absent count
   * what this stack does not do.
   */
  nstat(): Record<string, number> {
    const { tcp } = this;
    const dropped = (...reasons: DropReason[]): number => reasons.reduce((sum, r) => sum + (this.drops[r] ?? 0), 0);
    return {
      IpInReceives: this.packetsIn,
      IpOutRequests: this.packetsOut,
      IpInHdrErrors: dropped(
        'ip-truncated',
        'ip-bad-version',
        'ip-bad-header-length',
        'ip-bad-checksum',
        'ip-ttl-zero',
      ),
      IpInUnknownProtos: dropped('ip-unknown-protocol'),
      UdpNoPorts: dropped('udp-no-port'),
      UdpInCsumErrors: dropped('udp-bad-checksum'),
      IcmpInCsumErrors: dropped('icmp-bad-checksum'),
      TcpActiveOpens: this.activeOpens,
      TcpPassiveOpens: this.passiveOpens,
      TcpAttemptFails: this.attemptsFailed,
      TcpEstabResets: this.establishedResets,
      TcpCurrEstab: this.currentlyEstablished,
      TcpInSegs: this.segmentsIn + dropped(...HEADER_ERRORS),
      TcpOutSegs: this.segmentsOut + this.repliesOut,
      TcpRetransSegs: tcp.retransmitted,
      TcpInErrs: dropped(...HEADER_ERRORS),
      TcpOutRsts: this.resetsOut + tcp.resets,
      TcpInCsumErrors: dropped('tcp-bad-checksum'),
      TcpExtTW: this.timeWaitsEnded,
      TcpExtTCPTimeWaitOverflow: tcp.timeWaitsCut,
      TcpExtSyncookiesSent: tcp.cookiesSent,
      TcpExtSyncookiesRecv: tcp.cookiesTaken,
      TcpExtSyncookiesFailed: tcp.cookiesRefused,
      TcpExtListenOverflows: dropped('accept-queue-full'),
      TcpExtTCPDeferAcceptDrop: dropped('accept-deferred'),
      TcpExtListenDrops: dropped('listen-backlog', 'accept-queue-full'),
      TcpExtTCPReqQFullDoCookies: tcp.cookiesSent,
      TcpExtTCPReqQFullDrop: dropped('listen-backlog'),
      TcpExtDelayedACKs: tcp.delayedAcks,
      TcpExtPAWSEstab: dropped('tcp-old-timestamp'),
      TcpExtTCPRenoRecovery: tcp.renoRecoveries,
      TcpExtTCPSackRecovery: tcp.sackRecoveries,
      TcpExtTCPFastRetrans: tcp.retransmittedFast,
      TcpExtTCPSlowStartRetrans: tcp.retransmittedAfterTimeout,
      TcpExtTCPTimeouts: tcp.timeouts,
      TcpExtTCPSpuriousRTOs: tcp.spuriousTimeouts,
      TcpExtTCPLossProbes: tcp.lossProbes,
      TcpExtTCPMTUPSuccess: tcp.mtuProbesPassed,
      TcpExtTCPMTUPFail: tcp.mtuProbesFailed,
      TcpExtTCPDSACKRecv: tcp.duplicatesTold,
      TcpExtTCPAbortOnData: tcp.abortedOnData,
      TcpExtTCPAbortOnTimeout: tcp.abortedOnTimeout,
      TcpExtTCPAbortOnLinger: tcp.abortedOnLinger,
      TcpExtTCPAbortOnMemory: tcp.abortedOnMemory,
      TcpExtTCPOFOQueue: tcp.outOfOrder,
      TcpExtPruneCalled: tcp.prunes,
      TcpExtOfoPruned: tcp.prunedAside,
      TcpExtTCPRcvQDrop: dropped('memory-budget'),
      TcpExtTCPOFODrop: dropped('reassembly-budget'),
      TcpExtTCPChallengeACK: tcp.challenges,
      TcpExtTCPSYNChallenge: tcp.synChallenges,
      TcpExtTCPKeepAlive: tcp.keepAliveProbes,
      TcpExtTCPWinProbe: tcp.windowProbes,
    };
  }
}
