import { expect, it } from 'vitest';
import { generatedDocuments } from '../../../broker/main/documents.ts';
import { topicSettings } from '../../../proto/model/topic-settings.ts';
import { textOf } from '../../house/sources.ts';

it('documents made from tables say what the tables say', () => {
  for (const [path, text] of generatedDocuments(topicSettings)) {
    expect(textOf(path), `${path} is stale: run npm run docs`).toBe(text);
  }
});
