/** What the commands share that copy whole installations: `serai backup`, `serai restore`, `serai migrate`. */
import { type CopyReport, problemText } from '../backup/every-upload.ts'
import type { FillProgress } from '../backup/restore.ts'
import { type ProgressDisplay, showProgress } from './progress.ts'

/** What was copied, in a few words. */
export function copied({ uploads, entries, archives, files, users }: CopyReport): string {
  return `${uploads} uploads, ${entries} entries, ${archives} archives, ${files} raw files, ${users} users`
}

/** Writes each problem as a line; the exit code is 1 when there is any. */
export function tellProblems({ problems }: CopyReport): void {
  for (const problem of problems) process.stderr.write(`  ${problemText(problem)}\n`)
  if (problems.length > 0) process.exitCode = 1
}

/** Bytes as people read them. */
export function size(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB']
  const unit = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  return `${unit === 0 ? bytes : (bytes / 1000 ** unit).toPrecision(3)} ${units[unit]}`
}

/**
 * Runs what fills an installation, with a bar for each of its two steps.
 * @param title of the first step, for example `Restoring`
 */
export async function showFilling(
  title: string,
  fill: (onProgress: (event: FillProgress) => void) => Promise<CopyReport>
): Promise<void> {
  let step: FillProgress['step'] = 'copying'
  let bar: ProgressDisplay = showProgress(title)
  try {
    const report = await fill(event => {
      if (event.step !== step) {
        bar.end(`${title}: copied`)
        step = event.step
        bar = showProgress('Indexing')
      }
      bar.update(event)
    })
    bar.end(`${title}: ${copied(report)}`)
    tellProblems(report)
  } catch (error) {
    bar.end(`${title}: stopped`)
    throw error
  }
}
