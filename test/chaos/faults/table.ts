/** Every kind of fault by its name, and what a seed makes of them. */
import type { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import { replaceDisk, rot, spoil, spoilJournal, tear } from './damage-faults.ts';
import { failingDisk, fullDisk, slowDisk } from './disk-faults.ts';
import type { Fault } from './fault.ts';
import { changeVoters, drain, reassign, transferController } from './membership-faults.ts';
import { bridge, cut, deafen, mute, slowLinks } from './network-faults.ts';
import { hang, kill, killAll, restart, restartLoop, rollingRestart } from './process-faults.ts';

/** Those that cost a minute of recovery are drawn less often. */
export const faults: Readonly<Record<string, Fault>> = {
  kill: { weight: 4, run: kill },
  restart: { weight: 2, run: restart },
  'restart-loop': { weight: 2, run: restartLoop },
  hang: { weight: 3, run: hang },
  'kill-all': { weight: 2, run: killAll },
  'rolling-restart': { weight: 1, needsWhole: true, run: rollingRestart },
  cut: { weight: 3, run: cut },
  mute: { weight: 2, run: mute },
  deafen: { weight: 2, run: deafen },
  bridge: { weight: 2, run: bridge },
  'slow-links': { weight: 1, run: slowLinks },
  'slow-disk': { weight: 3, run: slowDisk },
  'failing-disk': { weight: 3, run: failingDisk },
  'full-disk': { weight: 3, run: fullDisk },
  tear: { weight: 2, needsWhole: true, run: tear },
  rot: { weight: 2, needsWhole: true, run: rot },
  spoil: { weight: 2, needsWhole: true, run: spoil },
  'spoil-journal': { weight: 1, needsWhole: true, run: spoilJournal },
  'replace-disk': { weight: 2, needsWhole: true, run: replaceDisk },
  'change-voters': { weight: 2, run: changeVoters },
  'transfer-controller': { weight: 1, run: transferController },
  drain: { weight: 1, run: drain },
  reassign: { weight: 3, run: reassign },
};

/**
 * The faults of one run as a bag to draw from. Each seed leaves some out and favours others: what only
 * happens where a third kind of fault keeps away is met as well.
 */
export function swarmOf(random: SeededRandom): readonly string[] {
  const bag = Object.entries(faults).flatMap(([name, { weight }]) =>
    Array.from({ length: weight * random.below(4) }, () => name),
  );
  return bag.length === 0 ? Object.keys(faults) : bag;
}
