/** Takes size and checksum of bytes that pass by. */
import { createHash } from 'node:crypto'

/** Bytes and SHA-256 of one stream. */
export class Measured {
  /** Bytes so far. */
  bytes = 0
  readonly #hash = createHash('sha256')

  /** Gives on what it gets. */
  async *through(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      this.bytes += chunk.length
      this.#hash.update(chunk)
      yield chunk
    }
  }

  /** SHA-256 in hexadecimal; once, at the end. */
  sha256(): string {
    return this.#hash.digest('hex')
  }
}
