import { fuzzSuite } from './fuzz-suite.ts';

/** Fixed seeds of all states and media together, and fresh ones. */
const FIXED = 100_000;
const FRESH = 10_000;

fuzzSuite(`${FIXED} fixed seeds`, 0, FIXED);

// Seeds nobody has seen; what fails names the ones to run again.
const fresh = Math.floor(Math.random() * 0x3fffffff) + 10_000_000;
console.log(`fuzz: fresh seeds from ${fresh}`);
fuzzSuite(`fresh seeds from ${fresh}`, fresh, FRESH);
