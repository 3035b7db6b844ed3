/**
 * Where the peers that we compare with are kept, and in which versions. They are no part of the package:
 * `npm run peers` brings them, and what is absent is skipped with a clear word.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** 4.4.0's tools were not complete in Maven Central. */
export const kafkaVersion = '4.3.1';
export const natsVersion = 'v2.15.2';

/** Everything that was installed; may be kept elsewhere and shared by several clones. */
export const peersPath =
  process.env['HIGHWATER_PEERS'] ?? fileURLToPath(new URL('../results/peers', import.meta.url));

export const kafkaJars = join(peersPath, `kafka-${kafkaVersion}`);
export const natsServer = join(peersPath, `nats-${natsVersion}`, 'nats-server');

/** Why a peer cannot be measured; undefined if it can. */
export function whyWithoutKafka(): string | undefined {
  if (existsSync(kafkaJars) && readdirSync(kafkaJars).some((name) => name.startsWith('kafka_2.13')))
    return undefined;
  return `Kafka ${kafkaVersion} is not in ${kafkaJars}: npm run peers brings it (needs mvn and java 17)`;
}

/** Why NATS cannot be measured; undefined if it can. */
export function whyWithoutNats(): string | undefined {
  if (existsSync(natsServer)) return undefined;
  return `nats-server ${natsVersion} is not at ${natsServer}: npm run peers brings it (needs go)`;
}
