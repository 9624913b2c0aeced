// What can be done in the built page, by roles: questions, knobs, segments by hand, exercises, files, a page in a frame.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LabBrowser, missing, momentOf, stateOf, titled, toTheEnd } from './chromium.ts';

/** Wide enough for what a segment carries to stand on its arrow. */
const WIDE = { width: 1600, height: 1000 };
const TSHARK = '/usr/bin/tshark';
const tsharkMissing = existsSync(TSHARK) ? '' : 'tshark: apt-get install -y tshark';

describe.skipIf(missing !== '')(titled('touching the lab in Chromium'), () => {
  const lab = new LabBrowser();
  let folder = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'synfin-lab-'));
    await lab.start();
  }, 150_000);
  afterAll(async () => {
    await lab.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const tab = (page: Page, name: string) => page.getByRole('tab', { name }).click();
  const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
  const segment = (page: Page, name: RegExp) => page.getByRole('button', { name });
  /** Saves by an item of the menu. */
  async function save(page: Page, item: RegExp): Promise<string> {
    await page.getByText('More', { exact: true }).click();
    const [download] = await Promise.all([page.waitForEvent('download'), button(page, item).click()]);
    await page.keyboard.press('Escape');
    const path = join(folder, download.suggestedFilename());
    await download.saveAs(path);
    return path;
  }

  it('playing stops at a question, hides what comes next, says what was right, and goes on', async () => {
    const page = await lab.open('?run=lose-wave4&t=565');
    await button(page, 'Play').click();
    const card = page.getByRole('region', { name: 'What do you think?' });
    await card.waitFor();
    expect(await page.locator('.now-next').textContent()).not.toContain('Server');
    await card.getByRole('button', { name: 'The client sends it again' }).click();
    await card.getByText('Not quite: The server repeats its FIN').waitFor();
    expect(await card.getByRole('button', { name: 'The server repeats its FIN' }).isDisabled()).toBe(true);
    await page.getByLabel('Speed').selectOption('10');
    await card.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('Nothing is left to happen').waitFor();
    await page.context().close();
  });

  it('the path and the ends can be changed in mid-flight: a new future, and the link holds it', async () => {
    const page = await lab.open('?run=normal&t=140&view=quiet');
    await button(page, /^The path: 50 ms each way/).click();
    const panel = page.getByRole('tabpanel');
    await panel.getByRole('slider', { name: /time each way/ }).press('End');
    await page.getByText('the path, time each way: 2000 ms').waitFor();
    await panel.getByRole('group', { name: 'Server' }).getByLabel('congestion control').selectOption('newreno');
    await panel.getByRole('group', { name: 'Client' }).getByLabel('Nagle’s algorithm').uncheck();
    await page.getByText('Client, Nagle’s algorithm: no').waitFor();
    await page.waitForURL(/set\.delay.*set\.congestion\.server.*set\.nagle\.client/);
    const copy = await lab.open(new URL(page.url()).search);
    expect(await copy.locator('.deeds li').allTextContents()).toEqual(
      await page.locator('.deeds li').allTextContents(),
    );
    await toTheEnd(copy);
    expect(Number.parseFloat(await momentOf(copy))).toBeGreaterThan(64);
    await copy.context().close();
    await page.context().close();
  });

  it('a segment by hand is challenged, and the exercise about it notices', async () => {
    const page = await lab.open('?run=normal&tab=tasks&view=quiet');
    await button(page, /^Begin: By hand, send a RST/).click();
    await page.getByText('Not yet.').waitFor();
    await page.getByRole('slider', { name: 'Moment' }).focus();
    for (let i = 0; i < 40 && (await stateOf(page, 'server')) !== 'ESTABLISHED'; i++) {
      await page.keyboard.press('ArrowRight');
    }
    await tab(page, 'Make');
    const form = page.getByRole('form', { name: 'Make' });
    await form.getByLabel('For example').selectOption('a RST in the window, not exact');
    await form.getByRole('button', { name: 'Send it' }).click();
    await segment(page, /^RST.*by hand.*in flight/).waitFor();
    await page.locator('.task-now').getByText('Done, at').waitFor();
    await page.context().close();
  });

  it('an exercise is done by a command at the right moment: the server in CLOSING', async () => {
    const page = await lab.open('?run=normal&t=300&task=closing&view=quiet');
    await page.getByText('Not yet.').waitFor();
    await page.getByRole('region', { name: 'Server' }).getByRole('button', { name: 'Close' }).click();
    await page.locator('.task-now').getByText('Done, at').waitFor();
    await page.locator('.task-now').getByRole('button', { name: /ms/ }).click();
    expect(await stateOf(page, 'server')).toBe('CLOSING');
    await button(page, 'Leave it').click();
    expect(await page.locator('.task-now').count()).toBe(0);
    await page.context().close();
  });

  it('shows the inside of both ends: rulers, timers, and what was learnt of the path', async () => {
    const page = await lab.open('?run=normal&t=140&tab=inside&view=quiet');
    const client = page.getByRole('region', { name: 'Inside: Client' });
    const ruler = client.getByRole('list', { name: 'What Client sends' });
    expect(await ruler.getByRole('listitem').allTextContents()).toEqual([
      expect.stringMatching(/ISS.*acknowledged/),
      expect.stringMatching(/SND\.UNA.*x\+1.*in flight.*34 B/),
      expect.stringMatching(/SND\.NXT.*x\+35.*may be sent/),
      expect.stringMatching(/UNA\+WND/),
    ]);
    await client.getByText('Retransmission').waitFor();
    await client.getByText(/left/).first().waitFor();
    await tab(page, 'Plot');
    await page.getByRole('img', { name: /cwnd \d+ B, in flight/ }).waitFor();
    await page.context().close();
  });

  it('text of one’s own is sent from either side, and an old copy kept by a key', async () => {
    const page = await lab.open('?run=normal&t=160&view=quiet', { viewport: WIDE });
    const server = page.getByRole('region', { name: 'Server' });
    await server.getByLabel('Text for Server to send').fill('418 teapot');
    await server.getByRole('button', { name: 'Send' }).click();
    await segment(page, /418/).waitFor();
    await segment(page, /418/).focus();
    await page.keyboard.press('o');
    await page.getByText(/a copy of segment \d+ stays in the network/).waitFor();
    await toTheEnd(page);
    await segment(page, /twice.*418|418.*twice/).waitFor();
    await page.context().close();
  });

  it('a page in a frame: every request of it is on the ladder, and a lost segment only delays it', async () => {
    const page = await lab.open('?run=page&t=0&view=quiet', { viewport: WIDE });
    await button(page, 'Load the page').click();
    const frame = page.frameLocator('iframe');
    await frame.getByRole('heading', { name: 'From SYN to FIN' }).waitFor();
    const list = page.getByRole('region', { name: 'What was asked for' });
    await list.getByText('GET /wave.svg 200').waitFor();
    await list.getByText('GET /style.css 200').waitFor();
    await toTheEnd(page);
    await segment(page, /GET \/style\.css/).waitFor();
    await frame.getByRole('link').click();
    await frame.getByRole('heading', { name: 'One connection, many requests' }).waitFor();
    await page.getByRole('slider', { name: 'Moment' }).focus();
    await page.keyboard.press('Home');
    await segment(page, /SYN.*in flight/).focus();
    await page.keyboard.press('d');
    await frame.getByRole('heading', { name: 'From SYN to FIN' }).waitFor();
    await page.getByText(/Requests answered: 3, the last at 1\.\d+ s/).waitFor();
    await page.context().close();
  });

  it('the ladder is saved as a drawing', async () => {
    const page = await lab.open('?run=lose-wave4&t=900&lang=en&view=quiet');
    const path = await save(page, /The ladder for paper/);
    const svg = readFileSync(path, 'utf8');
    expect(path).toMatch(/synfin-lose-wave4-9293\.svg$/);
    expect(svg).toContain('TIME-WAIT');
    const read = await page.evaluate((text) => {
      const parsed = new DOMParser().parseFromString(text, 'image/svg+xml');
      return [parsed.documentElement.nodeName, parsed.querySelectorAll('parsererror').length];
    }, svg);
    expect(read).toEqual(['svg', 0]);
    await page.context().close();
  });

  it.skipIf(tsharkMissing !== '')(titled('a capture is what tshark says it is', tsharkMissing), async () => {
    const page = await lab.open('?run=lose-wave4&t=70000&view=quiet');
    const path = await save(page, /A capture at the client/);
    const fields = ['frame.time_relative', 'tcp.flags', 'tcp.seq', 'tcp.ack', 'tcp.len'];
    const args = ['-r', path, '-o', 'tcp.check_checksum:TRUE', '-T', 'fields', ...fields.flatMap((f) => ['-e', f])];
    const lines = execFileSync(TSHARK, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trim()
      .split('\n');
    const rows = lines.map((line) => line.split('\t'));
    const table = await page.locator('[data-packet]').count();
    expect(rows.length).toBe(table);
    const flags = rows.map((row) => Number(row[1]) & 0x17);
    expect(flags.slice(0, 3)).toEqual([0x02, 0x12, 0x10]);
    expect(flags.filter((f) => f === 0x11).length).toBe(3);
    const bad = execFileSync(
      TSHARK,
      ['-r', path, '-o', 'tcp.check_checksum:TRUE', '-Y', 'tcp.checksum.status==0 || _ws.malformed'],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    expect(bad).toBe('');
    await page.context().close();
  });

  it('for the projector: large letters, answers covered until they are asked for', async () => {
    const page = await lab.open('?run=normal&t=20');
    await page.getByText('More', { exact: true }).click();
    await page.getByLabel('Projector: large letters').check();
    await page.getByLabel('Cover the answers').check();
    await page.getByLabel('Stop at questions').uncheck();
    await page.waitForURL(/view=projector%2Ccovered%2Cquiet|view=projector,covered,quiet/);
    await page.keyboard.press('Escape');
    expect(await page.locator('.end').first().isVisible()).toBe(false);
    const story = page.getByRole('region', { name: 'What it means' });
    expect(await story.textContent()).not.toContain('I want to talk to you');
    await story.getByRole('button', { name: 'Show what it means' }).click();
    await story.getByText('I want to talk to you').waitFor();
    await page.context().close();
  });

  it('explains its words, and the names that states have elsewhere', async () => {
    const page = await lab.open('?run=normal&t=20&tab=words&lang=zh');
    const table = page.getByRole('table', { name: '同一个状态的别名' });
    await table.getByRole('row', { name: /SYN_RECV/ }).waitFor();
    await page.getByText('慢启动（slow start）').waitFor();
    await page.context().close();
  });

  it('one pass by the keyboard alone: scenario, question, step, drop, undo, knob, tabs, menu, language', async () => {
    const page = await lab.open('?run=normal&t=0');
    const focused = () => page.evaluate(() => document.activeElement?.outerHTML.slice(0, 400) ?? '');
    /** Goes on with Tab until what has the focus matches. */
    const reach = async (pattern: RegExp, back = false) => {
      for (let i = 0; i < 80; i++) {
        if (pattern.test(await focused())) return;
        await page.keyboard.press(back ? 'Shift+Tab' : 'Tab');
      }
      expect(await focused()).toMatch(pattern);
    };
    await page.keyboard.press('Tab');
    expect(await focused()).toContain('class="skip"');
    await reach(/<select/);
    await page.keyboard.type('The first hand');
    await page.waitForURL(/run=lose-shake1/);
    await reach(/play-button/);
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'What do you think?' }).waitFor();
    await reach(/The client: its timer goes off/, true);
    await page.keyboard.press('Enter');
    await page.getByText('Right.').waitFor();
    await reach(/Go on/);
    await page.keyboard.press('Enter');
    await reach(/type="range"/);
    await page.keyboard.press('Home');
    await reach(/data-packet="1"/, true);
    await page.keyboard.press('d');
    await page.getByText(/dropped segment 1/).waitFor();
    await reach(/>Undo</);
    await page.keyboard.press('Space');
    await page.getByText('Nothing yet.').waitFor();
    await reach(/role="tab"/);
    for (const _ of ['inside', 'plot', 'change']) await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowRight');
    await page.getByText('the path, time each way: 80 ms').waitFor();
    await reach(/<summary>More/, true);
    await page.keyboard.press('Enter');
    await reach(/The ladder for paper/);
    const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
    expect(download.suggestedFilename()).toBe('synfin-lose-shake1-9293.svg');
    await page.keyboard.press('Escape');
    await reach(/lang="zh"/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'synfin 实验室' }).waitFor();
    await page.context().close();
  });

  it('asks nobody but its own folder, and nothing failed', () => {
    expect(lab.requests.filter((url) => !url.startsWith(lab.base) && !url.startsWith('blob:'))).toEqual([]);
    expect(lab.faults).toEqual([]);
  });
});
