import { fileURLToPath } from 'node:url';
import {
  ProcessCluster as Fleet,
  type ProcessClusterOptions as FleetOptions,
} from '../../broker/main/fleet/process-cluster.ts';

export type { ProcessNode } from '../../broker/main/fleet/process-node.ts';

const program = fileURLToPath(new URL('../../dist/broker/main/cli.js', import.meta.url));

export interface ProcessClusterOptions extends Omit<FleetOptions, 'program' | 'environment'> {
  /** `lossy`: a killed node loses what it had not flushed. */
  readonly disk?: 'lossy';
}

export type ProcessCluster = Fleet;

/** Real processes of the built product on real ports and a real directory. */
export const ProcessCluster = {
  start(options: ProcessClusterOptions): Promise<Fleet> {
    const { disk, ...rest } = options;
    return Fleet.start({
      ...rest,
      program,
      ...(disk === undefined ? {} : { environment: { ...process.env, HIGHWATER_TEST_DISK: disk } }),
    });
  },
};
