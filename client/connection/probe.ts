/** Is a silent broker alive? One small question on the very connection that is in doubt. */
import { metadataService } from '../../proto/generated/highwater/v1/metadata.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import { revision } from '../../proto/model/offset.ts';
import type { RpcChannel, RpcHeaders } from '../../proto/ports/rpc.ts';

/** How long a broker gets for it, where nobody has set a time. */
export const probeMs = 1_500;

/** True if the broker answers within `deadlineMs`, with anything at all. */
export async function answers(
  channel: RpcChannel,
  headers: RpcHeaders,
  deadlineMs: number,
): Promise<boolean> {
  try {
    await channel.unary(
      metadataService.getMetadata,
      // A topic that does not exist keeps the answer small.
      { topics: ['-'], minRevision: revision(0), linearizable: false },
      { deadlineMs, headers },
    );
    return true;
  } catch (caught) {
    const { code } = HighwaterError.from(caught);
    return code !== 'CONNECTION_LOST' && code !== 'DEADLINE_EXCEEDED' && code !== 'CLOSED';
  }
}
