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
  let bar = showProgress(title)
  let step = ''
  try {
    const { entries, removed, problems } = await reindex(services, event => {
      // The embedded engine has nothing to copy.
      if (event.step === 'copying' && step === '') {
        bar.end(`${title}: copying the index into a new version`)
        bar = showProgress('Copying')
      } else if (event.step === 'indexing' && step === 'copying') {
        bar.end('Copied')
        bar = showProgress(title)
      }
      step = event.step
      bar.update(event)
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
