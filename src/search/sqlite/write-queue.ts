/**
 * Writes that wait for the writing thread, done one after the other. Documents that wait together are written in one
 * transaction: a page of the file that many documents change is then written once, which makes most of an import's speed.
 */
import type { Thread } from './thread.ts'
import type { WriteRequest } from './wire.ts'

/** UTF-16 units of JSON in a transaction; what it changes is kept in memory, about as much again. */
const TRANSACTION = 48 * 1024 * 1024

/** A put of so many units is worth a moment of waiting for the next one. */
const LARGE = 1024 * 1024

/** That moment, as a part of the time that the put took. */
const LINGER = 0.25

interface Task {
  readonly request: WriteRequest
  /** UTF-16 units of JSON. */
  readonly units: number
  /** Not with others, after it has failed with others. */
  alone: boolean
  /** What the thread has answered. */
  answer: unknown
  taken(): void
  resolve(result: unknown): void
  reject(error: unknown): void
}

/** Whether it can be done in one transaction with others. */
function addsDocuments(request: WriteRequest): request is WriteRequest & { kind: 'put' | 'replace' } {
  return request.kind === 'put' || request.kind === 'replace'
}

/** A write that was asked for. */
export interface Write {
  /** Settles when the thread has worked on it: it is time to hand over the next part. */
  readonly taken: Promise<void>
  /** Settles when it is stored, with what the thread answered. */
  readonly done: Promise<unknown>
}

/** Writes to one file. */
export class WriteQueue {
  readonly #thread: () => Thread
  readonly #waiting: Task[] = []
  #work: Promise<void> | undefined
  #added: (() => void) | undefined

  /** @param thread gives the writing thread, idle */
  constructor(thread: () => Thread) {
    this.#thread = thread
  }

  /**
   * Asks for a write.
   * @param units UTF-16 units of its JSON
   */
  add(request: WriteRequest, units = 0): Write {
    const taken = Promise.withResolvers<void>()
    const done = Promise.withResolvers<unknown>()
    // Who waits for one of them need not look at the other.
    done.promise.catch(() => {})
    const { resolve, reject } = done
    this.#waiting.push({
      request,
      units,
      alone: false,
      answer: undefined,
      taken: taken.resolve,
      resolve,
      reject
    })
    this.#added?.()
    this.#work ??= this.#run().finally(() => {
      this.#work = undefined
    })
    return { taken: taken.promise, done: done.promise }
  }

  /** Settles when nothing is left to do. */
  async idle(): Promise<void> {
    while (this.#work) await this.#work
  }

  async #run(): Promise<void> {
    // Others that are about to ask are waited for.
    await Promise.resolve()
    for (let first = this.#waiting.shift(); first; first = this.#waiting.shift()) {
      const tasks = [first]
      try {
        await this.#transaction(tasks)
        for (const task of tasks) task.resolve(task.answer)
      } catch (error) {
        if (tasks.length === 1) first.reject(error)
        else {
          for (const task of tasks) task.alone = true
          this.#waiting.unshift(...tasks)
        }
      }
      for (const task of tasks) task.taken()
    }
  }

  /** Does the task and those after it that fit; adds them to `tasks`. */
  async #transaction(tasks: Task[]): Promise<void> {
    // A thread that ends takes an open transaction with it: another one knows nothing of what was put.
    const thread = this.#thread()
    let units = 0
    for (let task = tasks[0]; task; ) {
      const { request } = task
      units += task.units
      if (!addsDocuments(request) || task.alone) {
        task.answer = await thread.ask(request)
        return
      }
      const room = TRANSACTION - units
      const open = task.units >= LARGE || this.#fitting(room) !== undefined
      const begin = performance.now()
      task.answer = await thread.ask(open ? { ...request, open } : request)
      task.taken()
      if (!open) return
      // An import hands its next documents over as soon as it is told that there is room for them.
      if (this.#waiting.length === 0 && room > 0) await this.#next((performance.now() - begin) * LINGER)
      task = this.#fitting(room)
      if (task) tasks.push(this.#waiting.shift() as Task)
    }
    await thread.ask({ kind: 'commit' })
  }

  /** What waits first, if it can be done in the transaction. */
  #fitting(room: number): Task | undefined {
    const next = this.#waiting[0]
    return next && addsDocuments(next.request) && !next.alone && next.units <= room ? next : undefined
  }

  /** Settles when something waits, or after some milliseconds. */
  #next(patience: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, patience)
      this.#added = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
