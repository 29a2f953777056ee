/** A few reading threads and the requests that wait for one. Threads start when they are needed. */
import { failure } from '../../errors.ts'
import type { FieldPlan } from './fields.ts'
import { Thread } from './thread.ts'
import type { ReadRequest } from './wire.ts'

interface Task {
  readonly request: ReadRequest
  readonly settle: (result: { value: unknown } | { error: unknown }) => void
  /** Set while the task runs. */
  thread?: Thread
  settled: boolean
}

/** Settings of the pool. */
export interface ReaderPoolOptions {
  readonly file: string
  readonly plan: FieldPlan
  /** Threads at most. */
  readonly size: number
  /** Milliseconds from the call to the answer, waiting included. */
  readonly timeout: number
}

/** Runs read requests in threads. */
export class ReaderPool {
  readonly #options: ReaderPoolOptions
  readonly #threads = new Set<Thread>()
  readonly #idle: Thread[] = []
  readonly #queue: Task[] = []
  #closed = false

  constructor(options: ReaderPoolOptions) {
    this.#options = options
  }

  /**
   * Answers a request.
   * @throws SeraiError SEARCH_TIMEOUT when it takes too long, STORE_UNAVAILABLE when the thread breaks; the signal's
   *   reason when that is given
   */
  run(request: ReadRequest, signal?: AbortSignal): Promise<unknown> {
    if (this.#closed) return Promise.reject(failure('STORE_UNAVAILABLE', { store: 'search' }))
    if (signal?.aborted) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      const task: Task = {
        request,
        settled: false,
        settle: result => {
          if (task.settled) return
          task.settled = true
          clearTimeout(timer)
          signal?.removeEventListener('abort', abort)
          if ('value' in result) resolve(result.value)
          else reject(result.error)
        }
      }
      const giveUp = (error: unknown) => {
        task.settle({ error })
        task.thread?.interrupt()
        const place = this.#queue.indexOf(task)
        if (place >= 0) this.#queue.splice(place, 1)
      }
      const timer = setTimeout(() => giveUp(failure('SEARCH_TIMEOUT')), this.#options.timeout)
      const abort = () => giveUp(signal?.reason)
      signal?.addEventListener('abort', abort)
      this.#queue.push(task)
      this.#next()
    })
  }

  #next(): void {
    while (this.#queue.length > 0) {
      const thread = this.#take()
      if (!thread) return
      void this.#work(thread, this.#queue.shift() as Task)
    }
  }

  #take(): Thread | undefined {
    for (const thread of this.#threads) if (thread.ended) this.#threads.delete(thread)
    for (let thread = this.#idle.pop(); thread; thread = this.#idle.pop()) if (!thread.ended) return thread
    if (this.#threads.size >= this.#options.size) return undefined
    const thread = new Thread('read', this.#options.file, this.#options.plan)
    this.#threads.add(thread)
    return thread
  }

  async #work(thread: Thread, task: Task): Promise<void> {
    task.thread = thread
    try {
      task.settle({ value: await thread.ask(task.request) })
    } catch (error) {
      task.settle({ error })
    }
    delete task.thread
    if (!thread.ended) this.#idle.push(thread)
    this.#next()
  }

  /** Refuses what waits, lets what runs end, and closes the threads. */
  async close(): Promise<void> {
    this.#closed = true
    for (const task of this.#queue.splice(0))
      task.settle({ error: failure('STORE_UNAVAILABLE', { store: 'search' }) })
    await Promise.all([...this.#threads].map(thread => thread.close()))
  }
}
