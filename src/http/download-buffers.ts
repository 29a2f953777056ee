/** The buffers of running downloads: large ones while there are few downloads, small ones beyond, so that memory stays small. */

/** Bytes of a buffer; larger ones do not fit into the processor's cache. */
const LARGE = 512 * 1024
const SMALL = 128 * 1024

/** Large buffers at a time: half of them for as many downloads. */
const LARGE_MAX = 128

/** Large buffers that are kept for the next downloads. */
const KEPT_MAX = 16

/** One for each server. */
export class DownloadBuffers {
  #large = 0
  readonly #free: Buffer[] = []

  /**
   * A buffer with anything in it.
   * @param bytes more are not needed
   */
  take(bytes: number): Buffer {
    if (bytes <= SMALL || this.#large >= LARGE_MAX) return Buffer.allocUnsafeSlow(Math.min(bytes, SMALL))
    this.#large++
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(LARGE)
  }

  /**
   * Gives a buffer back.
   * @param isUnused false where the system may still read from it or write to it
   */
  giveBack(buffer: Buffer, isUnused: boolean): void {
    if (buffer.length !== LARGE) return
    this.#large--
    if (isUnused && this.#free.length < KEPT_MAX) this.#free.push(buffer)
  }
}
