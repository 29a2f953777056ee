/** `serai backup`: everything of the installation into a folder, while it is served. */
import { existsSync } from 'node:fs'
import { backUp } from '../backup/backup.ts'
import { loadConfig, type Overrides } from '../config.ts'
import { openServices } from '../services.ts'
import { copied, size, tellProblems } from './copying.ts'
import { showProgress } from './progress.ts'

/**
 * The command; its exit code is 1 when something could not be copied as it was stored.
 * @throws Error with one clear message: bad settings, no such installation, the folder is not empty or cannot be written
 */
export async function backup(folder: string, overrides: Overrides): Promise<void> {
  const config = loadConfig(overrides)
  // Opening the stores would make it.
  if (!existsSync(config.dataDir)) throw new Error(`there is no data folder ${config.dataDir}`)
  const services = await openServices(config)
  const title = `Backup into ${folder}`
  const bar = showProgress(title)
  try {
    const report = await backUp(services, folder, config.storage.kind, event => bar.update(event))
    bar.end(`${title}: ${copied(report)}; ${size(report.bytes)}`)
    tellProblems(report)
  } catch (error) {
    bar.end(`${title}: stopped`)
    throw error
  } finally {
    await services.close()
  }
}
