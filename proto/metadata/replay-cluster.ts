/** Records about the cluster as a whole. */
import type {
  MetadataRecord,
  ProducerIdsAllocated,
  RequestDone,
} from '../generated/highwater/metadata/v1/records.ts';
import { isUuid, producerId } from '../model/ids.ts';
import { limits } from '../model/limits.ts';
import type { ImageDraft } from './draft.ts';

type ClusterBody = Extract<
  NonNullable<MetadataRecord['body']>,
  {
    kind:
      | 'clusterFormed'
      | 'featureLevelFinalised'
      | 'votersChanged'
      | 'producerIdsAllocated'
      | 'requestDone';
  }
>;

/** Applies one record, or says what is wrong with it. */
export function replayCluster(draft: ImageDraft, body: ClusterBody): string | undefined {
  switch (body.kind) {
    case 'clusterFormed': {
      const { clusterId, voters, featureLevel } = body.value;
      if (draft.clusterId !== undefined) return `the cluster was formed as ${draft.clusterId}`;
      if (!isUuid(clusterId)) return 'a cluster id is a UUID';
      Object.assign(draft, { clusterId, voters, featureLevel });
      return undefined;
    }
    case 'featureLevelFinalised': {
      const { level } = body.value;
      if (level < draft.featureLevel) return `feature level ${level} is below the finalised one`;
      draft.featureLevel = level;
      return undefined;
    }
    case 'votersChanged': {
      const { voters } = body.value;
      if (!voters.some((voter) => !voter.isLearner)) return 'a quorum has a voter';
      if (new Set(voters.map(({ nodeId }) => nodeId)).size < voters.length) {
        return 'a node is a member of the quorum once';
      }
      draft.voters = voters;
      return undefined;
    }
    case 'producerIdsAllocated':
      return allocated(draft, body.value);
    case 'requestDone':
      return remembered(draft, body.value);
  }
}

/** A block that begins below the next id would give an id out twice (rule B6.1). */
function allocated(draft: ImageDraft, { first, count }: ProducerIdsAllocated): string | undefined {
  if (count < 1 || first < draft.nextProducerId || !Number.isSafeInteger(first + count)) {
    return `a block of ${count} producer ids from ${first}; the next one is ${draft.nextProducerId}`;
  }
  draft.nextProducerId = producerId(first + count);
  return undefined;
}

function remembered(draft: ImageDraft, value: RequestDone): string | undefined {
  const { requestId, answer } = value;
  const { owner, requests } = draft;
  if (requestId === '' || requestId.length > limits.clientIdBytesMax)
    return 'a request id is named';
  if (answer.length > limits.requestAnswerBytesMax) return `an answer of ${answer.length} bytes`;
  if (requests.byId.has(requestId)) return `request ${requestId} was done before`;
  const revision = value.revision === 0 ? draft.revision : value.revision;
  let byId = requests.byId.set(requestId, { answer, revision }, owner);
  let order = requests.order.set(requests.next, requestId, owner);
  let { first } = requests;
  for (; order.size > limits.requestsRememberedMax; first++) {
    const oldest = order.get(first);
    order = order.delete(first, owner);
    if (oldest !== undefined) byId = byId.delete(oldest, owner);
  }
  draft.requests = { byId, order, first, next: requests.next + 1 };
  return undefined;
}
