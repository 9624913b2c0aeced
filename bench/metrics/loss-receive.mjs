// CUBIC of the Linux kernel to a receiver of ours and to a Linux receiver: what our acknowledgements and windows let it do.

import { overCells } from '../lib/cells.mjs';

export const name = 'loss.receive';
export const unit = 'Mbit/s';
export const better = 'higher';
export const rounds = 5;
export const warm = false;

const cells = overCells(true);
export const run = async () => cells.run();
export const peers = { Linux: async () => cells.kernel() };
export const notes = async () => cells.notes();
