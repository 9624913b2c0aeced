// The public names of the room; `synfin/register` itself is `register.ts`, which is loaded for what it does.

export type { RegisterConfig, RegisterLink } from './config.ts';
