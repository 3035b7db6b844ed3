import { expect, it } from 'vitest';
import type { GroupCoordinator } from '../../../broker/group/group-coordinator.ts';
import type { GroupShard } from '../../../broker/group/group-shard.ts';
import type { MemberLine } from '../../../broker/group/member-sessions.ts';
import { MemberStream } from '../../../broker/services/member-stream.ts';
import type { CoordinatorMessage } from '../../../proto/generated/highwater/v1/group.ts';
import { emptyImage } from '../../../proto/metadata/image.ts';
import type { RpcStream } from '../../../proto/ports/rpc.ts';

/** A stream whose reader takes nothing until told, and a member that joined over it. */
function joined() {
  const sent: CoordinatorMessage['message'][] = [];
  let hasRoom = true;
  let line: MemberLine | undefined;
  const stream = {
    send(message: CoordinatorMessage) {
      sent.push(message.message);
      return hasRoom;
    },
  } as RpcStream<CoordinatorMessage>;
  const shard = {
    join: (_group: string, _member: unknown, given: MemberLine) => (line = given),
    heard: () => undefined,
  } as unknown as GroupShard;
  const coordinator = { shardOf: () => shard } as unknown as GroupCoordinator;
  const { handlers } = new MemberStream(stream, {
    coordinator,
    image: () => emptyImage,
    allow: () => undefined,
  });
  handlers.onMessage({ message: { kind: 'hello', value: hello } });
  return {
    sent,
    handlers,
    assign: (generation: number) => line?.assign(generation, new Map()),
    fill: () => (hasRoom = false),
    empty: () => {
      hasRoom = true;
      handlers.onDrain?.();
    },
  };
}

const hello = {
  group: 'g',
  member: 'm',
  instance: '',
  rack: '',
  assignor: '',
  clientHost: '',
  topics: [],
  topicPattern: '',
  sessionTimeoutMs: 0,
};

it('a member that does not read is sent one more message, and the latest assignment once it reads', () => {
  const { sent, handlers, assign, fill, empty } = joined();
  fill();
  assign(1);
  assign(2);
  handlers.onMessage({ message: { kind: 'heartbeat', value: {} } });
  assign(3);
  expect(sent).toMatchObject([{ kind: 'assignment', value: { generation: 1 } }]);
  empty();
  expect(sent.slice(1)).toMatchObject([{ kind: 'assignment', value: { generation: 3 } }]);
  assign(4);
  expect(sent.slice(2)).toMatchObject([{ kind: 'assignment', value: { generation: 4 } }]);
});
