/** `npm run generate`: writes every generated file; `test/generated.test.ts` fails when one has drifted. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { OPENAPI_FILE, openapiDocument } from './openapi-document.ts'
import { PARSER_FILE, parserSource } from './optimade-parser.ts'
import { SETTINGS_FILE, settingsPage } from './settings-page.ts'

/** Generated files and how each is made. */
export const GENERATED: readonly (readonly [file: string, make: () => string | Promise<string>])[] = [
  [SETTINGS_FILE, settingsPage],
  [PARSER_FILE, parserSource],
  [OPENAPI_FILE, openapiDocument]
]

if (import.meta.main) {
  for (const [file, make] of GENERATED) {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, await make())
  }
}
