/**
 * The way of searches to Elasticsearch: kept HTTP connections, texts in and out. Searches are most of what a server does, and
 * the official client costs several times what the connection itself does; it serves for all else.
 */
import { type Dispatcher, errors, Pool } from 'undici'
import { failure } from '../../errors.ts'

/** Where Elasticsearch is and how long it may take. */
export interface ConnectionOptions {
  /** May hold user, password and a path. */
  readonly url: string
  /** Milliseconds until an answer has to begin, and between its parts. */
  readonly timeout: number
  /** Requests under way at most, others wait for their turn; default 128. */
  readonly connections?: number
}

/** What Elasticsearch answered. */
export interface Answer {
  readonly status: number
  readonly text: string
}

/** Milliseconds until a connection has to stand. */
const CONNECT_TIMEOUT = 5000

/** Milliseconds that a connection is kept without use. */
const IDLE = 60_000

/** Media types of bodies. */
export const JSON_TYPE = 'application/json'
export const NDJSON_TYPE = 'application/x-ndjson'

/** Connections to one address. */
export class Connection {
  readonly #pool: Pool
  readonly #path: string
  readonly #authorization: Readonly<Record<string, string>>

  constructor({ url, timeout, connections = 128 }: ConnectionOptions) {
    const { origin, pathname, username, password } = new URL(url)
    this.#pool = new Pool(origin, {
      connections,
      pipelining: 1,
      headersTimeout: timeout,
      bodyTimeout: timeout,
      keepAliveTimeout: IDLE,
      keepAliveMaxTimeout: IDLE,
      connect: { timeout: CONNECT_TIMEOUT }
    })
    this.#path = pathname.replace(/\/+$/, '')
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    this.#authorization = username
      ? { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
      : {}
  }

  /**
   * Sends a body and gives the whole answer, whatever its status.
   * @param path what to ask, such as `/entries/_search`
   * @param signal ends the connection, which makes Elasticsearch stop a search
   * @throws SeraiError STORE_UNAVAILABLE, SEARCH_TIMEOUT; the signal's reason when that is given
   */
  post(path: string, type: string, body: string, signal?: AbortSignal): Promise<Answer> {
    const headers = { 'content-type': type, ...this.#authorization }
    return this.#send({ path: this.#path + path, method: 'POST', headers, body }, signal)
  }

  /** Asks without a body. @throws as {@link post} */
  get(path: string, signal?: AbortSignal): Promise<Answer> {
    return this.#send({ path: this.#path + path, method: 'GET', headers: { ...this.#authorization } }, signal)
  }

  async #send(options: Dispatcher.DispatchOptions, signal: AbortSignal | undefined): Promise<Answer> {
    try {
      return await this.#ask(options, signal)
    } catch (error) {
      signal?.throwIfAborted()
      if (!isStale(error)) throw connectionFailure(error)
    }
    // Elasticsearch, or something before it, had closed a connection that was not used for a while.
    try {
      return await this.#ask(options, signal)
    } catch (error) {
      signal?.throwIfAborted()
      throw connectionFailure(error)
    }
  }

  #ask(options: Dispatcher.DispatchOptions, signal: AbortSignal | undefined): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#pool.dispatch(options, new AnswerReader(resolve, reject, signal))
    })
  }

  /** Breaks off what is under way. */
  close(): Promise<void> {
    return this.#pool.destroy()
  }
}

/** Collects one answer. */
class AnswerReader implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: Answer) => void
  readonly #reject: (error: unknown) => void
  readonly #signal: AbortSignal | undefined
  readonly #parts: Buffer[] = []
  #controller: Dispatcher.DispatchController | undefined
  #status = 0

  constructor(
    resolve: (answer: Answer) => void,
    reject: (error: unknown) => void,
    signal: AbortSignal | undefined
  ) {
    this.#resolve = resolve
    this.#reject = reject
    this.#signal = signal
    signal?.addEventListener('abort', this.#abort)
  }

  /** Also while the request still waits for a connection. */
  readonly #abort = () => {
    this.#controller?.abort(this.#signal?.reason)
    this.#end()
    this.#reject(this.#signal?.reason)
  }

  #end(): void {
    this.#signal?.removeEventListener('abort', this.#abort)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#signal?.aborted) controller.abort(this.#signal.reason)
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status
  }

  onResponseData(_controller: Dispatcher.DispatchController, part: Buffer): void {
    this.#parts.push(part)
  }

  onResponseEnd(): void {
    this.#end()
    const [first, ...others] = this.#parts
    const whole = first && others.length === 0 ? first : Buffer.concat(this.#parts)
    this.#resolve({ status: this.#status, text: whole.toString() })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end()
    this.#reject(error)
  }
}

function isStale(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return error instanceof errors.SocketError || code === 'ECONNRESET' || code === 'EPIPE'
}

/** What went wrong on the way, with the original error as its cause. */
function connectionFailure(error: unknown): Error {
  const late = error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError
  const told = late ? failure('SEARCH_TIMEOUT') : failure('STORE_UNAVAILABLE', { store: 'search' })
  told.cause = error
  return told
}
