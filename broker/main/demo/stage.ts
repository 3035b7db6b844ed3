/**
 * Where a lesson plays: its clusters, its story, its claims and what is recorded. Everything opened here
 * is closed with the stage, so that a lesson that is interrupted leaves nothing behind.
 */
import { ProcessCluster, type ProcessClusterOptions } from '../fleet/process-cluster.ts';
import { startFront } from '../front/front.ts';
import { ProcessControl } from '../front/process-control.ts';
import type { Claims } from './claims.ts';
import { followJournal } from './journal.ts';
import { LessonCluster } from './lesson-cluster.ts';
import type { Recording } from './recording.ts';
import type { Story } from './story.ts';

export interface StageParts {
  readonly story: Story;
  readonly claims: Claims;
  readonly recording: Recording;
  /** Variables for the nodes' processes. */
  readonly environment: NodeJS.ProcessEnv;
}

export interface ClusterChoice extends Omit<ProcessClusterOptions, 'environment' | 'program'> {
  /** What it is called in the story, where there are several. */
  readonly called?: string;
}

/** A machine that does much else takes its time; a lesson is no bench. */
const readyMsMax = 60_000;

export class Stage implements AsyncDisposable {
  readonly story: Story;
  readonly claims: Claims;
  readonly recording: Recording;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #closers: (() => Promise<void>)[] = [];
  #isClosed = false;

  constructor(parts: StageParts) {
    this.story = parts.story;
    this.claims = parts.claims;
    this.recording = parts.recording;
    this.#environment = nodeEnvironment(parts.environment);
  }

  /** Starts node processes, says where they are seen, and tells what their journal tells. */
  async cluster(choice: Partial<ClusterChoice> = {}): Promise<LessonCluster> {
    const { called, ...options } = choice;
    const processes = await ProcessCluster.start({
      nodes: 3,
      ...options,
      environment: this.#environment,
      readyMs: readyMsMax,
    });
    this.keep(() => processes.stop());
    const cluster = await LessonCluster.open(processes);
    this.keep(() => cluster.close());
    const name = called ?? 'cluster';
    const network = options.hasProxies === true ? processes.network : undefined;
    const front = await startFront(new ProcessControl(processes.nodes, network), 0);
    this.keep(() => front.close());
    this.story.look(`The ${name} is up; its dashboard, with buttons: ${front.address}`);
    const journal = followJournal(cluster.client, (text) =>
      this.story.event(called === undefined ? text : `${called}: ${text}`),
    );
    this.keep(() => journal.close());
    return cluster;
  }

  /** Closes this with the stage; at once if the stage was closed meanwhile. */
  keep(close: () => Promise<void>): void {
    if (this.#isClosed) void close();
    else this.#closers.push(close);
  }

  /** Always returns. */
  async close(): Promise<void> {
    this.#isClosed = true;
    // All at once: a writer that waits for a cluster that is gone is not waited for first.
    await Promise.allSettled(this.#closers.splice(0).map((close) => close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** A lesson has its own settings: those of the surroundings would make it another one. */
function nodeEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !name.startsWith('HIGHWATER_')),
  );
}
