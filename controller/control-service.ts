/**
 * What a controller answers to brokers. Heartbeats and promise answers are taken by every controller;
 * changes only by the active one.
 */
import type {
  AllocateProducerIdsRequest,
  AlterPartitionsRequest,
  ForwardRequest,
  ForwardResponse,
  HeartbeatRequest,
  HeartbeatResponse,
  PromiseAnswersRequest,
  ReadEventsRequest,
  ReadEventsResponse,
  RegisterBrokerRequest,
} from '../proto/generated/highwater/peer/v1/control.ts';
import { answerControl, controlMethods } from '../proto/link/control-methods.ts';
import type { LinkService } from '../proto/link/requests.ts';
import { HighwaterError } from '../proto/model/errors.ts';
import type { ClusterId, StorageId } from '../proto/model/ids.ts';
import { brokerEpoch } from '../proto/model/offset.ts';
import type { Clock } from '../proto/ports/clock.ts';
import { decideAlterPartitions } from './cluster/core/alter-partitions.ts';
import { decideProducerIds } from './cluster/core/cluster-facts.ts';
import { decideHeartbeat } from './cluster/core/heartbeat.ts';
import { decideRegistration } from './cluster/core/registration.ts';
import { isLive, takeStampTurn } from './cluster/core/sessions.ts';
import type { ClusterWatch } from './cluster-watch.ts';
import type { DecisionQueue } from './decision-queue.ts';
import type { EventJournal } from './event-journal.ts';
import { type AdminDecisions, decideForwarded } from './forwarded-changes.ts';
import type { MetadataMachine } from './metadata-machine.ts';
import type { Quorum } from './raft/driver.ts';
import type { VoterChanges } from './voter-changes.ts';

export interface ControlServiceOptions {
  /** What a node without a cluster is told: it is to join this one and form none. */
  readonly identity: { readonly clusterId: ClusterId; readonly storageId: StorageId };
  readonly quorum: Quorum;
  readonly machine: MetadataMachine;
  readonly queue: DecisionQueue;
  readonly watch: ClusterWatch;
  readonly clock: Clock;
  readonly sessionMs: number;
  readonly electionMs: number;
  readonly admin: AdminDecisions;
  readonly voters: VoterChanges;
  readonly journal: EventJournal;
}

/** The calls of the control conversation. */
export function controlService(options: ControlServiceOptions): LinkService {
  return {
    calls: new Map([
      answerControl(controlMethods.register, (request) => register(options, request)),
      answerControl(controlMethods.heartbeat, (request) => heartbeat(options, request)),
      answerControl(controlMethods.alterPartitions, (request) => alter(options, request)),
      answerControl(controlMethods.promiseAnswers, (request) => promises(options, request)),
      answerControl(controlMethods.meet, () => Promise.resolve(options.identity)),
      answerControl(controlMethods.allocateProducerIds, (request) => allocate(options, request)),
      answerControl(controlMethods.readEvents, (request) => events(options, request)),
      answerControl(controlMethods.readCommitted, () => readCommitted(options)),
      answerControl(controlMethods.forward, (request) => forward(options, request)),
    ]),
  };
}

/** Decided on the image, or made by the quorum itself. */
async function forward(
  { admin, queue, voters }: ControlServiceOptions,
  request: ForwardRequest,
): Promise<ForwardResponse> {
  const change = voters.calls.get(request.path);
  if (change === undefined) return decideForwarded(admin, queue, request);
  return { response: await change(request.request) };
}

/** A majority confirms, after the question came, that this controller leads (rule B4.14). */
async function readCommitted({ quorum, machine }: ControlServiceOptions) {
  await quorum.readIndex();
  return { revision: machine.image.revision };
}

async function register({ queue, watch }: ControlServiceOptions, request: RegisterBrokerRequest) {
  const { response, revision } = await queue.decide((image) => {
    const before = image.brokers.get(request.nodeId);
    return decideRegistration(
      image,
      request,
      before !== undefined && isLive(watch.upkeep.sessions, before),
    );
  });
  const epoch = response.brokerEpoch === 'revision' ? brokerEpoch(revision) : response.brokerEpoch;
  watch.heard(request.nodeId, epoch);
  return { brokerEpoch: epoch, revision };
}

/** The lease is renewed only by a controller that had heard a majority when it answered (rule 6.7). */
async function heartbeat(
  options: ControlServiceOptions,
  request: HeartbeatRequest,
): Promise<HeartbeatResponse> {
  const { quorum, machine, queue, watch, clock, sessionMs, electionMs } = options;
  const { nodeId } = request;
  watch.heard(nodeId, request.brokerEpoch);
  const { isActive, leader, term } = quorum.status;
  const head = { activeController: leader, sessionMs, revision: machine.image.revision, term };
  if (!isActive) {
    return {
      ...head,
      isActive: false,
      renewsLease: false,
      fenced: false,
      mayShutDown: false,
      nextStorageStamp: 0,
    };
  }
  const renewsStamp = takeStampTurn(watch.upkeep.sessions, nodeId);
  const { response } = await queue.decide((image) => decideHeartbeat(image, request, renewsStamp));
  const heardAt = quorum.status.quorumHeardAt;
  const renewsLease =
    quorum.status.isActive && heardAt !== undefined && clock.now() - heardAt <= electionMs;
  const { fenced, mayShutDown, nextStorageStamp } = response;
  return { ...head, isActive: true, renewsLease, fenced, mayShutDown, nextStorageStamp };
}

async function alter({ queue, watch }: ControlServiceOptions, request: AlterPartitionsRequest) {
  watch.heard(request.nodeId, request.brokerEpoch);
  const { response } = await queue.decide((image) => decideAlterPartitions(image, request));
  return { partitions: response };
}

async function allocate({ queue }: ControlServiceOptions, request: AllocateProducerIdsRequest) {
  const { response } = await queue.decide((image) => decideProducerIds(image, request));
  return response;
}

function promises(
  { watch }: ControlServiceOptions,
  request: PromiseAnswersRequest,
): Promise<Record<string, never>> {
  watch.heard(request.nodeId, request.brokerEpoch);
  watch.answered(request, request.answers);
  return Promise.resolve({});
}

/** How long an answer waits for an event. */
const eventsWaitMs = 1_000;

/** Only the active controller records: another one would tell half of the story. */
async function events(
  { quorum, journal }: ControlServiceOptions,
  request: ReadEventsRequest,
): Promise<ReadEventsResponse> {
  const { knownSequence } = request;
  if (knownSequence > 0 && quorum.status.isActive)
    await journal.behind(knownSequence, eventsWaitMs);
  if (!quorum.status.isActive)
    throw new HighwaterError('NOT_CONTROLLER', 'this controller is not the active one');
  const page = journal.read({
    fromSequence: request.fromSequence,
    kind: request.kind === '' ? undefined : request.kind,
    subject: request.subject === '' ? undefined : request.subject,
    limit: Math.min(Math.max(request.limit, 1), 1_000),
  });
  const recorded = page.events.map((event) => ({
    ...event,
    evidence: new Map(Object.entries(event.evidence).map(([name, value]) => [name, String(value)])),
  }));
  return { events: recorded, nextSequence: page.nextSequence, caughtUp: page.isCaughtUp };
}
