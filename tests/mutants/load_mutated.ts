/** Preloaded into every process of a test: gives the module `MUTATED_MODULE` the source in the file `MUTATED_SOURCE`. */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const { MUTATED_MODULE: module, MUTATED_SOURCE: source } = process.env;

if (module !== undefined && source !== undefined) {
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      return url === module ? { ...loaded, source: readFileSync(source) } : loaded;
    },
  });
}
