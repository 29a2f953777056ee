/** Opening a store of another program, which may still be starting. */
import { setTimeout as delay } from 'node:timers/promises'
import { failure, SeraiError } from '../errors.ts'
import type { Log } from '../log.ts'

/** Milliseconds between two tries to open a store that does not answer. */
const RETRY_INTERVAL = 500

/** Milliseconds after which it is told that a store is waited for, and between two times. */
const FIRST_TOLD = 1000
const TOLD_AGAIN = 15_000

/** A store that is waited for. */
export interface Waiting {
  /** For people: `MongoDB`. */
  readonly name: string
  /** May hold a password, which is not told. */
  readonly url: string
  /** When it is given up, in milliseconds since 1970. */
  readonly until: number
  readonly log: Log | undefined
}

/**
 * Opens a store; one that does not answer is tried again until its time is over.
 * @throws SeraiError STORE_UNUSABLE that says which one does not answer or refuses, and where; STORE_NEWER
 */
export async function awaited<T>(waiting: Waiting, open: () => Promise<T>): Promise<T> {
  const { name, url, until, log } = waiting
  const begun = Date.now()
  let isTold = false
  const tell = () => {
    isTold = true
    const left = Math.max(0, Math.round((until - Date.now()) / 1000))
    log?.info({ store: name }, `waiting for ${name} at ${withoutPassword(url)}, for ${left} s at most`)
    timer = setTimeout(tell, TOLD_AGAIN)
  }
  let timer = setTimeout(tell, FIRST_TOLD)
  try {
    const opened = await opening(waiting, open)
    if (isTold) log?.info({ store: name }, `${name} is there after ${(Date.now() - begun) / 1000} s`)
    return opened
  } finally {
    clearTimeout(timer)
  }
}

async function opening<T>({ name, url, until }: Waiting, open: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await open()
    } catch (error) {
      const silent = error instanceof SeraiError && error.code === 'STORE_UNAVAILABLE'
      if (error instanceof SeraiError && !silent) throw error
      if (silent && Date.now() < until) {
        await delay(RETRY_INTERVAL)
        continue
      }
      const cause = silent ? error.cause : error
      const told = cause instanceof Error ? cause.message.split('\n')[0]?.replace(/\.$/, '') : String(cause)
      throw failure('STORE_UNUSABLE', {
        file: `${name} at ${withoutPassword(url)}`,
        reason: silent ? `it does not answer (${told})` : told
      })
    }
  }
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//')
}
