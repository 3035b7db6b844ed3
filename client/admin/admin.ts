/** Everything that an operator asks of a cluster, as one flat object: `hw.admin`. */

import type { ClientParts } from '../client-parts.ts';
import type { CallLimits } from './admin-calls.ts';
import {
  type AddVoterOptions,
  ClusterAdmin,
  type ClusterInfo,
  type ElectOptions,
  type LossPreviewInfo,
  type PartitionRef,
} from './cluster-admin.ts';
import { type ClusterEvent, clusterEvents, type EventsOptions } from './cluster-events.ts';
import { TopicAdmin, type TopicInfo, type TopicSpec, type TopicSummary } from './topic-admin.ts';

export interface Admin {
  createTopic(spec: TopicSpec, limits?: CallLimits): Promise<{ readonly topicId: string }>;
  deleteTopic(name: string, limits?: CallLimits): Promise<void>;
  /** `undefined` puts a setting back to its default. */
  alterTopic(
    name: string,
    config: Readonly<Record<string, string | undefined>>,
    limits?: CallLimits,
  ): Promise<void>;
  /** `partitions` is the new total. */
  addPartitions(name: string, partitions: number, limits?: CallLimits): Promise<void>;
  describeTopic(name: string, limits?: CallLimits): Promise<TopicInfo>;
  listTopics(limits?: CallLimits): Promise<readonly TopicSummary[]>;
  /** Deletes the records below `before`. */
  deleteRecords(
    target: PartitionRef & { readonly before: bigint },
    limits?: CallLimits,
  ): Promise<{ readonly logStartOffset: bigint }>;
  describeCluster(limits?: CallLimits): Promise<ClusterInfo>;
  /** Moves leaderships away from a broker; `undo` lets it take them again. */
  drain(
    node: number,
    options?: CallLimits & { readonly undo?: boolean },
  ): Promise<{ readonly leadersLeft: number }>;
  /** Moves replicas away from a broker and unregisters it; call again until none is left. */
  remove(node: number, limits?: CallLimits): Promise<{ readonly replicasLeft: number }>;
  elect(
    target: PartitionRef,
    options?: ElectOptions,
  ): Promise<{ readonly candidates: readonly LossPreviewInfo[] }>;
  /** Replicas in preference order; an empty list cancels a running move. */
  reassign(target: PartitionRef, replicas: readonly number[], limits?: CallLimits): Promise<void>;
  /** Resolves once the node has caught up and votes. */
  addVoter(node: number, options?: AddVoterOptions): Promise<void>;
  removeVoter(node: number, limits?: CallLimits): Promise<void>;
  /** The active controller hands its part to another voter. */
  transferController(node: number, limits?: CallLimits): Promise<void>;
  /** Takes features up to a level into use; 0 for the highest that every node speaks. */
  finaliseFeatures(level?: number, limits?: CallLimits): Promise<{ readonly level: number }>;
  /** What happened and why, from the flight recorder; with `follow` also what happens. */
  events(options?: EventsOptions): AsyncIterable<ClusterEvent>;
}

/** The admin side of one client. */
export function createAdmin(parts: ClientParts): Admin {
  const { calls, metadata } = parts;
  const topics = new TopicAdmin(calls, metadata);
  const cluster = new ClusterAdmin(calls);
  return {
    createTopic: (spec, limits) => topics.create(spec, limits),
    deleteTopic: (name, limits) => topics.delete(name, limits),
    alterTopic: (name, config, limits) => topics.alter(name, config, limits),
    addPartitions: (name, partitions, limits) => topics.addPartitions(name, partitions, limits),
    describeTopic: (name, limits) => topics.describe(name, limits),
    listTopics: (limits) => topics.list(limits),
    deleteRecords: (target, limits) => topics.deleteRecords(target, limits),
    describeCluster: (limits) => cluster.describe(limits),
    drain: (node, options) => cluster.drain(node, options),
    remove: (node, limits) => cluster.remove(node, limits),
    elect: (target, options) => cluster.elect(target, options),
    reassign: (target, replicas, limits) => cluster.reassign(target, replicas, limits),
    addVoter: (node, options) => cluster.addVoter(node, options),
    removeVoter: (node, limits) => cluster.removeVoter(node, limits),
    transferController: (node, limits) => cluster.transferController(node, limits),
    finaliseFeatures: (level, limits) => cluster.finaliseFeatures(level, limits),
    events: (options) => clusterEvents(parts, options),
  };
}
