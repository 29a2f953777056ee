/** `serai import`: folders and bundles into the stores, with progress and a report of what was wrong. */
import { type Config, loadConfig, type Overrides } from '../config.ts'
import { UnknownLayout } from '../processing/corpus-folder.ts'
import { importPath } from '../processing/import-path.ts'
import type { ImportReport } from '../processing/import-run.ts'
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
    const report = await importPath(path, services, event => bar.update(event))
    bar.end(`${title}: ${summary(report)}`)
    for (const { file, message } of report.problems) process.stderr.write(`  ${file}: ${message}\n`)
    return report
  } catch (error) {
    bar.end(`${title}: stopped`)
    throw error
  }
}

function summary({ imported, skipped, entries, problems }: ImportReport): string {
  const said = [`${count(imported, 'upload')} with ${count(entries, 'entry', 'entries')} imported`]
  if (skipped > 0) said.push(`${count(skipped, 'upload')} unchanged`)
  if (problems.length > 0) said.push(count(problems.length, 'problem'))
  return said.join(', ')
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`
}

/**
 * The command; its exit code is 1 when something could not be imported. A folder of an unknown layout is told, and the
 * next one goes on.
 * @throws Error with one clear message: bad settings, store not usable
 */
export async function importPaths(paths: readonly string[], overrides: Overrides): Promise<void> {
  const config: Config = loadConfig(overrides)
  const services = await openServices(config)
  try {
    for (const path of paths) {
      try {
        const { problems } = await importWithProgress(path, services, `Importing ${path}`)
        if (problems.length > 0) process.exitCode = 1
      } catch (error) {
        if (!(error instanceof UnknownLayout)) throw error
        process.stderr.write(`serai: ${error.message}\n`)
        process.exitCode = 1
      }
    }
  } finally {
    await services.close()
  }
}
