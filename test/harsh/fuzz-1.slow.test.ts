import { fuzzSuite } from './fuzz-suite.ts';

// A million inputs with the other half.
fuzzSuite('500000 fixed seeds, half 1', 1_000_000, 500_000);
