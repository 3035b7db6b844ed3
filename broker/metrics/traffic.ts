/**
 * What passes through a node: totals since it began, counted once for each message and never for each
 * record, so that the data path does not feel it. Read by /metrics and by the dashboard.
 */
import { latencyBoundsMs } from '../../proto/dashboard/latency-bounds.ts';

export class Traffic {
  /** Bytes and records that were taken from producers; grow only. */
  producedBytes = 0;
  producedRecords = 0;
  /** Bytes that were sent to readers; followers are not among them. */
  fetchedBytes = 0;
  /** Produce requests answered, by class of latency; the last class has no upper bound. */
  readonly produceMs: number[] = Array.from({ length: latencyBoundsMs.length + 1 }, () => 0);
  /** Sum of all of them. */
  produceMsSum = 0;

  produced(bytes: number, records: number): void {
    this.producedBytes += bytes;
    this.producedRecords += records;
  }

  fetched(bytes: number): void {
    this.fetchedBytes += bytes;
  }

  /** A produce request was answered after so long. */
  answered(ms: number): void {
    let index = 0;
    while (index < latencyBoundsMs.length && ms > (latencyBoundsMs[index] ?? 0)) index++;
    this.produceMs[index] = (this.produceMs[index] ?? 0) + 1;
    this.produceMsSum += ms;
  }
}
