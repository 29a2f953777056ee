/** `serai import`: folders into the stores, with progress and a report of what was wrong. */
import { type Config, loadConfig, type Overrides } from '../config.ts'
import { type ImportReport, importCorpus } from '../processing/corpus-import.ts'
import { openServices, type Services } from '../services.ts'
import { showProgress } from './progress.ts'

/**
 * Imports one folder and shows how far it is.
 * @throws Error when the folder is not of a known layout
 */
export async function importWithProgress(
  path: string,
  services: Services,
  title: string
): Promise<ImportReport> {
  const bar = showProgress(title)
  try {
    const report = await importCorpus(path, services, event => bar.update(event))
    const { imported, skipped, entries, problems } = report
    bar.end(
      `${title}: ${imported} uploads with ${entries} entries imported` +
        (skipped > 0 ? `, ${skipped} unchanged` : '') +
        (problems.length > 0 ? `, ${problems.length} problems` : '')
    )
    for (const { file, message } of problems) process.stderr.write(`  ${file}: ${message}\n`)
    return report
  } catch (error) {
    bar.end(`${title}: stopped`)
    throw error
  }
}

/** The command; its exit code is 1 when a file could not be imported. */
export async function importPaths(paths: readonly string[], overrides: Overrides): Promise<void> {
  const config: Config = loadConfig(overrides)
  const services = await openServices(config)
  try {
    for (const path of paths) {
      const { problems } = await importWithProgress(path, services, `Importing ${path}`)
      if (problems.length > 0) process.exitCode = 1
    }
  } finally {
    await services.close()
  }
}
