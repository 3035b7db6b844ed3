/** Time of the real machine. */
import type { Clock, Timer } from '../clock.ts';

/** Longest delay that a Node timer keeps; a longer one would fire at once. */
const timerMsMax = 2 ** 31 - 1;

export const nodeClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, callback) => startTimer(performance.now() + ms, callback),
  soon: (callback) => {
    setImmediate(callback);
  },
};

/** From here on a millisecond more is nothing, and spares the second call after one that came early. */
const coarseMs = 20;

function startTimer(due: number, callback: () => void): Timer {
  let timer: NodeJS.Timeout;
  const arm = (left: number): void => {
    const ms = Math.ceil(left) + (left >= coarseMs ? 1 : 0);
    timer = setTimeout(wait, Math.min(timerMsMax, Math.max(0, ms)));
  };
  const wait = (): void => {
    const left = due - performance.now();
    // Node rounds delays down to whole milliseconds and may call a little early: never pass that on.
    if (left <= 0) callback();
    else arm(left);
  };
  arm(due - performance.now());
  return { cancel: () => clearTimeout(timer) };
}
