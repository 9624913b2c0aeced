// What a scenario is: two programs as lists of steps, and what the path does to chosen segments. Data, no code.

import type { Role } from 'synfin/trace';

/** An end of the connection, by the name of its host. */
export type End = 'client' | 'server';

/** What can happen to a segment on its way; `linger`: a copy of it stays in the network and comes much later. */
export type Fate = 'drop' | 'delay' | 'duplicate' | 'corrupt' | 'linger';

/** What a program waits for before its next step; `received` counts all octets it has read so far. */
type When = 'start' | 'open' | 'peer-ended' | { readonly received: number };

/** What a program does: in the RFC's words OPEN, SEND, CLOSE, ABORT; a browser asks for pages as well. */
export type Deed =
  | { readonly do: 'connect' }
  | { readonly do: 'send'; readonly text: string }
  | { readonly do: 'get'; readonly text: string }
  | { readonly do: 'shutdown' }
  | { readonly do: 'abort' };

/** One step of a program: once `when` holds, and `after` ms more, the deed. Steps follow each other. */
export type Step = Deed & { readonly when: When; readonly after?: number };

/** What the path does to the `nth` (from 1) segment that plays `role`, as the trace names roles. */
interface RoleFate {
  readonly role: Role;
  readonly nth: number;
  readonly fate: Fate;
}

/** SYNs from addresses where nobody is: one every `every` ms from `from` on. */
export interface Flood {
  readonly count: number;
  readonly from: number;
  readonly every: number;
  /** Half-open connections that the server remembers. */
  readonly backlog: number;
  /** Beyond those it answers with SYN cookies, which need no memory (RFC 4987 §3.6). */
  readonly cookies: boolean;
}

/** The chapters of the list of scenarios. */
export type Chapter = 'life' | 'opening' | 'data' | 'closing' | 'abrupt';

/** One guided scenario. Its title and introduction are in the catalogues, by its id. */
export interface Scenario {
  readonly id: ScenarioId;
  readonly chapter: Chapter;
  readonly client: readonly Step[];
  readonly server: readonly Step[];
  /** The server waits for connections. */
  readonly listens: boolean;
  readonly fates: readonly RoleFate[];
  /** Largest IP packet, octets; small where many segments are wanted of few words. */
  readonly mtu: number;
  /** Octets of the client's receive buffer, where the window matters; 0 for the default. */
  readonly clientBuffer: number;
  /** How long the client's program does not read, ms from the opening. */
  readonly clientSleeps: number;
  /** Octets per second that the path carries, and octets that may wait for it; 0 for no limit. */
  readonly rate: number;
  readonly queue: number;
  /** Segments in the first window; 0 for the default. */
  readonly initialWindow: number;
  readonly flood: Flood | null;
  /** Both programs speak HTTP, and requests are given as actions. */
  readonly web: boolean;
}

/** Every scenario there is, in the order of the list. */
export const SCENARIO_IDS = [
  'normal',
  'page',
  'lose-shake1',
  'lose-shake2',
  'lose-shake3',
  'both-open',
  'refused',
  'flood',
  'flood-cookies',
  'slow-start',
  'lose-data',
  'lose-tail',
  'reorder-data',
  'duplicate-data',
  'corrupt-data',
  'zero-window',
  'lose-wave1',
  'lose-wave2',
  'lose-wave3',
  'lose-wave4',
  'half-close',
  'three-waves',
  'both-close',
  'old-duplicate',
  'reset',
] as const;

/** The name of a scenario, as URLs have it. */
export type ScenarioId = (typeof SCENARIO_IDS)[number];

/** Time from one host to the other, ms, until a knob is turned. */
export const PATH_DELAY = 50;
/** How much later than usual a delayed segment arrives, ms. */
export const EXTRA_DELAY = 120;
/** How long a copy that lingers is on its way, ms. */
export const LINGER = 4000;
/** The server's port; both ends' in a simultaneous open. */
export const PORT = 80;
/** The name in the trace of who sends segments that no host of ours sent. */
export const NOBODY = 'nobody';
