/**
 * Who is alive. A member lives as long as its stream speaks; its handler has no say in it. Sessions do
 * not survive a crash: after a failover every member gets its whole session to come back.
 *
 * A stream that closed is a hint that the process is gone: a member that does not come back within a
 * short grace is taken as dead. A static member has its whole session, since it may be restarting.
 */
import type { GroupState, Member } from './group-state.ts';

export interface Session {
  /** When its stream last spoke, or when this coordinator began. */
  heardMs: number;
  /** When its stream closed; undefined while it is open or has not been opened here. */
  lostMs: number | undefined;
}

/** How long a member whose stream closed may take to come back. */
export const returnGraceMs = 1_200;

/** When the session of a member ends unless something is heard of it. */
export function sessionEndsAt(member: Member, session: Session): number {
  const end = session.heardMs + member.sessionTimeoutMs;
  if (session.lostMs === undefined || member.instance !== '') return end;
  return Math.min(end, session.lostMs + returnGraceMs);
}

/** The members whose session has ended. */
export function expiredMembers(
  group: GroupState,
  sessions: ReadonlyMap<string, Session>,
  nowMs: number,
): string[] {
  const expired: string[] = [];
  for (const member of group.members.values()) {
    const session = sessions.get(member.member);
    if (session !== undefined && sessionEndsAt(member, session) <= nowMs)
      expired.push(member.member);
  }
  return expired;
}
