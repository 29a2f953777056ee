/**
 * Known strings of bytes (a file, a zip, a part of one) and how they are read: from front to back into buffers that
 * belong to the reader's owner, so that a download needs two buffers however long it is.
 */

/** Reads one stretch of bytes once. Calls do not overlap. */
export interface ByteReader {
  /**
   * Fills the buffer from its beginning. Gives the number of bytes: all that fit, less only at the end of the stretch, then 0.
   * Nothing is opened before the first call.
   */
  read(buffer: Buffer): Promise<number>
  /** Releases what is open; any number of times. No `read` may be running. */
  close(): Promise<void>
}

/** A string of bytes of which any stretch can be read. */
export interface ByteSource {
  /** Bytes. */
  readonly size: number
  /** The bytes from `start` up to, not including, `end`; both within the size. */
  reader(start: number, end: number): ByteReader
}

/** Bytes in memory. */
export function bytesReader(bytes: Uint8Array): ByteReader {
  let at = 0
  return {
    read: async buffer => {
      const count = Math.min(buffer.length, bytes.length - at)
      buffer.set(bytes.subarray(at, at + count))
      at += count
      return count
    },
    close: async () => {}
  }
}

/** Several readers one after the other; one is open at a time. */
export function joinedReader(readers: Iterable<ByteReader>): ByteReader {
  const rest = readers[Symbol.iterator]()
  let current: ByteReader | undefined
  return {
    read: async buffer => {
      let filled = 0
      while (filled < buffer.length) {
        current ??= rest.next().value
        if (!current) break
        const count = await current.read(filled === 0 ? buffer : buffer.subarray(filled))
        filled += count
        if (filled < buffer.length) {
          await current.close()
          current = undefined
        }
      }
      return filled
    },
    close: async () => {
      rest.return?.()
      await current?.close()
    }
  }
}

/** A stretch of a source as a source of its own. */
export function sliceOf(source: ByteSource, start: number, end: number): ByteSource {
  return {
    size: end - start,
    reader: (from, to) => source.reader(start + from, start + to)
  }
}
