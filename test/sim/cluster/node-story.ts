/** What a node logs goes into the trace and into the table of what was reached. */
import type { Logger } from '../../../proto/ports/logger.ts';
import type { VirtualClock } from '../../../proto/ports/memory/virtual-clock.ts';
import type { World } from '../world.ts';

/** The logger of one process of a node; it says nothing once the process has ended. */
export function nodeStory(world: World, node: number, clock: VirtualClock): Logger {
  const line = (event: string, _message: string, fields: object = {}): void => {
    if (clock.isStopped) return;
    const reason = 'reason' in fields ? ` ${String(fields.reason)}` : '';
    world.note(`n${node} ${event} ${JSON.stringify(fields, plain)}`);
    world.reach(event);
    if (reason !== '') world.reach(`${event}${reason}`);
  };
  const logger: Logger = {
    debug() {},
    info: line,
    warn: line,
    error: line,
    with: () => logger,
  };
  return logger;
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Error ? value.message : value;
}
