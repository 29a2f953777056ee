/** `serai restore`: an empty installation is filled from a backup, of whatever storage profile. */
import { restore, verifyBackup } from '../backup/restore.ts'
import { loadConfig, type Overrides } from '../config.ts'
import { openServices } from '../services.ts'
import { showFilling } from './copying.ts'
import { showProgress } from './progress.ts'

/**
 * The command; its exit code is 1 when something was told to be wrong.
 * @throws Error with one clear message: bad settings, no backup, a damaged one, the installation is not empty
 */
export async function restoreBackup(folder: string, overrides: Overrides): Promise<void> {
  const services = await openServices(loadConfig(overrides), { filling: true })
  try {
    await showFilling(`Restoring ${folder}`, onProgress => restore(folder, services, onProgress))
  } finally {
    await services.close()
  }
}

/**
 * Reads a backup and compares it with its checksums.
 * @throws Error with one clear message when it is none or damaged
 */
export async function checkBackup(folder: string): Promise<void> {
  const title = `Checking ${folder}`
  const bar = showProgress(title)
  try {
    const { uploads, finished_at, profile, version, problems } = await verifyBackup(folder, event =>
      bar.update(event)
    )
    bar.end(
      `${title}: ${uploads.length} uploads, ${profile}, Serai ${version}, ${finished_at}: as it was written`
    )
    for (const problem of problems) process.stderr.write(`  at the backup: ${problem}\n`)
  } catch (error) {
    bar.end(`${title}: stopped`)
    throw error
  }
}
