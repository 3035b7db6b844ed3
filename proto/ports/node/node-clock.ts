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

function startTimer(due: number, callback: () => void): Timer {
  let timer: NodeJS.Timeout;
  const wait = () => {
    const left = due - performance.now();
    // Node rounds delays down to whole milliseconds and may call a little early: never pass that on.
    if (left <= 0) callback();
    else timer = setTimeout(wait, Math.min(timerMsMax, Math.ceil(left)));
  };
  timer = setTimeout(wait, Math.min(timerMsMax, Math.max(0, Math.ceil(due - performance.now()))));
  return { cancel: () => clearTimeout(timer) };
}
