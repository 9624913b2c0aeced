// Attacks in small: bounds hold, and the genuine connection lives. The figures of the large ones are in attacks.slow.test.ts.

import { attackSuite } from './attack-suite.ts';

attackSuite({ syns: 20_000, gaps: 3000, sacks: 2000, storm: 10_000, blind: 20_000, tuples: 20_000, peers: 100 });
