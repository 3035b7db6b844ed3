/** An opening's answer, between the core's form and the wire's. */
import type { OpenAnswer as WireAnswer } from '../../proto/generated/highwater/peer/v1/replication.ts';
import type { LeaderEpoch, Offset } from '../../proto/model/offset.ts';
import type { AnswerOpen, OpenAnswer } from './core/effects.ts';

/** The core's answer as it is sent. */
export function encodeOpenAnswer(slot: number, effect: AnswerOpen, logStart: Offset): WireAnswer {
  const { stream, leaderEpoch } = effect;
  return { slot, stream, leaderEpoch, answer: encodeKind(effect.answer, logStart) };
}

/** Whoever asked opens again, here or elsewhere. */
export function refusedOpen(slot: number, stream: number, leaderEpoch: LeaderEpoch): WireAnswer {
  return { slot, stream, leaderEpoch, answer: { kind: 'refused', value: 'NOT_LEADER' } };
}

function encodeKind(answer: OpenAnswer, logStart: Offset): WireAnswer['answer'] {
  switch (answer.kind) {
    case 'start':
      return {
        kind: 'start',
        value: {
          epochStart: answer.epochStart,
          highWatermark: answer.watermark,
          logStart,
          from: answer.from,
        },
      };
    case 'diverged':
      return { kind: 'diverging', value: { epoch: answer.epoch, endOffset: answer.endOffset } };
    case 'reset':
      return { kind: 'reset', value: { logStart: answer.logStart } };
    case 'refused':
      return { kind: 'refused', value: answer.code };
  }
}

/** A received answer as the core takes it; undefined for one that means nothing here. */
export function decodeOpenAnswer(wire: WireAnswer): OpenAnswer | undefined {
  const { answer } = wire;
  switch (answer?.kind) {
    case 'start': {
      const { from, epochStart, highWatermark } = answer.value;
      return { kind: 'start', from, epochStart, watermark: highWatermark };
    }
    case 'diverging':
      return { kind: 'diverged', epoch: answer.value.epoch, endOffset: answer.value.endOffset };
    case 'reset':
      return { kind: 'reset', logStart: answer.value.logStart };
    case 'refused':
      return isRefusal(answer.value) ? { kind: 'refused', code: answer.value } : undefined;
    case undefined:
      return undefined;
  }
}

type Refusal = Extract<OpenAnswer, { kind: 'refused' }>['code'];
const refusals: readonly string[] = [
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'NOT_LEADER',
  'STALE_BROKER_EPOCH',
] satisfies Refusal[];

function isRefusal(code: string): code is Refusal {
  return refusals.includes(code);
}
