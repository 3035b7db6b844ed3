/**
 * Replays a transcript: one action a line, and after `->` what it must bring about, word for word.
 *
 *   cluster replicas=3 min=2 k=2      the first line
 *   guards RULE…                      with any of these rules broken the transcript must not hold
 *   produce N LEVEL NAME              a producer sends a record; `retry` sends it again
 *   run PLACES                        these nodes (c: the controller) reach each other until quiet
 *   copy A B | flush N | persist N    one record from A to B; a flush; a write of the verified epoch
 *   deliver|drop KIND FROM TO         the oldest such message
 *   close A B                         the link between two nodes breaks
 *   metadata N                        N applies all that was committed
 *   round [N] | decide | replace      the controller: opens a round, decides it, is replaced by another
 *   ask N | fence N | tick N MS       asks N for its answer; removes N from the ISR; time passes at N
 *   crash N [KEPT] | lose N | restart N
 *   hand-over N M                     N is asked to hand over to M
 *   show N | show c
 */
import { type Acks, acksLevels } from '../../../proto/model/acks.ts';
import { type NodeId, nodeId } from '../../../proto/model/ids.ts';
import { checkWorld } from './checks.ts';
import { decide, fence, openRound, replaceController } from './controller-twin.ts';
import { deliver, refill } from './messages.ts';
import { ends, type Place, settle } from './network.ts';
import {
  applyMetadata,
  brokerOf,
  closeStreams,
  copy,
  crash,
  createWorld,
  feed,
  flush,
  loseStorage,
  persist,
  produce,
  restart,
  retry,
  type World,
  type WorldOptions,
} from './world.ts';

/** A transcript as written. */
export interface Transcript {
  readonly options: WorldOptions;
  readonly guards: readonly string[];
  readonly lines: readonly { readonly action: string; readonly expected: string }[];
}

export function parseTranscript(text: string): Transcript {
  const lines = text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [action = '', expected = ''] = line.split('->').map((part) => part.trim());
      return { action, expected };
    });
  const settings = new Map<string, string>();
  for (const word of lines[0]?.action.split(/\s+/) ?? []) {
    const [name = '', value = ''] = word.split('=');
    settings.set(name, value);
  }
  const number = (name: string) => Number(settings.get(name) ?? '0');
  const options: WorldOptions = {
    replicas: number('replicas'),
    minInsyncReplicas: number('min'),
    semiSyncReplicas: number('k'),
    semiSyncOnTimeout: settings.get('on-timeout') === 'degrade' ? 'degrade' : 'fail',
  };
  const guards = lines.filter(({ action }) => action.startsWith('guards '));
  return {
    options,
    guards: guards.flatMap(({ action }) => action.split(/\s+/).slice(1)),
    lines: lines.slice(1).filter((line) => !guards.includes(line)),
  };
}

/** Replays the lines; returns what each brought about. */
export function replay(transcript: Transcript, options: WorldOptions): string[] {
  const world = createWorld(options);
  const names: string[] = [''];
  const told = new Set<number>();
  return transcript.lines.map(({ action }) => {
    const said = act(world, action.split(/\s+/), names);
    checkWorld(world);
    const answers = [...world.requests.entries()].filter(
      ([index, { answer }]) => answer !== '' && !told.has(index),
    );
    for (const [index] of answers) told.add(index);
    const replies = answers.map(([, { id, answer }]) => `${names[id]} ${answer}`);
    return [...(said === '' ? [] : [said]), ...replies].join(', ');
  });
}

function act(world: World, words: readonly string[], names: string[]): string {
  const [verb = '', first = '', second = '', third = ''] = words;
  const { controller } = world;
  switch (verb) {
    case 'produce': {
      names[produce(world, node(first), level(second))] = third;
      return '';
    }
    case 'retry':
      retry(world, node(first), names.indexOf(third), level(second));
      return '';
    case 'run':
      settle(world, words.slice(1).map(place));
      return '';
    case 'deliver':
    case 'drop':
      return pass(world, words);
    case 'round':
      openRound(controller, first === '' ? undefined : node(first));
      return '';
    case 'replace':
      replaceController(controller);
      return '';
    case 'decide':
      return decided(world);
    case 'fence':
      fence(controller, node(first));
      return '';
    case 'show':
      return first === 'c' ? showController(world) : showNode(world, node(first), names);
    default:
      actOnNode(world, words);
      return '';
  }
}

function actOnNode(world: World, [verb = '', first = '', second = '']: readonly string[]): void {
  const at = node(first);
  switch (verb) {
    case 'copy':
      copy(world, at, node(second));
      return;
    case 'flush':
      return flush(world, at);
    case 'persist':
      return persist(world, at);
    case 'metadata':
      applyMetadata(world, at);
      return;
    case 'crash':
      return crash(world, at, Number(second));
    case 'lose':
      return loseStorage(world, at);
    case 'restart':
      return restart(world, at);
    case 'close':
      closeStreams(world, brokerOf(world, at), node(second));
      return closeStreams(world, brokerOf(world, node(second)), at);
    case 'ask': {
      const epoch = brokerOf(world, at).core.metadata?.leaderEpoch;
      if (epoch !== undefined) feed(world, at, { kind: 'promise-asked', leaderEpoch: epoch });
      return;
    }
    case 'tick': {
      const ableToServeMs = Number(second);
      world.nowMs += ableToServeMs;
      return feed(world, at, { kind: 'tick', nowMs: world.nowMs, ableToServeMs });
    }
    case 'hand-over':
      return feed(world, at, { kind: 'hand-over', successor: node(second), deadlineMs: Infinity });
    default:
      throw new Error(`no such action: ${verb}`);
  }
}

function pass(world: World, [verb, kind, from = '', to = '']: readonly string[]): string {
  const index = world.messages.findIndex((message) => {
    const [sender, receiver] = ends(message);
    const name = 'answer' in message ? 'proposal-answered' : message.effect.kind;
    return name === kind && sender === place(from) && receiver === place(to);
  });
  if (index < 0) return 'no such message';
  if (verb === 'drop') world.messages.splice(index, 1);
  else deliver(world, index);
  return '';
}

function decided(world: World): string {
  const verdict = decide(world.controller);
  refill(world);
  if (verdict === undefined) return 'no open round';
  if (verdict.kind === 'elected') return `leader ${verdict.leader} isr ${verdict.isr.join()}`;
  return `${verdict.kind} for ${verdict.waitingFor.join()}`;
}

function showController({ controller }: World): string {
  const { leader, leaderEpoch, isr, elr, semiSyncMembers } = controller;
  const list = (nodes: readonly NodeId[]) => (nodes.length === 0 ? 'none' : nodes.join());
  const sets = `isr ${list(isr)} elr ${list(elr)} semi ${list(semiSyncMembers)}`;
  return `leader ${leader ?? 'none'} epoch ${leaderEpoch} ${sets}`;
}

function showNode(world: World, at: NodeId, names: readonly string[]): string {
  const { isUp, core, records, storedEnd } = brokerOf(world, at);
  const role = isUp ? core.role.kind : 'down';
  const log = records.map(({ id }, index) => `${names[id]}${index < storedEnd ? '' : '?'}`);
  const verified = `verified ${core.verifiedEpoch}`;
  return `${role} log ${log.join(' ')} watermark ${core.watermark} ${verified}`;
}

function node(word: string): NodeId {
  return nodeId(Number(word));
}

function place(word: string): Place {
  return word === 'c' ? 'c' : node(word);
}

function level(word: string): Acks {
  const found = acksLevels.find((acks) => acks === word);
  if (found === undefined) throw new Error(`no such level: ${word}`);
  return found;
}
