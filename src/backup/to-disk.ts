/** Brings written files to the disk, many at once: that takes it about as long as one. */
import { open } from 'node:fs/promises'

/** Files that are on their way at a time. */
const SYNCING = 16

/** Files that have to survive a power cut. */
export class ToDisk {
  readonly #running = new Set<Promise<void>>()
  #failed: { readonly error: unknown } | undefined

  /** Begins with a complete file; waits while too many are on their way. */
  async add(path: string): Promise<void> {
    const syncing = syncFile(path)
      .catch((error: NodeJS.ErrnoException) => {
        // Another one takes its place, and is added too.
        if (error.code !== 'ENOENT') this.#failed ??= { error }
      })
      .finally(() => this.#running.delete(syncing))
    this.#running.add(syncing)
    if (this.#running.size >= SYNCING) await Promise.race(this.#running)
  }

  /** Waits for all. @throws Error when one of them could not be written */
  async end(): Promise<void> {
    await Promise.all(this.#running)
    if (this.#failed) throw this.#failed.error
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
