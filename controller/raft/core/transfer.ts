/**
 * Handing the leadership over on purpose: the leader takes no more proposals, waits until the
 * successor has its whole log, and asks it to stand at once (thesis §3.10). If the successor does not
 * take over within an election timeout the leader goes on.
 */
import type { NodeId } from '../../../proto/model/ids.ts';
import type { RequestId } from './inputs.ts';
import { configurationOf, leaderOf, patchLeader, sendEarly, type Turn } from './turn.ts';

export function onTransfer(turn: Turn, id: RequestId, to: NodeId): void {
  const role = leaderOf(turn);
  const target = configurationOf(turn.state).voters.find(({ nodeId }) => nodeId === to);
  if (role === undefined) {
    const reason = 'this node does not lead';
    turn.effects.push({ kind: 'rejected', id, code: 'NOT_CONTROLLER', reason });
  } else if (target === undefined || role.transfer !== undefined) {
    const reason = target === undefined ? 'not a voter' : 'another hand-over is under way';
    turn.effects.push({ kind: 'rejected', id, code: 'INVALID_VOTERS', reason });
  } else if (target.id === turn.state.self) {
    turn.effects.push({ kind: 'done', id });
  } else {
    const deadlineAt = turn.now + turn.state.timing.electionMs;
    patchLeader(turn, { transfer: { id, to: target.id, deadlineAt, isAsked: false } });
    maybeHandOver(turn);
  }
}

/** Asks the successor once it has everything: nothing more is appended meanwhile. */
export function maybeHandOver(turn: Turn): void {
  const role = leaderOf(turn);
  const transfer = role?.transfer;
  if (role === undefined || transfer === undefined || transfer.isAsked) return;
  if (role.progress.get(transfer.to)?.match !== turn.state.log.lastIndex) return;
  sendEarly(turn, transfer.to, { kind: 'timeout-now' });
  patchLeader(turn, { transfer: { ...transfer, isAsked: true } });
}

export function checkTransfer(turn: Turn): void {
  const transfer = leaderOf(turn)?.transfer;
  if (transfer === undefined || turn.now < transfer.deadlineAt) return;
  patchLeader(turn, { transfer: undefined });
  const reason = 'the successor did not take over in time';
  turn.effects.push({ kind: 'rejected', id: transfer.id, code: 'DEADLINE_EXCEEDED', reason });
}
