/** A worker thread of the search file, seen from the main thread: requests go out one by one, answers come back. */
import { Worker } from 'node:worker_threads'
import { ERRORS, type ErrorCode, failure, SeraiError } from '../../errors.ts'
import type { FieldPlan } from './fields.ts'
import type { ReadRequest, WorkerAnswer, WorkerMessage, WorkerSetup, WriteRequest } from './wire.ts'

/** Milliseconds that a thread gets to notice that it is to stop, before it is ended. */
const STOP_GRACE = 1000

/** All threads make much that is soon thrown away; with the limits of a whole process it would be kept for long. */
const MEMORY = {
  write: { maxOldGenerationSizeMb: 768, maxYoungGenerationSizeMb: 24 },
  read: { maxYoungGenerationSizeMb: 12 }
}

interface Waiting {
  readonly id: number
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

/** One worker thread; it is started at once and does not keep the process alive while it is idle. */
export class Thread {
  readonly #worker: Worker
  readonly #stop = new Int32Array(new SharedArrayBuffer(4))
  readonly #exit: Promise<void>
  #waiting: Waiting | undefined
  #lastId = 0
  #ended = false
  #stopTimer: NodeJS.Timeout | undefined

  constructor(role: WorkerSetup['role'], file: string, plan: FieldPlan) {
    const setup: WorkerSetup = { role, file, plan, stop: this.#stop }
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: setup,
      execArgv: [],
      resourceLimits: MEMORY[role]
    })
    this.#worker.unref()
    this.#worker.on('message', (answer: WorkerAnswer) => this.#settle(answer))
    this.#worker.on('error', error => this.#fail(error))
    this.#exit = new Promise(resolve => {
      this.#worker.once('exit', () => {
        this.#fail(undefined)
        resolve()
      })
    })
  }

  /** Whether the thread is gone and another one is needed. */
  get ended(): boolean {
    return this.#ended
  }

  /**
   * Asks the thread, which must be idle.
   * @throws SeraiError what the thread answered; STORE_UNAVAILABLE when it ended
   */
  ask(request: ReadRequest | WriteRequest): Promise<unknown> {
    if (this.#ended) return Promise.reject(failure('STORE_UNAVAILABLE', { store: 'search' }))
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      this.#waiting = { id, resolve, reject }
      this.#worker.ref()
      this.#worker.postMessage({ id, request } satisfies WorkerMessage)
    })
  }

  /** Makes the thread give up what it does; the promise of `ask` settles soon. */
  interrupt(): void {
    if (!this.#waiting) return
    Atomics.store(this.#stop, 0, 1)
    this.#stopTimer ??= setTimeout(() => void this.#worker.terminate(), STOP_GRACE)
  }

  /** Closes the thread's connection and ends it. */
  async close(): Promise<void> {
    if (!this.#ended) {
      this.#worker.ref()
      this.#worker.postMessage('close' satisfies WorkerMessage)
    }
    await this.#exit
  }

  #settle(answer: WorkerAnswer): void {
    const waiting = this.#waiting
    if (waiting?.id !== answer.id) return
    this.#rest()
    if ('result' in answer) waiting.resolve(answer.result)
    else waiting.reject(fromWorker(answer.error))
  }

  #fail(cause: unknown): void {
    this.#ended = true
    const waiting = this.#waiting
    this.#rest()
    const error = failure('STORE_UNAVAILABLE', { store: 'search' })
    if (cause !== undefined) error.cause = cause
    waiting?.reject(error)
  }

  #rest(): void {
    clearTimeout(this.#stopTimer)
    this.#stopTimer = undefined
    this.#waiting = undefined
    Atomics.store(this.#stop, 0, 0)
    this.#worker.unref()
  }
}

function fromWorker({ message, code }: { readonly message: string; readonly code?: string }): Error {
  if (code !== undefined && code in ERRORS) return new SeraiError(code as ErrorCode, message)
  return Object.assign(new Error(message), code === undefined ? {} : { code })
}
