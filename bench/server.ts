/** How a server is started that is measured: as `bin/serai.js` starts it, with the Node that runs the bench. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { join } from 'node:path'

/** What `bin/serai.js` tells Node and the system's allocator of memory. */
const FLAGS = ['--max-semi-space-size=8', '--heap-growing-percent=60']
const ALLOCATOR = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_TRIM_THRESHOLD_: '262144' }

/** Starts `serai` with arguments. */
export function startServer(args: readonly string[], options: SpawnOptions): ChildProcess {
  return spawn(process.execPath, [...FLAGS, join(import.meta.dirname, '../bin/serai.js'), ...args], {
    ...options,
    env: { ...ALLOCATOR, ...(options.env ?? process.env) }
  })
}
