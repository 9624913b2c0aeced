// What a script's shell lines ask, answered without a shell: settings, tables of connections, and pauses.

import { FAST_OPEN_CLIENT, FAST_OPEN_SERVER } from '../base/profile.ts';
import { SipKey } from '../base/siphash.ts';
import type { State } from '../base/state.ts';
import { integerCubic, newReno } from '../host/index.ts';
import type { OptionEnv } from './options.ts';
import { SUITE_DEFAULTS } from './profiles.ts';

/** What shell lines may touch. */
export type SystemEnv = OptionEnv;

type Setter = (env: SystemEnv, numbers: readonly number[], text: string) => void;

const seconds = (value: number): number => value * 1000;

/** 0 never, 1 always, 2 when the peer asks: Linux and the BSDs agree. */
function ecnSetting({ profile }: SystemEnv, [n = 2]: readonly number[]): void {
  profile.ecn = n === 0 ? 'off' : n === 1 ? 'ask' : 'answer';
}

/** Settings that change a field, by the name after `net.ipv4.` or `net.inet.tcp.`. */
const SETTERS: Readonly<Record<string, Setter>> = {
  tcp_sack: ({ profile }, [n = 1]) => {
    profile.sack = n !== 0;
  },
  tcp_timestamps: ({ profile }, [n = 1]) => {
    profile.timestamps = n !== 0;
  },
  tcp_window_scaling: ({ profile }, [n = 1]) => {
    profile.windowScaling = n !== 0;
  },
  tcp_syn_retries: ({ profile }, [n = 6]) => {
    profile.synRetries = n;
  },
  tcp_synack_retries: ({ profile }, [n = 5]) => {
    profile.synAckRetries = n;
  },
  tcp_retries2: ({ profile }, [n = 15]) => {
    profile.dataRetries = n;
    profile.probeRetries = n;
  },
  tcp_orphan_retries: ({ profile }, [n = 0]) => {
    profile.orphanRetries = n === 0 ? 8 : n;
  },
  tcp_fin_timeout: ({ profile }, [n = 60]) => {
    profile.finWait2 = seconds(n);
  },
  tcp_max_orphans: ({ profile }, [n = 65_536]) => {
    profile.orphanMax = n;
  },
  tcp_rmem: (env, [, first = 0, most = 0]) => {
    const { profile } = env;
    if (first > 0) {
      env.receiveSpace = first;
      // Half of it is for headers and bookkeeping; a SYN offers no more than fits unscaled.
      profile.receiveBuffer = Math.min(first >> 1, 0xffff);
    }
    if (most > 0) profile.receiveBufferMax = most;
  },
  tcp_wmem: ({ profile }, [, first = 0, most = 0]) => {
    if (first > 0) profile.sendBuffer = first;
    if (most > 0) profile.sendBufferMax = most;
  },
  tcp_min_tso_segs: ({ profile }, [n = 2]) => {
    profile.superSegmentLeast = n;
  },
  tcp_tso_win_divisor: ({ profile }, [n = 3]) => {
    profile.superSegmentDivisor = n;
  },
  tcp_slow_start_after_idle: ({ profile }, [n = 1]) => {
    profile.idleRestart = n === 0 ? 'none' : 'halve';
  },
  tcp_reordering: ({ profile }, [n = 3]) => {
    profile.dupThresh = n;
  },
  tcp_early_retrans: ({ profile }, [n = 3]) => {
    profile.tailLossProbe = n >= 3;
    profile.earlyRetransmit = n === 1 ? 'quick' : n === 2 ? 'delayed' : n === 3 ? profile.earlyRetransmit : 'none';
  },
  tcp_max_reordering: ({ profile }, [n = 300]) => {
    profile.maxReordering = n;
  },
  tcp_recovery: ({ profile }, [n = 1]) => {
    profile.lossDetection = (n & 1) !== 0 ? 'rack' : 'sack';
  },
  tcp_fack: ({ profile }, [n = 0]) => {
    if (profile.lossDetection !== 'rack') profile.lossDetection = n === 0 ? 'sack' : 'fack';
  },
  tcp_rfc1337: ({ profile }, [n = 0]) => {
    profile.timeWaitIgnoresRst = n !== 0;
  },
  tcp_invalid_ratelimit: ({ profile }, [n = 500]) => {
    profile.outOfWindowAckInterval = n;
    profile.challengeAckInterval = n;
  },
  tcp_ecn: ecnSetting,
  'ecn.enable': ecnSetting,
  tcp_fastopen: ({ profile }, [n = 1]) => {
    profile.fastOpen = n;
  },
  tcp_fastopen_key: ({ host }, _, text) => {
    const key = fastOpenKey(text);
    if (key !== null && host.fastOpens !== null) host.fastOpens.key = key;
  },
  tcp_fastopen_blackhole_timeout_sec: ({ profile }, [n = 0]) => {
    profile.fastOpenPause = seconds(n);
  },
  tcp_notsent_lowat: ({ profile }, [n = -1]) => {
    profile.notSentLowWater = n >= 0xffff_ffff || n < 1 ? -1 : n;
  },
  tcp_congestion_control: ({ profile }, _, text) => {
    profile.congestionControl = text === 'reno' ? newReno : integerCubic;
  },
  'sack.enable': ({ profile }, [n = 1]) => {
    profile.sack = n !== 0;
  },
  rfc1323: ({ profile }, [n = 1]) => {
    profile.timestamps = n !== 0 && n !== 2;
    profile.windowScaling = n !== 0 && n !== 3;
  },
  delacktime: ({ profile }, [n = 40]) => {
    profile.delayedAck = n;
  },
  rexmit_initial: ({ profile }, [n = 1000]) => {
    profile.rtoInitial = n;
  },
  finwait2_timeout: ({ profile }, [n = 60_000]) => {
    profile.finWait2 = n;
  },
  msl: ({ profile }, [n = 30_000]) => {
    profile.timeWait = 2 * n;
  },
  tcp_retries1: ({ profile }, [n = 3]) => {
    profile.troubleRetries = Math.max(n, 1);
  },
  tcp_dsack: ({ profile }, [n = 1]) => {
    profile.dsack = n !== 0;
  },
  tcp_no_metrics_save: ({ profile }, [n = 0]) => {
    profile.shareMetrics = n === 0 ? 'path' : 'none';
  },
  tcp_no_ssthresh_metrics_save: ({ profile }, [n = 1]) => {
    if (profile.shareMetrics !== 'none') profile.shareMetrics = n === 0 ? 'all' : 'path';
  },
  tcp_frto: ({ profile }, [n = 2]) => {
    profile.frto = n !== 0;
  },
  tcp_mtu_probing: ({ profile }, [n = 0]) => {
    profile.mtuProbing = n === 0 ? 'off' : n === 1 ? 'black-hole' : 'always';
  },
  tcp_base_mss: ({ profile }, [n = 1024]) => {
    profile.mtuBase = n;
  },
  tcp_mtu_probe_floor: ({ profile }, [n = 48]) => {
    profile.mtuFloor = n;
  },
  tcp_probe_interval: ({ profile }, [n = 600]) => {
    profile.mtuRaise = seconds(n);
  },
  tcp_probe_threshold: ({ profile }, [n = 8]) => {
    profile.mtuThreshold = n;
  },
  tcp_moderate_rcvbuf: ({ profile }, [n = 1]) => {
    profile.receiveAutotune = n !== 0;
  },
  tcp_min_snd_mss: ({ profile }, [n = 48]) => {
    profile.minMss = n;
  },
  tcp_tso_rtt_log: ({ profile }, [n = 9]) => {
    profile.superSegmentNear = n;
  },
  tcp_pacing_ss_ratio: ({ profile }, [n = 200]) => {
    profile.pacingSlowStart = n / 100;
  },
  tcp_pacing_ca_ratio: ({ profile }, [n = 120]) => {
    profile.pacingAvoidance = n / 100;
  },
  tcp_abort_on_overflow: ({ profile }, [n = 0]) => {
    profile.abortOnOverflow = n !== 0;
  },
  tcp_max_syn_backlog: ({ profile }, [n = 1024]) => {
    profile.synBacklog = n;
  },
  tcp_syncookies: ({ profile }, [n = 1]) => {
    profile.synCookies = n === 0 ? 'never' : n === 1 ? 'pressure' : 'always';
  },
  tcp_keepalive_time: (env, [n = 7200]) => {
    env.keepIdle = n;
  },
  tcp_keepalive_intvl: (env, [n = 75]) => {
    env.keepInterval = n;
  },
  tcp_keepalive_probes: (env, [n = 9]) => {
    env.keepCount = n;
  },
  keepidle: (env, [n = 7_200_000]) => {
    env.keepIdle = n / 1000;
  },
  keepintvl: (env, [n = 75_000]) => {
    env.keepInterval = n / 1000;
  },
  keepcnt: (env, [n = 8]) => {
    env.keepCount = n;
  },
  keepinit: ({ profile }, [n = 75_000]) => {
    profile.openTimeout = n;
  },
  syncookies: ({ profile }, [n = 1]) => {
    profile.synCookies = n === 0 ? 'never' : 'pressure';
  },
  syncookies_only: ({ profile }, [n = 0]) => {
    profile.synCookies = n === 0 ? 'pressure' : 'always';
  },
  rexmit_slop: ({ profile }, [n = 200]) => {
    profile.rtoSlop = n;
  },
  rexmit_min: ({ profile }, [n = 30]) => {
    profile.rtoMin = n;
  },
  mssdflt: ({ profile }, [n = 536]) => {
    profile.defaultMss4 = n;
  },
  recvspace: (env, [n = 65_536]) => {
    env.receiveSpace = n;
    env.profile.receiveBuffer = n;
  },
  sendspace: ({ profile }, [n = 32_768]) => {
    profile.sendBuffer = n;
  },
  initcwnd_segments: ({ profile }, [n = 10]) => {
    profile.initialWindow = n;
  },
  rexmit_drop_options: ({ profile }, [n = 1]) => {
    profile.synBareFrom = n === 0 ? 0 : 3;
  },
  insecure_rst: ({ profile }, [n = 0]) => {
    profile.resetInWindow = n !== 0;
  },
  insecure_syn: ({ profile }, [n = 0]) => {
    profile.synInWindowResets = n !== 0;
  },
  drop_synfin: ({ profile }, [n = 0]) => {
    profile.synFinOpens = n === 0;
  },
  icmp_may_rst: ({ profile }, [n = 1]) => {
    profile.icmpEnds = n === 0 ? 'none' : 'refused';
  },
  blackhole: ({ profile }, [n = 0]) => {
    profile.closedPorts = n === 0 ? 'reset' : n === 1 ? 'reset-not-syn' : 'silent';
  },
  'fastopen.client_enable': ({ profile }, [n = 0]) => {
    profile.fastOpen = n === 0 ? profile.fastOpen & ~FAST_OPEN_CLIENT : profile.fastOpen | FAST_OPEN_CLIENT;
  },
  'fastopen.server_enable': ({ profile }, [n = 0]) => {
    profile.fastOpen = n === 0 ? profile.fastOpen & ~FAST_OPEN_SERVER : profile.fastOpen | FAST_OPEN_SERVER;
  },
  'cc.algorithm': ({ profile }, _, text) => {
    profile.congestionControl = text === 'newreno' ? newReno : null;
  },
};

