/** Questions and answers between a primary process and one of its workers, over the channel that Node gives them. */
import type { Serializable } from 'node:child_process'

/** One end: `process` in a worker, the worker in its primary. */
interface End {
  send?(message: Serializable, done?: (error: Error | null) => void): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
  on(event: 'disconnect', listener: () => void): unknown
}

/** What goes over the channel; `id` is that of a question which wants an answer. */
type Message =
  | { readonly serai: 'tell'; readonly kind: string; readonly value: unknown; readonly id?: number }
  | { readonly serai: 'answer'; readonly id: number; readonly value: unknown; readonly error?: string }

type Handler = (value: never) => unknown

/** One end of a channel. */
export class Channel {
  readonly #end: End
  readonly #handlers = new Map<string, Handler>()
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  #lastId = 0

  constructor(end: End) {
    this.#end = end
    end.on('message', message => {
      if (isMessage(message)) void this.#take(message)
    })
    end.on('disconnect', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the other process is gone'))
      this.#waiting.clear()
    })
  }

  /** Answers questions of a kind, or takes note of what is told; without handler they stay unanswered. */
  on<T>(kind: string, handler: (value: T) => unknown): void {
    this.#handlers.set(kind, handler as Handler)
  }

  /** Tells something; what the other process does about it is not known. */
  tell(kind: string, value?: unknown): void {
    this.#send({ serai: 'tell', kind, value })
  }

  /**
   * Asks a question.
   * @throws Error what the handler threw, or that the other process is gone
   */
  ask<T>(kind: string, value?: unknown): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const id = ++this.#lastId
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.#send({ serai: 'tell', kind, value, id })
    })
  }

  async #take(message: Message): Promise<void> {
    if (message.serai === 'answer') {
      const waiting = this.#waiting.get(message.id)
      this.#waiting.delete(message.id)
      if (message.error !== undefined) waiting?.reject(new Error(message.error))
      else waiting?.resolve(message.value)
      return
    }
    const { kind, value, id } = message
    const handler = this.#handlers.get(kind)
    if (!handler) return
    try {
      const answer = await handler(value as never)
      if (id !== undefined) this.#send({ serai: 'answer', id, value: answer })
    } catch (error) {
      if (id !== undefined)
        this.#send({ serai: 'answer', id, value: undefined, error: (error as Error).message })
    }
  }

  #send(message: Message): void {
    // That the other process is gone is told by `disconnect`.
    this.#end.send?.(message as unknown as Serializable, () => {})
  }
}

function isMessage(message: unknown): message is Message {
  return typeof message === 'object' && message !== null && 'serai' in message
}
