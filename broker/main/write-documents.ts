/** `npm run docs`: writes the documents that are made from tables. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { topicSettings } from '../../proto/model/topic-settings.ts';
import { generatedDocuments } from './documents.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
for (const [path, text] of generatedDocuments(topicSettings)) writeFileSync(`${root}${path}`, text);
