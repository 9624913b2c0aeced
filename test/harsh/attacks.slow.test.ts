// Attacks in full, with their figures printed.

import { attackSuite } from './attack-suite.ts';

attackSuite({
  syns: 1_000_000,
  gaps: 100_000,
  sacks: 100_000,
  storm: 60_000,
  blind: 100_000,
  tuples: 100_000,
  peers: 500,
});