/**
 * Settings that are taken and change nothing, because what they govern is absent here, or always as most scripts ask:
 * offloads, limits of a whole machine, mitigations that cannot be turned off, algorithms of old kernels.
 */
const ACCEPTED = new Set(
  (
    'tcp_ecn_option tcp_base_mss tcp_autocorking tcp_limit_output_bytes ' +
    'tcp_adv_win_scale tcp_app_win tcp_tw_reuse tcp_thin_linear_timeouts tcp_challenge_ack_limit ' +
    'tcp_workaround_signed_windows ip_no_pmtu_disc tcp_shrink_window tcp_pingpong_thresh tcp_plb_enabled ' +
    'tcp_reflect_tos tcp_stdurg tcp_probe_interval ' +
    'hostcache.purgenow path_mtu_discovery fastopen.enable fastopen.server_enable ' +
    'fastopen.client_enable rfc6675_pipe functions_default reass.maxqueuelen always_keepalive nolocaltimewait ' +
    'fast_finwait2_recycle tso minmss do_prr do_prr_conservative abc_l_var'
  ).split(' '),
);

/** The first key of a list: four words in hexadecimal, each little-endian in memory; `null` for anything else. */
function fastOpenKey(text: string): SipKey | null {
  const words = /^([0-9a-f]{1,8})-([0-9a-f]{1,8})-([0-9a-f]{1,8})-([0-9a-f]{1,8})/i.exec(text);
  if (words === null) return null;
  const view = new DataView(new ArrayBuffer(16));
  for (let i = 0; i < 4; i++) view.setUint32(4 * i, Number.parseInt(words[i + 1] ?? '0', 16), true);
  return new SipKey(new Uint8Array(view.buffer));
}

