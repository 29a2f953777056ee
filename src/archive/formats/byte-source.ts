/** Random access to the bytes of a file, wherever it is. Pure: who opens the file gives one. */

/** Some bytes that can be read anywhere. */
export interface ByteSource {
  /** Number of bytes. */
  readonly size: number
  /**
   * The bytes from one position to another (exclusive).
   * @throws Error when they cannot be read, or the source ends before
   */
  read(from: number, to: number): Promise<Buffer>
}

/** Bytes that are read at once. */
const CHUNK = 1024 * 1024

/** The bytes of a range one after the other. */
export async function* bytesOf(source: ByteSource, from: number, to: number): AsyncGenerator<Buffer> {
  for (let at = from; at < to; at += CHUNK) yield await source.read(at, Math.min(at + CHUNK, to))
}

/** Bytes in memory as a source. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    size: buffer.byteLength,
    async read(from, to) {
      if (to > buffer.byteLength) throw new Error(`there are no bytes up to ${to}`)
      return buffer.subarray(from, to)
    }
  }
}
