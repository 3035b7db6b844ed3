import { describeLifecycle } from '../lifecycle-conformance.ts';
import { describeStreams } from '../stream-conformance.ts';
import { createTcpWorld } from '../tcp-world.ts';

describeStreams('TCP', () => createTcpWorld());
describeLifecycle('TCP', () => createTcpWorld());
