// The public names of the interpreter.

export { type Place, ScriptError } from './cursor.ts';
export type { Happening, Observation } from './observe.ts';
export { parseScript } from './parser.ts';
export type { RunOptions } from './run-options.ts';
export { type DrillResult, type Failure, runScript } from './runner.ts';
