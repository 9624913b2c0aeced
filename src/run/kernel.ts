// The SIMD kernel: a WebAssembly module of half a kilobyte that sums packets six times as fast as JavaScript does.
//
// It is made when the first runtime is, and refused kindly: without WebAssembly or SIMD, under a content security policy
// without `wasm-unsafe-eval`, or without the address space, packets stay in ordinary memory. Both ways give the same
// sums (test/run/kernel.test.ts), so nothing but the time differs.

import { type PacketMemory, usePacketMemory } from '../base/packet-memory.ts';
import { KERNEL_BYTES } from './kernel-bytes.ts';

/** Pages of 64 KiB: 8 MiB, which hold five thousand packets of 1500 octets. Untouched ones cost address space only. */
const PAGES = 128;

/** As much of WebAssembly's interface as is used; the room compiles without the types of a browser. */
interface WebAssemblyLike {
  Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: object };
}

let tried = false;

/** Hands the kernel to the core, the first time it is called; later calls do nothing. */
export function installKernel(): void {
  if (tried) return;
  tried = true;
  const memory = createKernel();
  if (memory !== null) usePacketMemory(memory);
}

/** The kernel with a memory of its own; `null` where the platform has none, or forbids it. */
export function createKernel(): PacketMemory | null {
  const wasm = (globalThis as { WebAssembly?: WebAssemblyLike }).WebAssembly;
  if (wasm === undefined) return null;
  try {
    const bytes = Uint8Array.from(atob(KERNEL_BYTES), (c) => c.charCodeAt(0));
    const memory = new wasm.Memory({ initial: PAGES, maximum: PAGES });
    const { exports } = new wasm.Instance(new wasm.Module(bytes), { e: { m: memory } });
    const { s } = exports as { s: (at: number, length: number) => number };
    return { bytes: new Uint8Array(memory.buffer), sum: s };
  } catch {
    // A CompileError of a policy or an engine without SIMD, a RangeError without address space: the same to us.
    return null;
  }
}
