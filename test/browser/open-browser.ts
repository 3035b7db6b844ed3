import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Screenshots for whoever wants to look; not kept in the repository. */
const shots = fileURLToPath(new URL('../../coverage/screenshots/', import.meta.url));

/** A browser of this machine, or undefined where there is none. */
export const browserPath = [
  process.env['CHROME_PATH'],
  '/usr/bin/chromium',
  '/usr/bin/google-chrome',
]
  .filter((path) => path !== undefined)
  .find((path) => existsSync(path));

export function launch(): Promise<Browser> {
  return chromium.launch({
    ...(browserPath === undefined ? {} : { executablePath: browserPath }),
    args: ['--no-sandbox'],
  });
}

/** A page that remembers what it complained of and which hosts it asked. */
export interface WatchedPage {
  readonly page: Page;
  readonly complaints: string[];
  readonly hosts: Set<string>;
}

export async function openPage(
  browser: Browser,
  url: string,
  options: { readonly width: number; readonly height: number; readonly dark?: boolean },
): Promise<WatchedPage> {
  const { width, height, dark = false } = options;
  const page = await browser.newPage({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
  });
  const complaints: string[] = [];
  const hosts = new Set<string>();
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy|Refused to/.test(message.text())) complaints.push(message.text());
  });
  page.on('request', (request) => hosts.add(new URL(request.url()).host));
  await page.goto(url);
  return { page, complaints, hosts };
}

export async function shoot(page: Page, name: string, fullPage = false): Promise<void> {
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: `${shots}${name}.png`, fullPage });
}

/** The page scrolls in one direction only. */
export function isWiderThanItsWindow(page: Page): Promise<boolean> {
  return page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth');
}
