/** How a server is started that is measured: as `bin/serai.js` starts it, with the Node that runs the bench. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { join } from 'node:path'

/** What `bin/serai.js` tells the system's allocator. */
const ALLOCATOR = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_TRIM_THRESHOLD_: '262144' }

/** Starts `serai` with arguments. */
export function startServer(args: readonly string[], options: SpawnOptions): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, '../bin/serai.js'), ...args], {
    ...options,
    env: { ...ALLOCATOR, ...(options.env ?? process.env) }
  })
}
