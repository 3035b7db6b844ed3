/** The groups of the cluster with their members and lag, as the dashboard shows them. */
import type { GroupInfo } from '../../../client/admin/group-admin.ts';
import type { Client } from '../../../client/client.ts';
import type { GroupsAnswer, GroupView } from '../../../proto/dashboard/messages.ts';

/** Groups described in one answer; lists longer than this want the command line. */
const groupsMax = 50;
const limits = { timeoutMs: 3_000 };

/** Asks every coordinator. */
export async function readGroups(client: Client): Promise<GroupsAnswer> {
  const list = await client.groups.list(limits);
  const groups = await Promise.all(
    list.slice(0, groupsMax).map(({ group }) => client.groups.describe(group, limits)),
  );
  return { groups: groups.map(groupView) };
}

function groupView({ group, state, members, partitions }: GroupInfo): GroupView {
  return {
    group,
    state,
    members: members.map(({ member, held }) => ({ member, held })),
    partitions: partitions.map((one) => ({
      topic: one.topic,
      partition: one.partition,
      member: one.member,
      committed: textOf(one.committed),
      highWatermark: textOf(one.highWatermark),
      lagRecords: textOf(one.lagRecords),
      lagMs: one.lagMs ?? null,
    })),
  };
}

function textOf(value: bigint | undefined): string | null {
  return value === undefined ? null : String(value);
}
