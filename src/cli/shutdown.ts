/** Ending a server: by a signal, by an error that nobody caught, or because the process that started it is gone. */
import closeWithGrace from 'close-with-grace'

/** Signals that ask a server to end. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Milliseconds in which the same wish may arrive several times: Ctrl-C goes to the whole group of processes, and npm
 * and `bin/serai.js` pass on what they get.
 */
const ONE_WISH = 2000

/** Why a process ends. */
export interface ShutdownReason {
  readonly signal?: NodeJS.Signals
  /** One that nobody caught. */
  readonly error?: Error
}

/**
 * Calls `close` once when the process is asked to end, and ends it: with code 0, or 1 after an error or when closing
 * takes longer than `delay` milliseconds. Who asks again later does not want to wait: the process ends at once.
 */
export function onShutdown(delay: number, close: (reason: ShutdownReason) => Promise<void>): void {
  let first: NodeJS.Signals | undefined
  const grace = closeWithGrace({ delay, logger: false, skip: [...SIGNALS] }, ({ err }) =>
    close({ ...(first ? { signal: first } : {}), ...(err ? { error: err } : {}) })
  )
  let asked: number | undefined
  const ask = (signal: NodeJS.Signals) => {
    const now = performance.now()
    first ??= signal
    if (asked === undefined) void grace.close()
    else if (now - asked > ONE_WISH) process.exit(1)
    asked ??= now
  }
  for (const signal of SIGNALS) process.on(signal, ask)
}

/**
 * Ends this process when the one that started it is gone without a word. `bin/serai.js` holds a channel for it;
 * without channel there is nothing to watch.
 */
export function endWithParent(): void {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  process.channel?.unref()
}
