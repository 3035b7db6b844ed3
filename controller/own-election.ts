/** Tells the flight recorder when and why this controller has become the active one. */
import type { NodeId } from '../proto/model/ids.ts';
import { revision } from '../proto/model/offset.ts';
import type { Clock } from '../proto/ports/clock.ts';
import type { EventJournal } from './event-journal.ts';
import type { Quorum } from './raft/driver.ts';
import type { QuorumStatus } from './raft/status.ts';

export interface OwnElectionOptions {
  readonly nodeId: NodeId;
  readonly quorum: Quorum;
  readonly journal: EventJournal;
  readonly clock: Clock;
}

/** Watches the quorum from here on. */
export function tellOwnElection({ nodeId, quorum, journal, clock }: OwnElectionOptions): void {
  let former: NodeId | undefined;
  /** When the former one ceased to be known as the active one. */
  let lostMs: number | undefined;
  let isHandedOver = false;
  let wasActive = false;
  const tell = ({ term, appliedIndex }: QuorumStatus): void => {
    const lost = former === undefined ? 'none was known' : 'the former one is not heard any more';
    const reason = isHandedOver ? 'the former one handed over' : lost;
    const evidence = {
      term,
      former: former ?? 'none',
      afterMs: clock.now() - (lostMs ?? clock.now()),
    };
    const subject = `controller ${nodeId}`;
    const event = { kind: 'controller-elected', subject, reason, evidence } as const;
    journal.add([event], revision(appliedIndex));
  };
  quorum.watch((status) => {
    const { role } = quorum.state;
    if (role.kind === 'candidate') isHandedOver = role.isTransfer;
    if (status.leader === undefined || status.leader === nodeId) {
      lostMs ??= clock.now();
    } else {
      former = status.leader;
      lostMs = undefined;
    }
    if (status.isActive && !wasActive) tell(status);
    wasActive = status.isActive;
  });
}
