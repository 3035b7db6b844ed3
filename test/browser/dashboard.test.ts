import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Front, startFront } from '../../broker/main/front/front.ts';
import { ProcessControl } from '../../broker/main/front/process-control.ts';
import { type Client, connect } from '../../client/index.ts';
import { ProcessCluster } from '../support/process-cluster.ts';
import { browserPath, isWiderThanItsWindow, launch, openPage, shoot } from './open-browser.ts';

const patienceMs = 40_000;
const desk = { width: 1440, height: 1000 };
const phone = { width: 390, height: 844 };

describe.skipIf(browserPath === undefined)('the dashboard of three processes', () => {
  let cluster: ProcessCluster;
  let front: Front;
  let browser: Browser;
  let client: Client;
  let isWriting = true;
  let writing: Promise<void>;

  beforeAll(async () => {
    cluster = await ProcessCluster.start({
      nodes: 3,
      hasProxies: true,
      settings: { 'session-ms': '1000' },
    });
    front = await startFront(new ProcessControl(cluster.nodes, cluster.network), 0);
    client = await connect({ brokers: cluster.brokers });
    await client.admin.createTopic({
      name: 'orders',
      partitions: 3,
      replicationFactor: 3,
      config: { 'replica.lag.time.max.ms': '1000' },
    });
    writing = write(client, () => isWriting);
    browser = await launch();
  }, 60_000);

  afterAll(async () => {
    isWriting = false;
    await browser?.close();
    await client?.close();
    await writing?.catch(() => undefined);
    await front?.close();
    await cluster?.stop();
  });

  it('shows nodes, partitions, the log growing, and asks no other host', async () => {
    const { page, complaints, hosts } = await openPage(browser, front.address, desk);
    await page.locator('[data-partition="orders/2"]').waitFor();
    await expectText(page, '[data-node="1"] .pill', /serves/);
    const end = await textOf(page, '[data-partition="orders/0"] .cell-number');
    await changed(page, '[data-partition="orders/0"] .cell-number', end);
    await shoot(page, 'overview-light');
    expect([...hosts]).toEqual([new URL(front.address).host]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('shows a record that was written, by its offset, from the leader and from a follower', async () => {
    const { offset } = await client
      .producer({ acks: 'all' })
      .send({ topic: 'orders', partition: 1, key: 'seen', value: 'a record to be seen' });
    const leader = await leaderOf(client, 1);
    const { page } = await openPage(browser, `${front.address}/#/records/orders/1`, desk);
    for (const replica of ['', String((leader % 3) + 1)]) {
      await page.locator('#offset').fill(String(offset));
      await page.locator('#replica').selectOption(replica);
      await page.getByRole('button', { name: 'Go' }).click();
      await expectText(page, `[data-offset="${offset}"]`, /seena record to be seen/);
    }
    await shoot(page, 'records');
    await page.close();
  });

  it('shows the in-sync set shrink and the gap open when a follower is cut off, and why', async () => {
    const leader = await leaderOf(client, 0);
    const follower = [1, 2, 3].find((node) => node !== leader) ?? 0;
    const { page } = await openPage(browser, front.address, desk);
    await page.locator(`[data-node="${follower}"] [data-action="pause"]`).click();
    await expectText(page, `[data-node="${follower}"] .pill`, /paused/);
    await expectText(page, '[data-tile="under-replicated"] .tile-value', /[1-9]/);
    await expectText(page, '[data-partition="orders/0"] .cell-chips', new RegExp(`×${follower}`));
    await page.locator('[data-partition="orders/0"]').click();
    await expectText(page, `[data-replica="${follower}"]`, /out of sync/);
    await shoot(page, 'partition-isr-shrink', true);
    await expectText(page, '.events', /ISR shrank|fenced/);
    await page.goto(`${front.address}/#/`);
    await page.locator(`[data-node="${follower}"] [data-action="resume"]`).click();
    await expectText(page, '[data-tile="under-replicated"] .tile-value', /^0$/);
    await page.close();
  });

  it('shows another leader, and the election with its reason, when the leader is killed', async () => {
    const { page } = await openPage(browser, front.address, { ...desk, dark: true });
    const leader = await leaderOf(client, 0);
    await page.locator(`[data-node="${leader}"] [data-action="kill"]`).click();
    await expectText(page, `[data-node="${leader}"] .pill`, /killed/);
    await expect
      .poll(() => textOf(page, '[data-partition="orders/0"] .cell-leader'), { timeout: patienceMs })
      .toMatch(new RegExp(`^[^${leader}n] · epoch [2-9]`));
    await expectText(page, '.panel-events', /Leader elected: orders\/[\s\S]*the leader was lost/);
    await expectText(page, '[data-tile="under-replicated"] .tile-value', /3/);
    await expectText(page, '.live', new RegExp(`live from node [^${leader}]`));
    await shoot(page, 'failover-dark');
    await page.goto(`${front.address}/#/timeline`);
    await expectText(page, '.events', /Broker fenced: broker/);
    await shoot(page, 'timeline-dark');
    await page.goto(`${front.address}/#/`);
    await page.locator(`[data-node="${leader}"] [data-action="restart"]`).click();
    await expectText(page, '[data-tile="under-replicated"] .tile-value', /^0$/);
    await page.close();
  });

  it('is used with the keyboard alone', async () => {
    const { page } = await openPage(browser, front.address, desk);
    await page.locator('[data-node="3"] [data-action="pause"]').waitFor();
    await tabTo(page, '[data-node="3"] [data-action="pause"]');
    await page.keyboard.press('Enter');
    await expectText(page, '[data-node="3"] .pill', /paused/);
    await tabTo(page, '[data-node="3"] [data-action="resume"]');
    await page.keyboard.press('Space');
    await expectText(page, '[data-node="3"] .pill', /^(?!.*paused)/);
    await tabTo(page, '[data-partition="orders/0"]');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expectText(page, 'h1', /orders\/1/);
    await page.close();
  });

  it('fits on a phone', async () => {
    const { page } = await openPage(browser, front.address, phone);
    await page.locator('[data-partition="orders/2"]').waitFor();
    for (const hash of [
      '#/',
      '#/partition/orders/0',
      '#/records/orders/0',
      '#/groups',
      '#/timeline',
    ]) {
      await page.goto(`${front.address}/${hash}`);
      await page.locator('main h1').waitFor({ state: 'attached' });
      expect(await isWiderThanItsWindow(page), hash).toBe(false);
      await shoot(page, `phone${hash.replaceAll(/[#/]+/g, '-')}`, true);
    }
    await page.close();
  });

  it('stays quick with a thousand partitions', async () => {
    await client.admin.createTopic({ name: 'many', partitions: 1_000, replicationFactor: 3 });
    const { page } = await openPage(browser, front.address, desk);
    await expectText(page, '[aria-labelledby="partitions-title"]', /1,003 partitions/);
    expect(await page.locator('.row').count()).toBeLessThan(60);
    await page.locator('#filter').fill('many/777');
    await expectText(page, '.rows', /many\/777/);
    await page.locator('#filter').fill('');
    await page.evaluate('document.querySelector(".scroller").scrollTop = 1e9');
    await page.locator('[data-partition="orders/2"]').waitFor();
    await shoot(page, 'thousand-partitions');
    await page.close();
  });

  it('takes no action from another page', async () => {
    const action = `${front.address}/api/controls/1/kill`;
    const foreign = { 'x-highwater-control': '1', origin: 'http://elsewhere.test' };
    expect((await fetch(action, { method: 'POST' })).status).toBe(403);
    expect((await fetch(action, { method: 'POST', headers: foreign })).status).toBe(403);
    expect(cluster.node(1).isRunning).toBe(true);
  });
});

async function write(client: Client, goesOn: () => boolean): Promise<void> {
  const producer = client.producer({ acks: 'all' });
  for (let count = 0; goesOn(); count++) {
    const partition = count % 3;
    producer
      .send({ topic: 'orders', partition, key: String(count), value: `order ${count}` })
      .catch(() => undefined);
    await new Promise((next) => setTimeout(next, 10));
  }
}

async function leaderOf(client: Client, partition: number): Promise<number> {
  const { partitions } = await client.admin.describeTopic('orders');
  return partitions[partition]?.leader ?? 0;
}

async function textOf(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).first().textContent()) ?? '';
}

async function expectText(page: Page, selector: string, text: RegExp): Promise<void> {
  await expect.poll(() => textOf(page, selector), { timeout: patienceMs }).toMatch(text);
}

async function changed(page: Page, selector: string, from: string): Promise<void> {
  await expect.poll(() => textOf(page, selector), { timeout: patienceMs }).not.toBe(from);
}

/** Presses Tab until the element has the focus. */
async function tabTo(page: Page, selector: string): Promise<void> {
  await page.locator(selector).waitFor();
  for (let presses = 0; presses < 80; presses++) {
    const isThere = (await page.locator(`${selector}:focus`).count()) > 0;
    if (isThere) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${selector} is not reached with the Tab key`);
}
