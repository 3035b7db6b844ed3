/** What a lesson is: a name, a claim, and a story that ends in a verdict. */
import type { Stage } from './stage.ts';

export interface Lesson {
  readonly name: string;
  /** The claim in one sentence. */
  readonly summary: string;
  /** What to take along from it; told only where the claim held. */
  readonly takeaway: string;
  /** Plays it. Whatever it opens through the stage ends with the stage. */
  play(stage: Stage): Promise<void>;
}

/** A lesson that is loaded only when it runs. */
export interface LazyLesson {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Lesson>;
}
