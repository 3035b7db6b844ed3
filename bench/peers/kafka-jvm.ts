/** How every JVM of Kafka is started here: its jars, and what its own scripts give it. */
import { join } from 'node:path';
import { kafkaJars } from './locations.ts';

/** Every jar that was installed. */
export const kafkaClassPath = join(kafkaJars, '*');

/** What `kafka-run-class.sh` gives every JVM that it starts. */
export const jvmFlags = [
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-Djava.awt.headless=true',
];
