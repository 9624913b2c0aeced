// The public names of synfin/sim.

export { Prng } from '../base/prng.ts';
export { VirtualClock } from './clock.ts';
export { Digest } from './digest.ts';
export { type Impairments, PERFECT_PATH, withImpairments } from './impairments.ts';
export { type CheckedHost, type ConnectionView, InvariantChecker } from './invariants.ts';
export type { Capture, CapturedPacket, LinkEnd, SimLink } from './link.ts';
export {
  type LinkOptions,
  Network,
  type NetworkHostOptions,
  type NetworkOptions,
  type RunOptions,
  type TwoWays,
} from './network.ts';
export type { HostLike, InterfaceSpec } from './owner.ts';
export { type ConnectedPair, type Connection, connectPair, type Pair, type PairOptions, pair } from './pair.ts';
export { Flight, type FlightQueue, Path, type PathCounters, type PathOptions } from './path.ts';
export { BufferPool } from './pool.ts';
export {
  corrupt,
  DROP,
  DUPLICATE,
  deliver,
  PASS,
  PathPacket,
  type Rule,
  type RuleGuard,
  type Verdict,
} from './rules.ts';
export { type Scheduled, Scheduler } from './scheduler.ts';
