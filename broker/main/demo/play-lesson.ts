/** Plays one lesson from beginning to end: nothing that it opened outlives it. */
import { HighwaterError } from '../../../proto/model/errors.ts';
import { type Claim, Claims } from './claims.ts';
import type { Lesson } from './lesson.ts';
import { Recording } from './recording.ts';
import { Stage } from './stage.ts';
import { Story, type StoryLook } from './story.ts';

export interface LessonOutcome {
  readonly lesson: string;
  readonly summary: string;
  readonly holds: boolean;
  readonly elapsedMs: number;
  readonly claims: readonly Claim[];
  readonly recording: Recording;
}

export interface LessonSurroundings {
  /** Prints a line of the story. */
  readonly say: (line: string) => void;
  readonly look: StoryLook;
  readonly environment: NodeJS.ProcessEnv;
  /** Ends the lesson before its end. */
  readonly signal: AbortSignal;
  /** Called when the story is over and the cluster still runs. */
  readonly linger?: () => Promise<void>;
}

/** A lesson that takes longer than this hangs. */
const playMsMax = 120_000;

export async function playLesson(
  lesson: Lesson,
  surroundings: LessonSurroundings,
): Promise<LessonOutcome> {
  const { say, look, environment, signal } = surroundings;
  const recording = new Recording(() => performance.now());
  const story = new Story(recording, say, look);
  const claims = new Claims();
  const over = new AbortController();
  await using stage = new Stage({ story, claims, recording, environment });
  story.act(`${lesson.name}: ${lesson.summary}`);
  try {
    await Promise.race([lesson.play(stage), stopped(signal, over.signal)]);
  } catch (caught) {
    if (signal.aborted) throw caught;
    const { code, message } = HighwaterError.from(caught);
    claims.equals('The lesson came to its end', `${code}: ${message}`, 'it did');
  } finally {
    over.abort();
  }
  const { elapsedMs } = recording;
  story.verdict(claims, lesson.takeaway);
  await surroundings.linger?.();
  const { name, summary } = lesson;
  return { lesson: name, summary, holds: claims.hold, elapsedMs, claims: claims.all, recording };
}

/** Rejects when the lesson is to end before its end, or takes too long; `over` once it has ended. */
function stopped(signal: AbortSignal, over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = (): void => reject(new HighwaterError('CANCELLED', 'the lesson was stopped'));
    const late = new HighwaterError('DEADLINE_EXCEEDED', `no end after ${playMsMax} ms`);
    const timer = setTimeout(() => reject(late), playMsMax);
    over.addEventListener('abort', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', give);
    });
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
}
