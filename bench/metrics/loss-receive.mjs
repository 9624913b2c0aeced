// CUBIC of the Linux kernel to a receiver of ours and to a Linux receiver: what our acknowledgements and windows let it do.

import { overCells } from '../lib/cells.mjs';

export const name = 'loss.receive';
export const unit = 'Mbit/s';
export const better = 'higher';
export const rounds = 5;
export const warm = false;

export const { run, peers, notes } = overCells(true);
