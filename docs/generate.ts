import { writeFileSync } from 'node:fs';
import { referencePages } from './reference.ts';

/** `npm run docs`: writes the pages that are made from the code. */
for (const [path, text] of referencePages()) {
  writeFileSync(new URL(`../${path}`, import.meta.url), text);
  console.log(`wrote ${path}`);
}
