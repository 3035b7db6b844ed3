/** What a log keeps beside its segments. */
import { type CheckedContent, parseCheckedFile, textOf } from '../../../broker/log/checked-file.ts';
import {
  decodeBlock,
  encodeBlock,
  type JournalEntry,
  readBlockHead,
} from '../../../broker/log/journal-format.ts';
import { decodeLogRecord, encodeLogRecord, freshRecord } from '../../../broker/log/log-record.ts';
import { decodeProducers, encodeProducers } from '../../../broker/log/producer-snapshot.ts';
import { partitionNumber, topicId } from '../../../proto/model/ids.ts';
import { leaderEpoch, offset } from '../../../proto/model/offset.ts';
import { crc32c } from '../../../proto/wire/crc32c.ts';
import type { FuzzTarget } from '../target.ts';
import { checkDecoder } from './decoder-promises.ts';

/** The checkpoint of a log. */
export const logRecordTarget: FuzzTarget = {
  name: 'log-record',
  async seeds() {
    const fresh = freshRecord(offset(0), 'ack', 1);
    const epochs = [3, 9].map((epoch) => ({
      epoch: leaderEpoch(epoch),
      startOffset: offset(epoch * 100),
    }));
    const damage = { at: offset(7), logEndBefore: offset(900) };
    return [fresh, { ...fresh, epochs }, { ...fresh, epochs, damage }].map(encodeLogRecord);
  },
  repair: sealAtEnd,
  check: (input) => checkDecoder({ decode: decodeLogRecord, encode: encodeLogRecord }, input),
};

/** A snapshot of producer state. */
export const producerSnapshotTarget: FuzzTarget = {
  name: 'producer-snapshot',
  async seeds() {
    const batch = { firstSequence: 0, lastSequence: 9, baseOffset: 100, lastOffset: 109 };
    const entry = { producerId: 5, epoch: 0, lastTimestamp: 1_700_000_000_000 };
    const head = { endOffset: 200, largestTimestamp: 1_700_000_000_000 };
    return [
      { ...head, entries: [] },
      { ...head, entries: [{ ...entry, batches: [batch] }] },
      { ...head, entries: [1, 2, 3].map(() => ({ ...entry, batches: [batch, batch, batch] })) },
    ].map(encodeProducers);
  },
  repair: sealAtEnd,
  check: (input) => checkDecoder({ decode: decodeProducers, encode: encodeProducers }, input),
};

const key = {
  topicId: topicId('0b6f0c5e-1d2a-4f3b-8c4d-5e6f708192a3'),
  partition: partitionNumber(4),
};

/** A block of the flush journal, without its padding. */
export const journalBlockTarget: FuzzTarget = {
  name: 'journal-block',
  async seeds() {
    const entries = ['first', 'second bytes', ''].map((text, index): JournalEntry => {
      const bytes = Buffer.from(text);
      const place = { key, segmentBase: offset(index), position: index * 50 };
      return { ...place, buffers: [bytes], bytes: bytes.length };
    });
    return [entries, entries.slice(0, 1), []].map(blockOf);
  },
  repair(input) {
    if (input.length < 24) return input;
    const repaired = Buffer.from(input);
    repaired.writeUInt32BE(repaired.length, 16);
    repaired.writeUInt32BE(crc32c(repaired.subarray(8)), 4);
    return repaired;
  },
  check(input) {
    checkDecoder(
      {
        decode(bytes) {
          const head = readBlockHead(bytes);
          return head?.bytes === bytes.length ? decodeBlock(bytes) : undefined;
        },
        encode: blockOf,
      },
      input,
    );
  },
};

function blockOf(entries: readonly JournalEntry[]): Buffer {
  const bytes = Buffer.concat(encodeBlock(entries, 1, Buffer.alloc(65_536)));
  return bytes.subarray(0, readBlockHead(bytes)?.bytes);
}

/** Small files that are replaced as a whole. */
export const checkedFileTarget: FuzzTarget = {
  name: 'checked-file',
  async seeds() {
    return [{ version: 1, clusterId: 'c', list: [1, { a: null }] }, {}].map(fileOf);
  },
  repair(input) {
    const text = input.toString();
    const body = text.slice(0, text.lastIndexOf('\n', text.length - 2));
    const sum = crc32c(Buffer.from(body)).toString(16).padStart(8, '0');
    return Buffer.from(`${body}\ncrc32c ${sum}\n`);
  },
  check(input) {
    checkDecoder({ decode: (bytes) => parseCheckedFile(bytes.toString()), encode: fileOf }, input);
  },
};

function fileOf(content: CheckedContent): Buffer {
  return Buffer.from(textOf(content));
}

/** Puts the checksum at the end right again. */
function sealAtEnd(input: Buffer): Buffer {
  if (input.length < 4) return input;
  const end = input.length - 4;
  const repaired = Buffer.from(input);
  repaired.writeUInt32BE(crc32c(repaired.subarray(0, end)), end);
  return repaired;
}
