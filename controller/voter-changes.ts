/**
 * The voters as operators change them: one at a time, through the quorum (rule B4.7), and then noted
 * in the metadata, where brokers find whom to follow.
 *
 * The quorum's own configuration is the truth; the note follows it, whoever changed it. It is written
 * by the active controller whenever the two differ, so a controller that dies between the change and
 * the note leaves nothing undone.
 *
 * A voter is a node with its storage (rule B4.9): the storage of an added one is asked of the node
 * itself, over a link whose hello has checked the cluster.
 */
import {
  adminService,
  type ChangeVoterRequest,
  type TransferControllerRequest,
} from '../proto/generated/highwater/v1/admin.ts';
import { callControl, controlMethods } from '../proto/link/control-methods.ts';
import { openRequests } from '../proto/link/requests.ts';
import type { MetadataImage } from '../proto/metadata/image.ts';
import type { Voter as NotedVoter } from '../proto/metadata/records.ts';
import { HighwaterError } from '../proto/model/errors.ts';
import type { NodeId, StorageId } from '../proto/model/ids.ts';
import type { Revision } from '../proto/model/offset.ts';
import type { Clock } from '../proto/ports/clock.ts';
import type { LinkEndpoint, PeerAddress } from '../proto/ports/link.ts';
import type { Logger } from '../proto/ports/logger.ts';
import { decideVoters } from './cluster/core/cluster-facts.ts';
import type { Outcome } from './cluster/core/decision.ts';
import { rememberedAnswer, remembering } from './cluster/core/requests.ts';
import type { DecisionQueue } from './decision-queue.ts';
import { type Voter, voterId } from './raft/core/voter.ts';
import type { Quorum } from './raft/driver.ts';
import type { QuorumStatus } from './raft/status.ts';

export interface VoterChangesOptions {
  readonly self: { readonly nodeId: NodeId; readonly storageId: StorageId };
  readonly quorum: Quorum;
  readonly queue: DecisionQueue;
  /** The image as this controller has applied it. */
  readonly image: () => MetadataImage;
  readonly endpoint: LinkEndpoint;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What the node that is to be added has to answer within. */
const meetMs = 2_000;

export class VoterChanges {
  /** By the path of the RPC: changes that the quorum makes itself. */
  readonly calls: ReadonlyMap<string, (request: Buffer) => Promise<Buffer>>;
  readonly #options: VoterChangesOptions;
  /** Changes under way by request id: a retry joins the one that runs. */
  readonly #running = new Map<string, Promise<Revision>>();
  #noted: { readonly voters: unknown; readonly learner: unknown } | undefined;

  constructor(options: VoterChangesOptions) {
    this.#options = options;
    const { changeVoter, transferController } = adminService;
    this.calls = new Map([
      [
        changeVoter.path,
        async (bytes: Buffer) => {
          const request = changeVoter.request.decode(bytes);
          const committed = await this.#joined(request);
          return Buffer.concat(changeVoter.response.encode({ revision: committed }));
        },
      ],
      [
        transferController.path,
        async (bytes: Buffer) => {
          const answer = await this.#transfer(transferController.request.decode(bytes));
          return Buffer.concat(transferController.response.encode(answer));
        },
      ],
    ]);
    options.quorum.watch((status) => this.#follow(status));
  }

  #joined(request: ChangeVoterRequest): Promise<Revision> {
    const { requestId } = request;
    const running = this.#running.get(requestId);
    if (running !== undefined) return running;
    const change = this.#change(request).finally(() => this.#running.delete(requestId));
    this.#running.set(requestId, change);
    return change;
  }

  async #change(request: ChangeVoterRequest): Promise<Revision> {
    const { quorum, queue, image } = this.#options;
    const before = rememberedAnswer(image(), request.requestId);
    if (before !== undefined) return before.revision;
    if (!quorum.status.isActive) throw notActive();
    if (request.remove) await this.#remove(request.nodeId);
    else await quorum.addVoter(await this.#voterAt(request));
    const noted = await queue.decide((present) => this.#remembered(present, request));
    return noted.revision;
  }

  /** Whoever votes no more is removed: a retry finds it done. */
  async #remove(nodeId: NodeId): Promise<void> {
    const { quorum } = this.#options;
    const voter = quorum.status.voters.find((one) => one.nodeId === nodeId);
    if (voter !== undefined) await quorum.removeVoter(voter.id);
  }

