/** A request from its first byte to the end of its answer: what the log and the metrics tell of it. */
import type { Socket } from 'node:net'

/** One request under way. */
export class ActiveRequest {
  readonly #socket: Pick<Socket, 'bytesWritten'>
  readonly #begin: number
  #taken: number

  constructor(socket: Pick<Socket, 'bytesWritten'>) {
    this.#socket = socket
    // Injected requests have a socket that counts nothing.
    this.#begin = socket.bytesWritten ?? 0
    this.#taken = this.#begin
  }

  /** Milliseconds from the request to the first byte of its answer, once that is sent. */
  answeredAfter: number | undefined

  /** Whether its line is written. */
  isOver = false

  /** Code of the error that it is answered with (`errors.ts`). */
  failure: string | undefined

  /** Bytes of the answer so far, its head included. */
  get bytes(): number {
    return (this.#socket.bytesWritten ?? 0) - this.#begin
  }

  /** Bytes since the last call. */
  takeBytes(): number {
    const now = this.#socket.bytesWritten ?? 0
    const bytes = now - this.#taken
    this.#taken = now
    return bytes
  }
}
