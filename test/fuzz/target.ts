/** One decoder under attack. */
export interface FuzzTarget {
  readonly name: string;
  /** Valid inputs to start from. */
  seeds(): Promise<readonly Buffer[]>;
  /** Puts checksums and the like right again, so that changes reach what lies behind them. */
  repair?(input: Buffer): Buffer;
  /** Throws if the decoder breaks a promise on this input. A refusal is not a failure. */
  check(input: Buffer): void;
}

/** Every target, loaded when it is asked for. Corpus files lie in `corpus/<name>/`. */
export const fuzzTargets: Readonly<Record<string, () => Promise<FuzzTarget>>> = {
  'record-batch': async () => (await import('./targets/record-batch.ts')).recordBatchTarget,
  'compressed-batch': async () =>
    (await import('./targets/compressed-batch.ts')).compressedBatchTarget,
  messages: async () => (await import('./targets/messages.ts')).messagesTarget,
  'metadata-records': async () =>
    (await import('./targets/metadata-records.ts')).metadataRecordsTarget,
  'raft-message': async () => (await import('./targets/raft-message.ts')).raftMessageTarget,
  'raft-rows': async () => (await import('./targets/raft-rows.ts')).raftRowsTarget,
  'link-frames': async () => (await import('./targets/link-frames.ts')).linkFramesTarget,
  hello: async () => (await import('./targets/hello.ts')).helloTarget,
  'request-envelope': async () =>
    (await import('./targets/request-envelope.ts')).requestEnvelopeTarget,
  'error-details': async () => (await import('./targets/error-details.ts')).errorDetailsTarget,
  'log-record': async () => (await import('./targets/stored-files.ts')).logRecordTarget,
  'producer-snapshot': async () =>
    (await import('./targets/stored-files.ts')).producerSnapshotTarget,
  'journal-block': async () => (await import('./targets/stored-files.ts')).journalBlockTarget,
  'checked-file': async () => (await import('./targets/stored-files.ts')).checkedFileTarget,
  'group-records': async () => (await import('./targets/group-records.ts')).groupRecordsTarget,
  settings: async () => (await import('./targets/settings.ts')).settingsTarget,
};
