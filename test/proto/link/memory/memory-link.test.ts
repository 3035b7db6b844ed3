import { describeLifecycle } from '../lifecycle-conformance.ts';
import { createMemoryWorld } from '../memory-world.ts';
import { describeStreams } from '../stream-conformance.ts';

describeStreams('the simulated network', () => createMemoryWorld());
describeLifecycle('the simulated network', () => createMemoryWorld());