/** Words of `sockstat` for the states of RFC 9293. */
const SOCKSTAT: Readonly<Record<string, State>> = {
  CLOSED: 'CLOSED',
  SYN_SENT: 'SYN-SENT',
  SYN_RCVD: 'SYN-RECEIVED',
  SYN_RECV: 'SYN-RECEIVED',
  ESTABLISHED: 'ESTABLISHED',
  CLOSE_WAIT: 'CLOSE-WAIT',
  FIN_WAIT_1: 'FIN-WAIT-1',
  FIN_WAIT_2: 'FIN-WAIT-2',
  CLOSING: 'CLOSING',
  LAST_ACK: 'LAST-ACK',
  TIME_WAIT: 'TIME-WAIT',
};

/**
 * Answers the text between a script's backticks.
 *
 * @returns the exit status: 0 when every line of it was understood, 1 otherwise
 */
export function system(env: SystemEnv, text: string): number {
  // A backslash at the end of a line goes on with the next one, and so does a list of settings without one.
  const joined = text.replace(/\\\s*\n/g, ' ').replace(/\n\s+(?=\/proc\/sys\/)/g, ' ');
  for (const line of joined.split(/[\n;]|&&/)) {
    const status = command(env, line.replace(/\d?>\s*\/dev\/null|2>&1/g, ' ').trim());
    if (status !== 0) return status;
  }
  return 0;
}

