// The built lab in Chromium: what the browser tests share. Served from below a folder, never from a root, by any port.

import { existsSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { serveFolder } from '../../src/cli/lab.ts';

const LAB = fileURLToPath(new URL('../../lab', import.meta.url));
const CHROMIUM = '/usr/bin/chromium';
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** How long one step may take on a machine that has other things to do, ms; nothing waits that long otherwise. */
const PATIENCE = 60_000;

/** Where axe is. */
export const AXE: string = fileURLToPath(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url));

/** Why the tests in the browser are skipped; empty when they are not. The runner reads it from their titles. */
export const missing: string = !existsSync(`${LAB}/dist/index.html`)
  ? 'lab/dist is not built: npm run build -w lab'
  : !existsSync(CHROMIUM)
    ? 'no chromium: apt-get install -y chromium'
    : '';

/** A title that says why its tests are skipped. */
export function titled(title: string, why: string = missing): string {
  return why === '' ? title : `${title} (needs: ${why})`;
}

type Settings = Parameters<Browser['newContext']>[0];

/** A browser with a server of the built page. */
export class LabBrowser {
  /** Everything that was asked for, and everything that went wrong, in any page. */
  readonly requests: string[] = [];
  readonly faults: string[] = [];
  base = '';
  #server: Server | null = null;
  #browser: Browser | null = null;

  async start(): Promise<void> {
    this.#server = await serveFolder(LAB, 0);
    this.base = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/dist/`;
    this.#browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS, timeout: PATIENCE });
  }

  async stop(): Promise<void> {
    await this.#browser?.close();
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  /** Opens the page and waits until the run is there. */
  async open(query: string, settings: Settings = {}): Promise<Page> {
    const context = await this.#browser!.newContext({ reducedMotion: 'reduce', locale: 'en-GB', ...settings });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    context.on('request', (request) => this.requests.push(request.url()));
    page.on('pageerror', (error) => this.faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.faults.push(message.text());
    });
    await page.goto(`${this.base}${query}`, { timeout: PATIENCE });
    await page.locator('.now-next [role=status]').filter({ hasText: /./ }).waitFor();
    return page;
  }
}

/** The state in large letters. */
export async function stateOf(page: Page, end: 'client' | 'server'): Promise<string> {
  return (await page.locator(`.badge-card.${end} .state-name`).textContent()) ?? '';
}

/** The moment that is shown. */
export async function momentOf(page: Page): Promise<string> {
  return (await page.locator('.clock b').textContent()) ?? '';
}

/** Goes to the end of the run. */
export async function toTheEnd(page: Page): Promise<void> {
  await page.getByRole('slider', { name: /Moment|时刻/ }).press('End');
  await page.getByText(/Nothing is left to happen|再没有事要发生了/).waitFor();
}
