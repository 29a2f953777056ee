/**
 * Makes `src/query/optimade/filter-parser.js` of the grammar `filter.peggy`. Part of `npm run generate`; a test holds the
 * committed parser against it.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import peggy from 'peggy'

const FOLDER = join(import.meta.dirname, '../src/query/optimade')

/** Where the generated parser stands. */
export const PARSER_FILE = join(FOLDER, 'filter-parser.js')

/** The source text of the parser, as an ES module. */
export async function parserSource(): Promise<string> {
  const grammar = await readFile(join(FOLDER, 'filter.peggy'), 'utf8')
  return peggy.generate(grammar, { output: 'source', format: 'es' })
}

if (import.meta.main) await writeFile(PARSER_FILE, await parserSource())
