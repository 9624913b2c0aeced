// What a host has counted, under the names that `nstat` shows on Linux.

import type { DropReason } from '../base/trace.ts';
import type { Counters } from './counters.ts';

/** Reasons that Linux counts as TcpInErrs: a header that is none. */
const HEADER_ERRORS: readonly DropReason[] = [
  'tcp-truncated',
  'tcp-bad-data-offset',
  'tcp-bad-checksum',
  'tcp-port-zero',
];

/**
 * A host's counters under the names of `nstat`: `TcpActiveOpens`, `TcpExtTCPTimeouts`, ... Those of Linux that are absent count
 * what this stack does not do.
 */
export function nstat(counters: Counters): Record<string, number> {
  const { tcp } = counters;
  const dropped = (...reasons: DropReason[]): number => reasons.reduce((sum, r) => sum + (counters.drops[r] ?? 0), 0);
  return {
    IpInReceives: counters.packetsIn,
    IpOutRequests: counters.packetsOut,
    IpInHdrErrors: dropped('ip-truncated', 'ip-bad-version', 'ip-bad-header-length', 'ip-bad-checksum', 'ip-ttl-zero'),
    IpInUnknownProtos: dropped('ip-unknown-protocol'),
    UdpNoPorts: dropped('udp-no-port'),
    UdpInCsumErrors: dropped('udp-bad-checksum'),
    IcmpInCsumErrors: dropped('icmp-bad-checksum'),
    TcpActiveOpens: counters.activeOpens,
    TcpPassiveOpens: counters.passiveOpens,
    TcpAttemptFails: counters.attemptsFailed,
    TcpEstabResets: counters.establishedResets,
    TcpCurrEstab: counters.currentlyEstablished,
    TcpInSegs: counters.segmentsIn + dropped(...HEADER_ERRORS),
    TcpOutSegs: counters.segmentsOut + counters.repliesOut,
    TcpRetransSegs: tcp.retransmitted,
    TcpInErrs: dropped(...HEADER_ERRORS),
    TcpOutRsts: counters.resetsOut + tcp.resets,
    TcpInCsumErrors: dropped('tcp-bad-checksum'),
    TcpExtTW: counters.timeWaitsEnded,
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
