import { mkdirSync, writeFileSync } from 'node:fs';
import { referencePages } from './reference.ts';

/** `npm run docs`: writes the pages that are made from the code. */
for (const [path, text] of await referencePages()) {
  const file = new URL(`../${path}`, import.meta.url);
  mkdirSync(new URL('.', file), { recursive: true });
  writeFileSync(file, text);
  console.log(`wrote ${path}`);
}
