/** Makes `openapi/openapi.json` of the routes. Part of `npm run generate`. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildApp } from '../src/app.ts'
import { readConfig } from '../src/config.ts'
import { openServices } from '../src/services.ts'

/** Where the document stands. */
export const OPENAPI_FILE = join(import.meta.dirname, '../openapi/openapi.json')

/** The document as the server with default settings gives it, on empty stores of its own; two spaces deep. */
export async function openapiDocument(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'serai-openapi-'))
  try {
    const config = readConfig({ SERAI_DATA_DIR: folder })
    const services = await openServices(config)
    try {
      const app = await buildApp(config, services)
      const answer = await app.inject('/api/v1/openapi.json')
      await app.close()
      return `${JSON.stringify(answer.json(), null, 2)}\n`
    } finally {
      await services.close()
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}
