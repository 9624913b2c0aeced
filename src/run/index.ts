// The public names of the room: real time, real randomness.

export type { Clock, TimerHandle } from './clock.ts';
export { afterIo, LONGEST_DELAY, systemClock } from './clock.ts';
export type { RealHost, RealHostOptions } from './create-host.ts';
export { createHost } from './create-host.ts';
export { randomKey } from './entropy.ts';
export type {
  AttachOptions,
  InterfaceOptions,
  RunnableHost,
  RunnableInterface,
  Runtime,
  RuntimeOptions,
} from './runtime.ts';
export { createRuntime } from './runtime.ts';
