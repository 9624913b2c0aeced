// Refuses a Node.js that is too old, in syntax that such a Node.js can still read.

// biome-ignore-all lint/style/useTemplate: a Node.js that is too old could not parse this file otherwise.
var OLDEST = [20, 19];
var have = process.versions.node.split('.').map(Number);

if (have[0] < OLDEST[0] || (have[0] === OLDEST[0] && have[1] < OLDEST[1])) {
  console.error('synfin needs Node.js ' + OLDEST.join('.') + ' or newer; this is ' + process.versions.node + '.');
  process.exit(1);
}
