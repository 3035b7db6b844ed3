import { expect, it } from 'vitest';
import { FakeCluster } from '../support/fake-cluster.ts';
import { rejection } from '../support/rejection.ts';

it('a closed client refuses what any broker answers at once', async () => {
  const cluster = new FakeCluster();
  const hw = await cluster.connect();
  await cluster.run(hw.close());
  const error = await cluster.run(rejection(hw.admin.createTopic({ name: 'orders' })), 1_000);
  expect(error).toMatchObject({ code: 'CLOSED', outcome: 'not-written' });
});
