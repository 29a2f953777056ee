import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { importCorpus } from '../../src/processing/corpus-import.ts'
import { ALL } from '../../src/query/tree.ts'
import { openTestServices, profiles } from '../app.ts'
import { run, serai } from './serai.ts'
import { settingsOf } from './stores.ts'

/** How often the command is killed. */
const KILLS = 3

describe.each(profiles())('serai reindex, %s profile', profile => {
  test('killed at any moment it leaves an index that answers, and the next run ends well', async () => {
    const services = await openTestServices(profile)
    try {
      for (const folder of ['corpus', 'guide'])
        await importCorpus(join(import.meta.dirname, '../../fixtures', folder), services)
      const documents = async () => {
        const { hits } = await services.index.search({ query: ALL, order: 'asc', size: 1000 })
        return new Map(hits.map(hit => [hit.entryId, hit.document]))
      }
      const imported = await documents()
      const settings = settingsOf(services)
      const whole = performance.now()
      const report = await run(['reindex'], settings)
      expect(report).toMatchObject({ code: 0, stdout: '' })
      expect(report.stderr).toContain(`Indexing anew: ${imported.size} entries\n`)
      const time = performance.now() - whole
      for (let kill = 0; kill < KILLS; kill++) {
        const command = serai(['reindex'], settings)
        await delay((time * (kill + 0.5)) / KILLS)
        command.process.kill('SIGKILL')
        await command.end
        // A search during the change of versions sees one of them, so nothing is ever missing or doubled.
        expect(await documents()).toEqual(imported)
      }
      expect(await run(['reindex'], settings)).toMatchObject({ code: 0 })
      expect(await documents()).toEqual(imported)
    } finally {
      await services.close()
    }
  }, 300_000)
})
