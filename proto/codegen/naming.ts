/** How names of the schema become names of TypeScript, in one place. */
import type { Enum, Field } from 'protobufjs';

/** `log_end_offset` → `logEndOffset`. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** `CreateTopic` → `createTopic`. */
export function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** `ACKS_SEMI_SYNC` of enum `Acks` → `semi-sync`. */
export function enumText(owner: Enum, value: string): string {
  const prefix = owner.name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
  return value
    .slice(prefix.length + 1)
    .toLowerCase()
    .replaceAll('_', '-');
}

/** `highwater/v1/produce.proto` → `highwater/v1/produce.ts`. */
export function moduleOf(schemaFile: string): string {
  return schemaFile.replace(/\.proto$/, '.ts');
}

/** Brands that a field's comment may name with `@Brand`, and the model file that makes them. */
export const brands: Readonly<Record<string, 'ids' | 'offset'>> = {
  NodeId: 'ids',
  PartitionNumber: 'ids',
  TopicId: 'ids',
  ClusterId: 'ids',
  StorageId: 'ids',
  IncarnationId: 'ids',
  ProducerId: 'ids',
  Offset: 'offset',
  LeaderEpoch: 'offset',
  PartitionEpoch: 'offset',
  BrokerEpoch: 'offset',
  Term: 'offset',
  LogIndex: 'offset',
  Revision: 'offset',
  ProducerEpoch: 'offset',
};

/** What a field's comment says to the generator: `@Brand`, `@max(N)`, `@parts`; the rest is prose. */
export interface FieldNotes {
  readonly brand: string | undefined;
  readonly max: number | undefined;
  readonly isParts: boolean;
  readonly prose: string | undefined;
}

/** Reads the notes; an unknown `@Word` is a mistake in the schema. */
export function notesOf(field: Field): FieldNotes {
  const comment = field.comment ?? '';
  let brand: string | undefined;
  let max: number | undefined;
  let isParts = false;
  for (const [, word, argument] of comment.matchAll(/@(\w+)(?:\((\d+)\))?/g)) {
    if (word === 'max') max = Number(argument);
    else if (word === 'parts') isParts = true;
    else if (word !== undefined && Object.hasOwn(brands, word)) brand = word;
    else throw new Error(`${field.fullName}: unknown note @${word}`);
  }
  const prose = comment.replace(/\s*@\w+(\(\d+\))?/g, '').trim();
  return { brand, max, isParts, prose: prose === '' ? undefined : prose };
}
