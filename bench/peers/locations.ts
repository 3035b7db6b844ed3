/**
 * Where the peers that we compare with are kept, and in which versions. They are no part of the package:
 * `npm run peers` brings them, and what is absent is skipped with a clear word.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** 4.4.0's tools were not complete in Maven Central. */
export const kafkaVersion = '4.3.1';
export const natsVersion = 'v2.15.2';

/**
 * Everything that was installed; may be kept elsewhere and shared by several clones. The name does not begin
 * with HIGHWATER_: nodes take such variables for settings, and refuse unknown ones.
 */
export const peersPath =
  process.env['BENCH_PEERS'] ?? fileURLToPath(new URL('../results/peers', import.meta.url));

export const kafkaJars = join(peersPath, `kafka-${kafkaVersion}`);
export const natsServer = join(peersPath, `nats-${natsVersion}`, 'nats-server');

/** Why a peer cannot be measured; undefined if it can. */
export function whyWithoutKafka(): string | undefined {
  const isThere =
    existsSync(kafkaJars) && readdirSync(kafkaJars).some((name) => name.startsWith('kafka_2.13'));
  if (!isThere)
    return `Kafka ${kafkaVersion} is not in ${kafkaJars}: npm run peers brings it (needs mvn and a JDK, 17 or later)`;
  // The open loop is compiled when it runs, so a JRE is not enough.
  if (spawnSync('javac', ['-version'], { stdio: 'ignore' }).status !== 0)
    return `Kafka ${kafkaVersion} is in ${kafkaJars}, but there is no JDK to run it: javac is not on the path`;
  return undefined;
}

/** Why NATS cannot be measured; undefined if it can. */
export function whyWithoutNats(): string | undefined {
  if (existsSync(natsServer)) return undefined;
  return `nats-server ${natsVersion} is not at ${natsServer}: npm run peers brings it (needs go)`;
}
