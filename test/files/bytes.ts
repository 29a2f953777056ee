/** Reads byte sources in tests. */
import type { ByteReader, ByteSource } from '../../src/files/byte-source.ts'

/** Everything that a reader gives, through a buffer of this size; closes it. */
export async function readAll(reader: ByteReader, bufferSize = 64 * 1024): Promise<Buffer> {
  const chunks: Buffer[] = []
  const buffer = Buffer.alloc(bufferSize)
  try {
    for (;;) {
      const count = await reader.read(buffer)
      if (count === 0) return Buffer.concat(chunks)
      chunks.push(Buffer.from(buffer.subarray(0, count)))
    }
  } finally {
    await reader.close()
  }
}

/** The bytes of a source. */
export function bytesOf(source: ByteSource, bufferSize?: number): Promise<Buffer> {
  return readAll(source.reader(0, source.size), bufferSize)
}
