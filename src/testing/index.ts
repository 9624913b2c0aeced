// The public names of `synfin/testing`.

export type { Leak } from './leaks.ts';
export { networked, TestNet, type TestNetOptions, testNet } from './test-net.ts';
export type { ResetAfter, Tunnel, TunnelOptions } from './tunnel.ts';
