/** The engine's command line, for tests. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * What the command writes.
 * @throws Error with what it wrote when it fails
 */
export async function docker(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('docker', args, { maxBuffer: 64 * 1024 * 1024 })
  return stdout.trim()
}

/** Runs another command of this machine; what it writes to its error output is shown. */
export async function command(file: string, ...args: readonly string[]): Promise<string> {
  const running = run(file, args, { maxBuffer: 64 * 1024 * 1024 })
  running.child.stderr?.pipe(process.stderr)
  return (await running).stdout.trim()
}
