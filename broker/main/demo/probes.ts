/**
 * Single writes, sent one after the other to see what is answered, and kept apart from the load by
 * their first word, so that each is looked for in what is read back.
 */
import type { Acks, Client, Receipt } from '../../../client/index.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import type { PartitionPlace } from '../fleet/cluster-view.ts';
import { type FoundRecord, History } from '../fleet/history.ts';

export interface ProbeWish {
  readonly acks: Acks;
  /** How long to wait for the outcome; 1.5 s by default. */
  readonly withinMs?: number;
  /** False where no controller can give out the id that an idempotent producer needs. */
  readonly idempotent?: boolean;
}

/** What became of one write. */
export interface ProbeAnswer {
  /** `acknowledged`, or the code and whether it may have been written. */
  readonly text: string;
  readonly receipt: Receipt | undefined;
  readonly tookMs: number;
}

const prefix = 'probe ';

export class Probes {
  readonly history = new History();

  /** Sends one record and waits for its outcome, for so long at most. */
  async send(
    client: Client,
    place: PartitionPlace,
    { acks, withinMs = 1_500, idempotent = true }: ProbeWish,
  ): Promise<ProbeAnswer> {
    const value = this.history.next(acks);
    const producer = client.producer({
      acks,
      idempotent,
      deliveryTimeoutMs: withinMs,
      closeTimeoutMs: 1,
    });
    const began = performance.now();
    const answer = (text: string, receipt?: Receipt): ProbeAnswer => ({
      text,
      receipt,
      tookMs: performance.now() - began,
    });
    try {
      const receipt = await producer.send({ ...place, value: prefix + value });
      this.history.acknowledged(value, receipt.offset);
      return answer('acknowledged', receipt);
    } catch (caught) {
      const { code, outcome, facts } = HighwaterError.from(caught);
      this.history.failed(value, outcome);
      return answer(`${facts['lastCode'] ?? code}, ${outcome}`);
    } finally {
      await producer.close();
    }
  }

  /** What was found, without the probes, and the probes by themselves. */
  static split(found: readonly FoundRecord[]): { load: FoundRecord[]; probes: FoundRecord[] } {
    const load: FoundRecord[] = [];
    const probes: FoundRecord[] = [];
    for (const record of found) {
      const { offset, value } = record;
      if (value.subarray(0, prefix.length).toString() === prefix)
        probes.push({ offset, value: value.subarray(prefix.length) });
      else load.push(record);
    }
    return { load, probes };
  }
}
