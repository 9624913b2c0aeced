// Makes the pictures of the lab in the READMEs from runs of the built page: `node scripts/lab-pictures.mjs`.
// Needs `npm run build`, `npm run build -w lab`, a Chromium, and fonts for Han characters.

import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { serveFolder } from '../dist/cli/lab.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FIGURES = join(ROOT, 'docs', 'figures');
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const LANGS = ['en', 'zh'];
/** Pixels of the screenshots, and how good they have to look. */
const SIZE = { width: 1360, height: 940 };
const QUALITY = 0.82;

/** A PNG as WebP, by the browser's own encoder. */
async function toWebp(page, png) {
  const url = await page.evaluate(
    async ([base64, quality]) => {
      const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob());
      const canvas = new OffscreenCanvas(image.width, image.height);
      canvas.getContext('2d').drawImage(image, 0, 0);
      const blob = await canvas.convertToBlob({ type: 'image/webp', quality });
      const bytes = new Uint8Array(await blob.arrayBuffer());
      return btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(''));
    },
    [png.toString('base64'), QUALITY],
  );
  return Buffer.from(url, 'base64');
}

async function picture(browser, base, lang) {
  const page = await browser.newPage({ viewport: SIZE, colorScheme: 'light', reducedMotion: 'reduce' });
  await page.goto(`${base}?run=normal&t=585&view=quiet&lang=${lang}`);
  await page.locator('[data-packet]').last().click();
  await page.getByRole('toolbar').waitFor();
  await page.evaluate(() => document.activeElement?.blur());
  const png = await page.screenshot();
  writeFileSync(join(FIGURES, `lab.${lang}.webp`), await toWebp(page, png));
  await page.close();
}

async function film(browser, base, lang) {
  const page = await browser.newPage({ reducedMotion: 'reduce' });
  await page.goto(`${base}?run=lose-wave4&t=1e9&view=quiet&lang=${lang}`);
  await page.locator('[data-packet="3"]').waitFor();
  await page.locator('.menu summary').click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('.sheet button').nth(1).click()]);
  writeFileSync(join(FIGURES, `lab-film.${lang}.svg`), await readFile(await download.path()));
  await page.close();
}

const server = await serveFolder(join(ROOT, 'lab', 'dist'), 0);
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
try {
  mkdirSync(FIGURES, { recursive: true });
  const base = `http://127.0.0.1:${server.address().port}/`;
  for (const lang of LANGS) {
    await picture(browser, base, lang);
    await film(browser, base, lang);
  }
} finally {
  await browser.close();
  server.closeAllConnections();
  server.close();
}