function command(env: SystemEnv, line: string): number {
  if (line === '' || line === 'true' || line.startsWith('#')) return 0;
  const first = line.split(/\s+/)[0] ?? '';
  if (first.endsWith('defaults.sh')) {
    Object.assign(env.profile, SUITE_DEFAULTS);
    env.recent = true;
    return 0;
  }
  if (first.startsWith('/tmp/sysctl_restore')) return 0;
  if (first.endsWith('set_sysctls.py') || first === 'sysctl') return settings(env, line.slice(first.length));
  if (first === 'ip') return line.includes('tcp_metrics') ? 0 : 1;
  // Offloads of a device and the knobs of a kernel module: neither is here to be set.
  if (first === 'ethtool' || (first === 'echo' && line.includes('> /sys/module/tcp_cubic/'))) return 0;
  if (first === 'tc' || first === 'nstat' || first === 'sleep') return 0;
  if (first === 'sockstat') return countOf(env, line);
  if (first === 'tcpdrop') {
    const state = SOCKSTAT[/-s\s+(\w+)/.exec(line)?.[1] ?? ''];
    for (const c of env.host.connections()) if (c.state === state) c.finish('ABORT', null);
    return 0;
  }
  return 1;
}

function settings(env: SystemEnv, rest: string): number {
  const pattern = /([\w./-]+)\s*=\s*("[^"]*"|'[^']*'|\S*)/g;
  let any = false;
  for (const match of rest.matchAll(pattern)) {
    any = true;
    const name = (match[1] ?? '').replace(/^\/proc\/sys\//, '').replace(/\//g, '.');
    const value = (match[2] ?? '').replace(/["']/g, '').trim();
    if (!set(env, name, value)) return 1;
  }
  return any ? 0 : 1;
}

function set(env: SystemEnv, name: string, value: string): boolean {
  if (/^(kern|net\.core|net\.inet\.ip|net\.inet6)\./.test(name)) return true;
  const short = name.replace(/^net\.(ipv4|ipv6|inet\.tcp)\./, '');
  if (short === name) return false;
  const setter = SETTERS[short];
  if (setter === undefined) return ACCEPTED.has(short) || short.startsWith('fastopen.');
  setter(env, value.split(/\s+/).map(Number), value);
  return true;
}

/** `sockstat ... | grep -c STATE | grep N`: 0 when exactly N connections are in STATE. */
function countOf(env: SystemEnv, line: string): number {
  const words = line.split('|').map((part) => part.trim());
  let wanted = -1;
  let name = '';
  for (const word of words.slice(1)) {
    const last =
      word
        .split(/\s+/)
        .pop()
        ?.replace(/["'^$]/g, '') ?? '';
    if (/^\d+$/.test(last)) wanted = Number(last);
    else if (SOCKSTAT[last] !== undefined) name = last;
  }
  const state = SOCKSTAT[name];
  if (state === undefined || wanted < 0) return 1;
  return env.host.connections().filter((c) => c.state === state).length === wanted ? 0 : 1;
}
