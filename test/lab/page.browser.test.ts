// The built page in Chromium: the tale runs to its end, a dropped wave heals, the keyboard suffices, languages change.

import { existsSync, readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TABS } from '../../lab/src/model/link.ts';
import { SCENARIO_IDS } from '../../lab/src/model/scenario.ts';
import { AXE, LabBrowser, missing, momentOf, stateOf as state, titled, toTheEnd } from './chromium.ts';

/** Why the tests with axe are skipped; the runner reads it from their titles. */
const axeMissing = existsSync(AXE) ? '' : 'axe-core, which npm ci installs';

describe.skipIf(missing !== '')(titled('the lab in Chromium'), () => {
  const lab = new LabBrowser();
  const open: LabBrowser['open'] = (query, settings) => lab.open(query, settings);
  beforeAll(() => lab.start(), 150_000);
  afterAll(() => lab.stop());

  const forward = (page: Page) => page.getByRole('button', { name: 'Next event' }).click();
  const segment = (page: Page, name: RegExp) => page.getByRole('button', { name });

  it('the normal life, step by step: TIME-WAIT, a countdown, and CLOSED', async () => {
    const page = await open('?run=normal&view=quiet');
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
    const page = await open('?run=normal&t=100&view=quiet');
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
      await toTheEnd(page);
      return momentOf(page);
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
    expect(await momentOf(page)).toBe('1 s');
    await segment(page, /handshake 1, lost/).focus();
    await page.keyboard.press('ArrowDown');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-packet'))).toBe('2');
    await page.getByRole('slider', { name: 'Moment' }).focus();
    await page.keyboard.press('Home');
    expect(await momentOf(page)).toBe('0 ms');
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
    await toTheEnd(page);
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
    const page = await open('?run=normal&t=0&view=quiet');
    const list = page.getByLabel('Scenario');
    for (const id of SCENARIO_IDS) {
      await list.selectOption(id);
      // The first moment of the new run, then its last.
      await page.locator('.clock b').getByText('0 ms', { exact: true }).waitFor();
      await page.waitForURL(new RegExp(`run=${id}&t=0&`));
      await toTheEnd(page);
      // A flood leaves the server waiting: for it, nobody ever came.
      const server = id === 'flood' ? 'LISTEN' : 'CLOSED';
      expect([id, await state(page, 'client'), await state(page, 'server')]).toEqual([id, 'CLOSED', server]);
    }
    await page.context().close();
  });

  const LOOKS = [
    ['?run=lose-wave4&t=900', 1440, 'light'],
    ['?run=lose-data&t=570&lang=zh', 1440, 'dark'],
    ['?run=corrupt-data&t=620', 390, 'light'],
    ['?run=normal&t=49&lang=zh', 390, 'dark'],
    ['?run=flood&t=4000&view=projector,covered', 1440, 'dark'],
  ] as const;
  it.skipIf(axeMissing !== '').each(LOOKS)(
    titled('axe finds no violation on any tab: %s, %i pixels, %s', axeMissing),
    async (query, width, colorScheme) => {
      const page = await open(query, { viewport: { width, height: 900 }, colorScheme });
      await page.locator('[data-packet="1"]').focus();
      await page.keyboard.press('Enter');
      if (!query.includes('projector')) await page.locator('.as-table summary').click();
      await page.locator('.menu summary').click();
      await page.evaluate(readFileSync(AXE, 'utf8'));
      for (const tab of TABS) {
        await page.locator(`#tab-${tab}`).click();
        const found = await page.evaluate<string[]>(
          'axe.run(document).then((r) => r.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.target)))',
        );
        expect([tab, ...found]).toEqual([tab]);
      }
      await page.context().close();
    },
  );

  it('has the ladder as a table too', async () => {
    const page = await open('?run=lose-shake3&t=2000');
    await page.getByText('The ladder as a table').click();
    const row = page.getByRole('row', { name: /handshake 3/ });
    expect(await row.textContent()).toMatch(/lost/);
    await page.context().close();
  });

  it('asks nobody but its own folder, and nothing failed', () => {
    expect(lab.requests.length).toBeGreaterThan(0);
    expect(lab.requests.filter((url) => !url.startsWith(lab.base))).toEqual([]);
    expect(lab.faults).toEqual([]);
  });
});
