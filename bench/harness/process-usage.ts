/** What other processes have used, as the kernel counts it. */
import { readFileSync } from 'node:fs';

/** Clock ticks of /proc a second; fixed on Linux. */
const ticksPerSecond = 100;
const userField = 11;
const systemField = 12;

/** CPU seconds of a process since its start, all threads, user and system. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the command is in parentheses and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[userField]) + Number(fields[systemField])) / ticksPerSecond;
}

/** Resident memory that is the process's own, in MB: without files and without shared pages. */
export function rssAnonMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]);
  return (kilobytes * 1024) / 1e6;
}

/** All resident memory, shared and file pages included, in MB: for processes that are not ours. */
export function rssMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  return (kilobytes * 1024) / 1e6;
}
