import { expect, it } from 'vitest';
import { FeedClient } from '../../../broker/dashboard/feed-client.ts';

class Sink {
  writableLength = 0;
  isEnded = false;
  write(text: string): boolean {
    this.writableLength += text.length;
    return true;
  }
  end(): void {
    this.isEnded = true;
  }
}

const MiB = 1024 * 1024;

it('a browser that does not read gets nothing more, and a snapshot once it reads again', () => {
  const sink = new Sink();
  const client = new FeedClient(sink);
  client.needsWhole = false;
  sink.writableLength = 5 * MiB;
  expect(client.canTake(0)).toBe(false);
  expect(client.canTake(1_000)).toBe(false);
  sink.writableLength = 0;
  expect(client.canTake(2_000)).toBe(true);
  expect(client.needsWhole).toBe(true);
  expect(sink.isEnded).toBe(false);
});

it('a browser that reads nothing for half a minute is let go', () => {
  const sink = new Sink();
  const client = new FeedClient(sink);
  sink.writableLength = 5 * MiB;
  expect(client.canTake(0)).toBe(false);
  expect(client.canTake(31_000)).toBe(false);
  expect(sink.isEnded).toBe(true);
});
