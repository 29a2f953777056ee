/** Which files this process has open, as Linux tells; tests count them. */
import { readdir, readlink } from 'node:fs/promises'

/** Paths of the open files below a folder. */
export async function openFilesBelow(folder: string): Promise<string[]> {
  const names = await readdir('/proc/self/fd')
  const paths = await Promise.all(names.map(name => readlink(`/proc/self/fd/${name}`).catch(() => '')))
  return paths.filter(path => path.startsWith(folder))
}

/** Resolves when the condition holds; rejects after the time. */
export async function eventually(condition: () => Promise<boolean>, milliseconds = 1000): Promise<void> {
  const end = Date.now() + milliseconds
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`did not happen within ${milliseconds} ms`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}
