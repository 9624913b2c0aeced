// The built page in Chromium: the tale runs to its end, a dropped wave heals, the keyboard suffices, languages change.

import { existsSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCENARIO_IDS } from '../../lab/src/model/scenario.ts';
import { serveFolder } from '../../src/cli/lab.ts';

const LAB = fileURLToPath(new URL('../../lab', import.meta.url));
const AXE = fileURLToPath(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url));
const CHROMIUM = '/usr/bin/chromium';
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const why = !existsSync(`${LAB}/dist/index.html`)
  ? 'lab/dist is not built: npm run build -w lab'
  : !existsSync(CHROMIUM)
    ? 'no chromium: apt-get install -y chromium'
    : '';

/** Why the tests with axe are skipped; the runner reads it from their titles. */
const axeMissing = existsSync(AXE) ? '' : ' (needs: axe-core, which npm ci installs)';

describe.skipIf(why !== '')(`the lab in Chromium${why === '' ? '' : ` (needs: ${why})`}`, () => {
  let server: Server;
  let browser: Browser;
  let base = '';
  const requests: string[] = [];
  const faults: string[] = [];

  beforeAll(async () => {
    // Not the root: the site has to work from any folder.
    server = await serveFolder(LAB, 0);
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dist/`;
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
  });

  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
  });

  /** Opens the page and waits until the run is there. */
  async function open(query: string, settings: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    const context = await browser.newContext({ reducedMotion: 'reduce', locale: 'en-GB', ...settings });
    const page = await context.newPage();
    page.on('request', (request) => requests.push(request.url()));
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    await page.goto(`${base}${query}`);
    await page.locator('.now-next [role=status]').filter({ hasText: /./ }).waitFor();
    return page;
  }

  /** The state in large letters. */
  const state = async (page: Page, end: 'client' | 'server') =>
    (await page.locator(`.badge-card.${end} .state-name`).textContent()) ?? '';
  const forward = (page: Page) => page.getByRole('button', { name: 'Next event' }).click();
  const segment = (page: Page, name: RegExp) => page.getByRole('button', { name });

  it('the normal life, step by step: TIME-WAIT, a countdown, and CLOSED', async () => {
    const page = await open('?run=normal');
    expect([await state(page, 'client'), await state(page, 'server')]).toEqual(['SYN-SENT', 'LISTEN']);
    const seen = new Set<string>();
    for (let i = 0; i < 60 && !(await page.getByText('Nothing is left to happen').isVisible()); i++) {
      seen.add(await state(page, 'client')).add(await state(page, 'server'));
      if ((await state(page, 'client')) === 'TIME-WAIT') {
        await page.getByText(/2MSL: 60 s left/).waitFor();
      }
      await forward(page);
    }
    expect([...seen]).toEqual(expect.arrayContaining(['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT']));
    expect([...seen]).toEqual(expect.arrayContaining(['SYN-RECEIVED', 'CLOSE-WAIT', 'LAST-ACK']));
    expect([await state(page, 'client'), await state(page, 'server')]).toEqual(['CLOSED', 'CLOSED']);
    expect(await page.locator('.now-next [role=status]').textContent()).toContain('Client is CLOSED (2MSL timeout)');
    await page.context().close();
  });

  it('it plays by itself', async () => {
    const page = await open('?run=normal&t=100');
    await page.getByLabel('Speed').selectOption('4');
    await page.getByRole('button', { name: 'Play', exact: true }).click();
    await page.getByText('Nothing is left to happen').waitFor();
    expect(await state(page, 'client')).toBe('CLOSED');
    await page.context().close();
  });

  it('a click and a button drop wave 4: TIME-WAIT starts again, and undoing it undoes it', async () => {
    const page = await open('?run=normal&t=585');
    const wave = segment(page, /wave 4, in flight/);
    await wave.click();
    await page.getByRole('toolbar').getByRole('button', { name: 'Drop' }).click();
    await segment(page, /wave 4, lost/).waitFor();
    await page.getByText(/dropped segment/).waitFor();
    const until = async () => {
      await page.getByRole('slider').press('End');
      await page.getByText('Nothing is left to happen').waitFor();
      return (await page.locator('.clock b').textContent()) ?? '';
    };
    const late = await until();
    expect(await segment(page, /wave 3, arrived/).count()).toBe(2);
    expect(await segment(page, /wave 4, arrived/).count()).toBe(1);
    // The link holds what was done.
    await page.waitForURL(/do=drop/);
    await page.getByRole('button', { name: 'Undo', exact: true }).click();
    await page.getByText('Nothing yet.').waitFor();
    const early = await until();
    expect(Number.parseFloat(late)).toBeGreaterThan(Number.parseFloat(early));
    expect(await segment(page, /wave 3, arrived/).count()).toBe(1);
    await page.context().close();
  });

  it('the keyboard alone drops a SYN, rewinds, and walks from segment to segment', async () => {
    const page = await open('?run=normal&t=20');
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab');
      if (await page.evaluate(() => document.activeElement?.hasAttribute('data-packet') ?? false)) break;
    }
    await page.keyboard.press('d');
    await segment(page, /handshake 1, lost/).waitFor();
    await page.getByRole('button', { name: 'Next timer' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Next segment' }).press('Enter');
    await segment(page, /handshake 1, in flight/).waitFor();
    expect(await page.locator('.clock b').textContent()).toBe('1 s');
    await segment(page, /handshake 1, lost/).focus();
    await page.keyboard.press('ArrowDown');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-packet'))).toBe('2');
    await page.getByRole('slider').focus();
    await page.keyboard.press('Home');
    expect(await page.locator('.clock b').textContent()).toBe('0 ms');
    expect(await state(page, 'client')).toBe('SYN-SENT');
    await page.context().close();
  });

  it('a segment is seen from the inside: fields by name, flags bit by bit', async () => {
    const page = await open('?run=normal&t=60');
    await segment(page, /handshake 2, in flight/).click();
    const inside = page.getByRole('region', { name: 'Inside the segment' });
    await inside.getByRole('rowheader', { name: 'Sequence number' }).waitFor();
    expect(await inside.locator('.flags .set').allTextContents()).toEqual([
      expect.stringContaining('ACK=1'),
      expect.stringContaining('SYN=1'),
    ]);
    expect(await inside.getByRole('row', { name: /Acknowledgement number/ }).textContent()).toContain('x+1 = ');
    await page.context().close();
  });

  it('commands act in the middle of a run', async () => {
    const page = await open('?run=normal&t=160');
    const panel = page.getByRole('region', { name: 'Server' });
    await panel.getByRole('button', { name: 'Abort' }).click();
    await page.getByText(/Server aborts/).waitFor();
    expect(await state(page, 'server')).toBe('CLOSED');
    await page.getByRole('slider').press('End');
    await page.getByRole('listitem').filter({ hasText: 'gets ECONNRESET' }).waitFor();
    await page.context().close();
  });

  it('speaks the language of the browser, of the link, and of the button', async () => {
    const chinese = await open('', { locale: 'zh-CN' });
    await chinese.getByRole('heading', { name: 'synfin 实验室' }).waitFor();
    expect(await chinese.locator('html').getAttribute('lang')).toBe('zh-CN');
    await chinese.getByRole('button', { name: 'EN' }).click();
    await chinese.getByRole('heading', { name: 'synfin lab' }).waitFor();
    await chinese.waitForURL(/lang=en/);
    await chinese.context().close();
    const linked = await open('?run=lose-wave4&t=585&lang=zh');
    await linked.locator('.story').getByText('好，再见').waitFor();
    await linked.context().close();
  });

  it('fits a phone, light and dark, without anything wider than the page', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await open('?run=lose-data&t=300', { viewport: { width: 390, height: 844 }, colorScheme });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(wide).toBeLessThanOrEqual(0);
      await page.context().close();
    }
  });

  it('every scenario of the list is told to its end', async () => {
    const page = await open('?run=normal&t=0');
    const list = page.getByLabel('Scenario');
    for (const id of SCENARIO_IDS) {
      await list.selectOption(id);
      // The first moment of the new run, then its last.
      await page.locator('.clock b').getByText('0 ms', { exact: true }).waitFor();
      await page.waitForURL(new RegExp(`run=${id}&t=0&`));
      await page.getByRole('slider').press('End');
      await page.getByText('Nothing is left to happen').waitFor();
      expect([id, await state(page, 'client'), await state(page, 'server')]).toEqual([id, 'CLOSED', 'CLOSED']);
    }
    await page.context().close();
  });

  it.skipIf(axeMissing !== '').each([
    ['?run=lose-wave4&t=900', 1440, 'light'],
    ['?run=lose-data&t=570&lang=zh', 1440, 'dark'],
    ['?run=corrupt-data&t=620', 390, 'light'],
    ['?run=normal&t=60&lang=zh', 390, 'dark'],
  ] as const)(`axe finds no violation: %s, %i pixels, %s${axeMissing}`, async (query, width, colorScheme) => {
    const page = await open(query, { viewport: { width, height: 900 }, colorScheme });
    await page.locator('[data-packet="2"]').focus();
    await page.keyboard.press('Enter');
    await page.locator('summary').click();
    await page.evaluate(readFileSync(AXE, 'utf8'));
    const found = await page.evaluate<string[]>(
      'axe.run(document).then((r) => r.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.target)))',
    );
    expect(found).toEqual([]);
    await page.context().close();
  });

  it('has the ladder as a table too', async () => {
    const page = await open('?run=lose-shake3&t=2000');
    await page.getByText('The ladder as a table').click();
    const row = page.getByRole('row', { name: /handshake 3/ });
    expect(await row.textContent()).toMatch(/lost/);
    await page.context().close();
  });

  it('asks nobody but its own folder, and nothing failed', () => {
    expect(requests.length).toBeGreaterThan(0);
    expect(requests.filter((url) => !url.startsWith(base))).toEqual([]);
    expect(faults).toEqual([]);
  });
});
