/**
 * `npm run peers`: brings Kafka from Maven Central and NATS through Go's module proxy. What is there
 * already is kept; what cannot be had is named, and the exit code says whether anything is missing.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  kafkaJars,
  kafkaVersion,
  natsServer,
  natsVersion,
  peersPath,
  whyWithoutKafka,
  whyWithoutNats,
} from './locations.ts';

/** Maven has no command that takes coordinates and copies a whole class path: it wants a project. */
const kafkaProject = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>peers</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${kafkaVersion}</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>${kafkaVersion}</version></dependency>
  </dependencies>
</project>
`;

function installKafka(workPath: string): void {
  writeFileSync(join(workPath, 'pom.xml'), kafkaProject);
  const jars = join(workPath, 'jars');
  run('mvn', ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`], workPath);
  renameSync(jars, kafkaJars);
}

function installNats(workPath: string): void {
  const module = `github.com/nats-io/nats-server/v2@${natsVersion}`;
  run('go', ['install', module], workPath, { GOBIN: workPath });
  mkdirSync(dirname(natsServer), { recursive: true });
  renameSync(join(workPath, 'nats-server'), natsServer);
}

function run(
  command: string,
  argv: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): void {
  const { error, status } = spawnSync(command, argv, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 2, 2],
  });
  if (error !== undefined) throw new Error(`${command} cannot be run: ${error.message}`);
  if (status !== 0) throw new Error(`${command} ended with ${status}`);
}

const peers = [
  { name: `Kafka ${kafkaVersion}`, why: whyWithoutKafka, install: installKafka },
  { name: `NATS ${natsVersion}`, why: whyWithoutNats, install: installNats },
];
mkdirSync(peersPath, { recursive: true });
for (const { name, why, install } of peers) {
  if (why() === undefined) {
    process.stderr.write(`${name} is there\n`);
    continue;
  }
  process.stderr.write(`${name}: installing\n`);
  const workPath = mkdtempSync(join(peersPath, 'work-'));
  try {
    install(workPath);
    process.stderr.write(`${name} is installed\n`);
  } catch (caught) {
    process.exitCode = 1;
    process.stderr.write(`${name} is missing: ${caught instanceof Error ? caught.message : ''}\n`);
  } finally {
    rmSync(workPath, { recursive: true, force: true });
  }
}
