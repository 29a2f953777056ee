/** `serai check`: looks through everything that is stored and tells what is wrong. */
import { loadConfig, type Overrides } from '../config.ts'
import { checkStores, type StoreProblem } from '../processing/check-stores.ts'
import { openServices } from '../services.ts'
import { showProgress } from './progress.ts'

/**
 * The command: a line for each problem on standard output; its exit code is 1 when there is any.
 * @throws Error with one clear message: bad settings, store not usable
 */
export async function check(overrides: Overrides): Promise<void> {
  const services = await openServices(loadConfig(overrides))
  const bar = showProgress('Checking')
  try {
    const report = await checkStores(
      services,
      problem => process.stdout.write(`${line(problem)}\n`),
      event => bar.update(event)
    )
    const { uploads, entries, archives, files, problems } = report
    const seen = `${uploads} uploads, ${entries} entries, ${archives} archives, ${files} raw files`
    bar.end(`Checked ${seen}: ${problems === 0 ? 'everything is as it was stored' : `${problems} problems`}`)
    if (problems > 0) process.exitCode = 1
  } catch (error) {
    bar.end('Checking: stopped')
    throw error
  } finally {
    await services.close()
  }
}

function line({ uploadId, entryId, part, message }: StoreProblem): string {
  const where = [uploadId && `upload ${uploadId}`, entryId && `entry ${entryId}`, part].filter(Boolean)
  return `${where.join(', ')}: ${message}`
}
