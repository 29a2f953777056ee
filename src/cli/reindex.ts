/** `serai reindex`: the index made anew from the other stores, with progress and a report of what was wrong. */
import { loadConfig, type Overrides } from '../config.ts'
import { reindex } from '../processing/reindex.ts'
import { openServices } from '../services.ts'
import { showProgress } from './progress.ts'

/**
 * The command; its exit code is 1 when documents of some entries could not be made.
 * @throws Error with one clear message: bad settings, store not usable
 */
export async function reindexAll(overrides: Overrides): Promise<void> {
  const services = await openServices(loadConfig(overrides))
  const title = 'Indexing anew'
  const bar = showProgress(title)
  try {
    const { entries, removed, problems } = await reindex(services, event => {
      if (event.step === 'indexing') bar.update(event)
    })
    const gone = removed > 0 ? `, ${removed} that are gone removed` : ''
    bar.end(`${title}: ${entries} entries${gone}`)
    for (const { entryId, message } of problems) process.stderr.write(`  ${entryId}: ${message}\n`)
    if (problems.length > 0) process.exitCode = 1
  } catch (error) {
    bar.end(`${title}: stopped`)
    throw error
  } finally {
    await services.close()
  }
}
