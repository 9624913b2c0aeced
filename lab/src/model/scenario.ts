// What a scenario is: two programs as lists of steps, and what the path does to chosen segments. Data, no code.

import type { Role } from 'synfin/trace';

/** An end of the connection, by the name of its host. */
export type End = 'client' | 'server';

/** What can happen to a segment on its way. */
export type Fate = 'drop' | 'delay' | 'duplicate' | 'corrupt';

/** What a program waits for before its next step; `received` counts all octets it has read so far. */
export type When = 'start' | 'open' | 'peer-ended' | { readonly received: number };

/** What a program does: in the RFC's words OPEN, SEND, CLOSE, ABORT. */
export type Deed =
  | { readonly do: 'connect' }
  | { readonly do: 'send'; readonly text: string }
  | { readonly do: 'shutdown' }
  | { readonly do: 'abort' };

/** One step of a program: once `when` holds, and `after` ms more, the deed. Steps follow each other. */
export type Step = Deed & { readonly when: When; readonly after?: number };

/** What the path does to the `nth` (from 1) segment that plays `role`, as the trace names roles. */
export interface RoleFate {
  readonly role: Role;
  readonly nth: number;
  readonly fate: Fate;
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
}

/** Every scenario there is, in the order of the list. */
export const SCENARIO_IDS = [
  'normal',
  'lose-shake1',
  'lose-shake2',
  'lose-shake3',
  'both-open',
  'refused',
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
  'reset',
] as const;

/** The name of a scenario, as URLs have it. */
export type ScenarioId = (typeof SCENARIO_IDS)[number];

/** Time from one host to the other, ms. */
export const PATH_DELAY = 50;
/** How much later than usual a delayed segment arrives, ms. */
export const EXTRA_DELAY = 120;
/** The server's port; both ends' in a simultaneous open. */
export const PORT = 80;
