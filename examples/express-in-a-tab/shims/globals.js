// What code written for Node finds without importing it.

import { Buffer } from 'buffer';
import process from 'process/browser.js';

process.env.NODE_ENV = 'production';
globalThis.process = process;
globalThis.Buffer = Buffer;
globalThis.global = globalThis;
globalThis.setImmediate ??= (run, ...args) => setTimeout(run, 0, ...args);
