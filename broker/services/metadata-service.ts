/**
 * Metadata for clients: the present state, or a stream of every change. A linearizable read first asks
 * the active controller how far was committed, and waits for that here. A stream is resumed by its
 * revision, at any broker; where the image of that is not kept a snapshot begins it. A client that reads
 * slowly is told less often, never less: the next update covers everything since the last.
 */
import {
  type GetMetadataRequest,
  type MetadataUpdate,
  metadataService,
  type WatchMetadataRequest,
} from '../../proto/generated/highwater/v1/metadata.ts';
import { controlMethods } from '../../proto/link/control-methods.ts';
import type { MetadataImage } from '../../proto/metadata/image.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import { revision } from '../../proto/model/offset.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type {
  RpcCallContext,
  RpcRegistry,
  RpcStream,
  RpcStreamHandlers,
} from '../../proto/ports/rpc.ts';
import type { Authorizer } from '../access/authorizer.ts';
import type { ActiveController } from './active-controller.ts';
import { awaitRevision } from './await-revision.ts';
import type { MetadataSource } from './metadata-source.ts';
import { deltaUpdate, snapshotUpdate, type TopicFilter } from './metadata-view.ts';

export interface MetadataServiceOptions {
  readonly source: MetadataSource;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly controller: ActiveController;
}

/** Registers `GetMetadata` and `WatchMetadata`. */
export function registerMetadata(registry: RpcRegistry, options: MetadataServiceOptions): void {
  const { authorizer } = options;
  registry.unary(metadataService.getMetadata, async (request, context) => {
    authorizer.authorize(authorizer.principalOf(context), 'read', { kind: 'cluster' });
    await reached(options, request, context);
    return snapshotUpdate(options.source.image, filterOf(request.topics), factsOf(options.source));
  });
  registry.stream(metadataService.watchMetadata, (stream, context) => {
    authorizer.authorize(authorizer.principalOf(context), 'read', { kind: 'cluster' });
    return new MetadataStream(stream, options).handlers;
  });
}

function filterOf(topics: readonly string[]): TopicFilter {
  return topics.length === 0 ? undefined : new Set(topics);
}

function isWithin(some: TopicFilter, all: TopicFilter): boolean {
  if (all === undefined) return true;
  return some !== undefined && [...some].every((name) => all.has(name));
}

function factsOf(source: MetadataSource): {
  readonly isStale: boolean;
  readonly controller: NodeId | undefined;
} {
  return { isStale: source.isStale, controller: source.activeController };
}

/** Waits for the revision that was asked for, as long as the caller does. */
async function reached(
  options: MetadataServiceOptions,
  request: GetMetadataRequest,
  { deadlineMs }: RpcCallContext,
): Promise<void> {
  const { clock, controller } = options;
  const giveUpMs = clock.now() + deadlineMs * 0.9;
  // Asked after the request came: whatever was answered to anybody before it is at or below this.
  const committed = request.linearizable
    ? (await controller.call(controlMethods.readCommitted, {}, deadlineMs)).revision
    : revision(0);
  await awaitRevision(options, revision(Math.max(request.minRevision, committed)), giveUpMs);
}

class MetadataStream {
  readonly #stream: RpcStream<MetadataUpdate>;
  readonly #options: MetadataServiceOptions;
  readonly #stop: () => void;
  #wanted: TopicFilter;
  /** What the client was told last; undefined before it has asked, or while its revision is not reached. */
  #told: MetadataImage | undefined;
  /** What the client holds, of whichever broker. */
  #held = revision(0);
  #toldFacts: string = '';
  #isAsked = false;
  #hasRoom = true;
  #isScheduled = false;

  constructor(stream: RpcStream<MetadataUpdate>, options: MetadataServiceOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#stop = options.source.watch(() => this.#schedule());
  }

  readonly handlers: RpcStreamHandlers<WatchMetadataRequest> = {
    onMessage: (request) => this.#ask(request),
    onDrain: () => {
      this.#hasRoom = true;
      this.#schedule();
    },
    onClose: () => {
      this.#stop();
      this.#isAsked = false;
      this.#stream.end();
    },
  };

  #ask(request: WatchMetadataRequest): void {
    const { source } = this.#options;
    const wanted = filterOf(request.topics);
    // Of topics that were not wanted before, the client holds nothing of any revision.
    const isWider = this.#isAsked && !isWithin(wanted, this.#wanted);
    this.#wanted = wanted;
    this.#told = isWider ? undefined : source.imageAt(request.revision);
    this.#held = request.revision;
    this.#toldFacts = '';
    this.#isAsked = true;
    this.#schedule();
  }

  /** One update for everything that a turn brought. */
  #schedule(): void {
    if (this.#isScheduled || !this.#isAsked || !this.#hasRoom) return;
    this.#isScheduled = true;
    this.#options.clock.soon(() => {
      this.#isScheduled = false;
      this.#tell();
    });
  }

  #tell(): void {
    const { source } = this.#options;
    const { image } = source;
    const facts = factsOf(source);
    const factsText = JSON.stringify(facts);
    if (!this.#isAsked || (image === this.#told && factsText === this.#toldFacts)) return;
    if (this.#held > image.revision && factsText === this.#toldFacts) return;
    const update =
      this.#told === undefined
        ? snapshotUpdate(image, this.#wanted, facts)
        : deltaUpdate(this.#told, image, this.#wanted, facts);
    // A client that holds a later revision takes nothing of an earlier one. Later changes told on top of
    // that would not name what came and went in between, and the client may hold it.
    this.#told = this.#held > image.revision ? undefined : image;
    this.#toldFacts = factsText;
    this.#hasRoom = this.#stream.send(update);
  }
}
