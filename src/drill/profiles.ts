// The profiles a judge may ask for, as overlays on the default one; and what a suite's own settings add.
//
// `tcp/` knows none of these names: it reads fields. The presumptions come from how the suites describe the
// systems they were written for; where a field is wrong for a suite, the suite's own settings say so.

import type { Profile } from '../base/profile.ts';
import { integerCubic, newReno } from '../host/index.ts';

/** Names of the profiles. */
export type ProfileName = 'default' | 'linux' | 'freebsd' | 'rfc';

/** A profile whose fields a script may set while it runs. */
export type WritableProfile = { -readonly [K in keyof Profile]: Profile[K] };

/** A receive buffer for which the window scale is 6, as Linux machines of 4 MiB offer it. */
const SCALE_6 = 4_194_240;

/** Overlays by name. A program that gives `linux` to `new Host` gives it `superSegments` too; `createHost` has them. */
export const PROFILES: Readonly<Record<ProfileName, Partial<Profile>>> = {
  default: {},
  linux: {
    resetHalfOpen: false,
    lateResetTells: true,
    timestampsRequired: false,
    timeWaitIgnoresRst: false,
    receiveBuffer: 65_535,
    receiveBufferMax: SCALE_6,
    sendBuffer: 2 * 1024 * 1024,
    rtoAfterSynLoss: 1000,
    rtoVariationMin: 200,
    mtuProbing: 'off',
    mtuTries: 1,
    rttEveryAck: true,
    // Each script expects a machine that has met nobody yet.
    shareMetrics: 'none',
    quickAcks: 16,
    delayFinAck: true,
    answerUnsentAck: false,
    nagleMinshall: true,
    pushBursts: false,
    superSegment: 65_215,
    superSegmentLeast: 2,
    superSegmentDivisor: 3,
    pieceOverhead: 1280,
    countSegments: true,
    sillyWindowOverride: 0,
    idleRestart: 'halve',
    growWhenHalfUsed: true,
    synRetries: 6,
    congestionControl: integerCubic,
    // Without the defaults of a suite, the scripts were written for a machine of 2013.
    lossDetection: 'fack',
    earlyRetransmit: 'delayed',
    prrBound: 'ssrb',
    reduceFrom: 'window',
    reorderSlack: 2,
    rackRttOfLast: true,
    fastOpen: 1,
  },
  freebsd: {
    resetHalfOpen: false,
    lateResetTells: true,
    timestampsRequired: false,
    timeWaitIgnoresRst: true,
    synBareFrom: 3,
    synFinOpens: true,
    icmpEnds: 'refused',
    challengeAckInterval: 200,
    challengeAcks: 5,
    outOfWindowAckInterval: 0,
    synAckRetries: 3,
    timeSynAck: false,
    receiveBuffer: 65_536,
    receiveWholeSegments: true,
    receiveBufferMax: 2 * 1024 * 1024,
    sendBuffer: 32_768,
    sendBufferMax: 2 * 1024 * 1024,
    synScaleFirst: true,
    windowFollowsBuffer: true,
    rtoAfterSynLoss: 1000,
    tailLossProbe: false,
    frto: false,
    lossDetection: 'sack',
    congestionControl: newReno,
    delayedAck: 100,
    ackOnSecond: true,
    rtoMin: 30,
    rtoMax: 64_000,
    rtoSlop: 200,
    shareMetrics: 'none',
    superSegmentDivisor: 0,
    openTimeout: 75_000,
    dataRetries: 12,
    mtuProbing: 'off',
    minMss: 216,
  },
  rfc: {
    rtoMin: 1000,
    shareMetrics: 'none',
    // RFC 9293 MUST-23: a SYN is tried for three minutes at least; this is 255 s.
    synRetries: 7,
    quickAcks: 16,
    timestamps: false,
    sack: false,
    windowScaling: false,
    tailLossProbe: false,
    frto: false,
    congestionControl: newReno,
  },
};

/** What the defaults of the Linux suites set: the same machine with larger buffers. */
export const SUITE_DEFAULTS: Partial<Profile> = {
  receiveBufferMax: 15 * 1024 * 1024,
  sendBuffer: 4 * 1024 * 1024,
  pushBursts: true,
  lossDetection: 'rack',
  earlyRetransmit: 'none',
  prrBound: 'safe-ack',
  idleRestart: 'none',
  synRetries: 5,
  synAckRetries: 5,
  sack: true,
  timestamps: true,
  tailLossProbe: true,
  ecn: 'off',
  // Clients, servers, and listeners that do not ask for it.
  fastOpen: 0x403,
  congestionControl: integerCubic,
  dupThresh: 3,
};

/** The profile a flag text names: `...,profile=freebsd,...`; Linux when it names none. */
export function profileName(flags: string): ProfileName {
  const match = /(?:^|,)profile=(default|linux|freebsd|rfc)(?:,|$)/.exec(flags);
  return match === null ? 'linux' : (match[1] as ProfileName);
}
