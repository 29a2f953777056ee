/**
 * Which replacements are under way: one small file for each, written before anything else and removed last. What a
 * killed process left is found by them, without looking through all uploads.
 */
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** After this time a replacement of another machine counts as dead: it cannot be asked. Milliseconds. */
const DEAD_AFTER = 24 * 3600 * 1000

/** A replacement. */
export interface Replacement {
  readonly uploadId: string
  readonly generation: string
}

/** The notes in one folder, shared by all processes that use the store. */
export class Replacements {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Makes the folder. */
  async prepare(): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
  }

  /** Notes that a replacement begins. */
  async begin(replacement: Replacement): Promise<void> {
    const owner = JSON.stringify({ host: hostname(), pid: process.pid })
    await writeFile(this.#path(replacement), owner, { flag: 'wx', flush: true })
  }

  /** Notes that nothing is left to be done. */
  async end(replacement: Replacement): Promise<void> {
    await rm(this.#path(replacement), { force: true })
  }

  /** All that are noted. */
  async list(): Promise<Replacement[]> {
    const names = await readdir(this.#folder)
    return names.flatMap(name => {
      const [uploadId, generation, ending] = name.split('.')
      return uploadId && generation && ending === 'json' ? [{ uploadId, generation }] : []
    })
  }

  /** Those whose process is gone. */
  async abandoned(): Promise<Replacement[]> {
    const noted = await this.list()
    const gone = await Promise.all(noted.map(replacement => this.#isAbandoned(replacement)))
    return noted.filter((_, i) => gone[i])
  }

  async #isAbandoned(replacement: Replacement): Promise<boolean> {
    const path = this.#path(replacement)
    let begun: number
    let owner: { host?: string; pid?: number } = {}
    try {
      begun = (await stat(path)).mtimeMs
      owner = JSON.parse(await readFile(path, 'utf8')) as typeof owner
    } catch (error) {
      // Ended meanwhile; or cut off while it was written, and then nothing else was done yet.
      return error instanceof SyntaxError
    }
    if (owner.host !== hostname()) return begun < Date.now() - DEAD_AFTER
    // A restarted container gives the same number again: it is ours only if it was begun after us.
    if (owner.pid === process.pid) return begun < Date.now() - process.uptime() * 1000 - 1000
    return !isAlive(owner.pid)
  }

  #path({ uploadId, generation }: Replacement): string {
    return join(this.#folder, `${uploadId}.${generation}.json`)
  }
}

function isAlive(pid: number | undefined): boolean {
  if (!pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