  #remembered(image: MetadataImage, request: ChangeVoterRequest): Outcome<undefined> {
    const { voters, learner } = this.#options.quorum.status;
    const outcome = decideVoters(image, notedVoters(voters, learner), 'asked for');
    return remembering(outcome, request.requestId, Buffer.alloc(0));
  }

  /** The voter to add: its storage comes from the node itself. */
  async #voterAt({ nodeId, address }: ChangeVoterRequest): Promise<Voter> {
    const to = address === '' ? this.#registered(nodeId) : readAddress(nodeId, address);
    const storageId = await this.#meet(to);
    return { id: voterId(nodeId, storageId), storageId, ...to };
  }

  #registered(nodeId: NodeId): PeerAddress {
    const broker = this.#options.image().brokers.get(nodeId);
    if (broker === undefined)
      throw new HighwaterError(
        'INVALID_VOTERS',
        `node ${nodeId} is not registered as a broker: say where it listens for its peers, as host:port`,
        { outcome: 'not-written', facts: { nodeId } },
      );
    return { nodeId, host: broker.peerHost, port: broker.peerPort };
  }

  async #meet(to: PeerAddress): Promise<StorageId> {
    const { endpoint, self, clock, logger } = this.#options;
    if (to.nodeId === self.nodeId) return self.storageId;
    const requests = openRequests(endpoint, { to, kind: 'control' }, {}, { clock, logger });
    try {
      const answer = await callControl(
        requests,
        controlMethods.meet,
        { ...self, formation: undefined },
        meetMs,
      );
      return answer.storageId;
    } catch (cause) {
      throw new HighwaterError(
        'INVALID_VOTERS',
        `node ${to.nodeId} at ${to.host}:${to.port} does not answer as a controller of this cluster`,
        { outcome: 'not-written', cause, facts: { ...to } },
      );
    } finally {
      requests.close();
    }
  }

  async #transfer({ nodeId }: TransferControllerRequest): Promise<{
    nodeId: NodeId;
    revision: Revision;
  }> {
    const { quorum, image } = this.#options;
    if (!quorum.status.isActive) throw notActive();
    await quorum.transferTo(nodeId);
    return { nodeId, revision: image().revision };
  }

  /** Notes what the quorum has become. */
  #follow({ isActive, voters, learner }: QuorumStatus): void {
    if (!isActive) {
      this.#noted = undefined;
      return;
    }
    if (this.#noted?.voters === voters && this.#noted.learner === learner) return;
    this.#noted = { voters, learner };
    const { queue, logger } = this.#options;
    const noted = notedVoters(voters, learner);
    queue
      .decide((image) => decideVoters(image, noted, 'the quorum changed'))
      .catch((caught: unknown) => {
        this.#noted = undefined;
        const { code, message } = HighwaterError.from(caught);
        const text = 'The voters were not noted; the next change of the quorum notes them.';
        logger.warn('voters-not-noted', text, { code, message });
      });
  }
}

function notedVoters(voters: readonly Voter[], learner: Voter | undefined): NotedVoter[] {
  const noted = voters.map((voter) => noteOf(voter, false));
  return learner === undefined ? noted : [...noted, noteOf(learner, true)];
}

function noteOf({ nodeId, storageId, host, port }: Voter, isLearner: boolean): NotedVoter {
  return { nodeId, storageId, host, port, isLearner };
}

function readAddress(nodeId: NodeId, text: string): PeerAddress {
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  const host = text.slice(0, Math.max(0, colon)).replace(/^\[|\]$/g, '');
  if (host === '' || host.length > 255 || !Number.isInteger(port) || port < 1 || port > 65_535)
    throw new HighwaterError(
      'INVALID_REQUEST',
      `address ${JSON.stringify(text)}: expected host:port with a port from 1 to 65535`,
      { outcome: 'not-written' },
    );
  return { nodeId, host, port };
}

function notActive(): HighwaterError {
  return new HighwaterError('NOT_CONTROLLER', 'this controller is not the active one', {
    outcome: 'not-written',
  });
}
