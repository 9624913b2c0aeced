// CUBIC of ours and of the Linux kernel to a Linux receiver, over emulated paths of 100 Mbit/s with the same seeded drops.

import { overCells } from '../lib/cells.mjs';

export const name = 'loss.goodput';
export const unit = 'Mbit/s';
export const better = 'higher';
export const rounds = 5;
export const warm = false;

const cells = overCells(false);
export const run = async () => cells.run();
export const peers = { Linux: async () => cells.kernel() };
export const notes = async () => cells.notes();
