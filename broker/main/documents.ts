/**
 * Documents that are made from the tables of the code. `npm run docs` writes them and a test compares
 * them with what is committed, so that they cannot disagree with what the program does.
 */

import { errorTable } from '../../proto/model/errors.ts';
import { nodeId } from '../../proto/model/ids.ts';
import { nodeSettings } from '../../proto/model/node-settings.ts';
import { acceptedBy, type SettingRow } from '../../proto/model/setting.ts';
import { nodeMetrics } from './node-metrics.ts';

/** Path below the repository → text. */
export function generatedDocuments(
  topicSettings: readonly SettingRow[],
): ReadonlyMap<string, string> {
  return new Map([
    ['docs/errors.md', errorsDocument()],
    ['docs/configuration.md', configurationDocument(topicSettings)],
    ['docs/metrics.md', metricsDocument()],
  ]);
}

const madeBy = '<!-- Made by `npm run docs` from the tables of the code. Do not edit. -->';

function errorsDocument(): string {
  const rows = Object.entries(errorTable).map(
    ([code, spec]) =>
      `| \`${code}\` | ${spec.status} | ${spec.retriable ? 'yes' : 'no'} | ${spec.outcome} | ${spec.meaning} |`,
  );
  return [
    madeBy,
    '# Error codes',
    '',
    'Every operating error has one of these codes. It travels as the gRPC status beside it, with the code as the',
    '`reason` of a `google.rpc.ErrorInfo` in domain `highwater`; `metadata` holds the facts: ids, epochs, ranges.',
    '',
    '- **Retry**: the same request may succeed later, perhaps at another broker.',
    '- **Write**: `not-written` is definite, no consumer will ever see the record. `maybe-written` is not: the record',
    '  may be there, now or later. The outcome in the error itself wins where the sender knew more.',
    '',
    '| Code | gRPC status | Retry | Write | Meaning |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function configurationDocument(topicSettings: readonly SettingRow[]): string {
  return [
    madeBy,
    '# Settings',
    '',
    'A setting that is unknown, or whose value is not accepted, is refused with its name, the value and what would',
    'be accepted.',
    '',
    '## Node',
    '',
    'Weakest first: the default, `highwater.json` (or `--config FILE`), `HIGHWATER_*` variables (`node-id` is',
    '`HIGHWATER_NODE_ID`), flags of `highwater server`.',
    '',
    ...table(nodeSettings),
    '',
    '## Topic',
    '',
    "Kafka's names where Kafka has the setting. Set with `highwater topic create --config name=value` or",
    '`highwater topic alter`.',
    '',
    ...table(topicSettings),
    '',
  ].join('\n');
}

function metricsDocument(): string {
  const nothing = {
    nodeId: nodeId(1),
    image: () => undefined,
    replicas: () => [],
    maintenance: () => undefined,
    isReady: () => false,
    isController: () => false,
    traffic: () => undefined,
  };
  const rows = nodeMetrics(nothing)
    .describe()
    .map(({ name, kind, meaning }) => `| \`${name}\` | ${kind} | ${meaning} |`);
  return [
    madeBy,
    '# Metrics',
    '',
    'Every node serves these at `/metrics` of its HTTP address, in the text form that Prometheus reads.',
    '',
    '| Name | Kind | Meaning |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function table(rows: readonly SettingRow[]): string[] {
  return [
    '| Name | Default | Accepted | Meaning |',
    '| --- | --- | --- | --- |',
    ...rows.map(
      (row) =>
        `| \`${row.name}\` | ${row.default === undefined || row.default === '' ? '–' : `\`${row.default}\``} | ${acceptedBy(row.form).replaceAll('|', '\\|')} | ${row.meaning} |`,
    ),
  ];
}
