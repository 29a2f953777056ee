/** The bytes of one file as a request asks for them: a window, decompressed on the fly (`uploads.md` §5.4). */
import { Readable } from 'node:stream'
import { failure, SeraiError } from '../errors.ts'
import { type ByteSource, sliceOf } from './byte-source.ts'
import { compressionOf, type Decompression } from './decompression.ts'
import { mediaType, SNIFFED_BYTES } from './media-type.ts'
import type { RawFile, RawFileStore } from './raw-files.ts'
import { baseName } from './raw-path.ts'

/** Bytes that are wanted of a file. */
export interface Window {
  /** Bytes to skip, of the decompressed file if it is decompressed. */
  readonly offset: number
  /** Bytes to give; absent: to the end. */
  readonly length?: number
}

/** A file of the store as bytes, or a window of it; what is beyond its end is left out. */
export function fileSource(
  files: RawFileStore,
  uploadId: string,
  file: RawFile,
  { offset, length = Number.POSITIVE_INFINITY }: Window = { offset: 0 }
): ByteSource {
  const { size } = file
  const whole = { size, reader: (start: number, end: number) => files.reader(uploadId, file, start, end) }
  if (offset === 0 && length >= size) return whole
  const start = Math.min(offset, size)
  return sliceOf(whole, start, Math.min(start + length, size))
}

/**
 * The bytes of a compressed file decompressed, or a window of them. Destroying the stream closes the file.
 * @param file one whose name tells its format; see {@link compressionOf}
 * @param signal ends the wait for other files that are decompressed
 * @throws SeraiError FILE_NOT_FOUND, FILE_DAMAGED; FILE_NOT_COMPRESSED when it is no such file, told by its beginning; later
 *   faults are errors of the stream
 */
export async function openDecompressed(
  files: RawFileStore,
  decompression: Decompression,
  uploadId: string,
  file: RawFile,
  { offset, length }: Window,
  signal?: AbortSignal
): Promise<Readable> {
  const format = compressionOf(file.path) as string
  const plain = await decompression.open(format, () => files.open(uploadId, file.path), signal)
  // An error before the first reader came would end the process; the window tells it.
  plain.on('error', () => {})
  const window = Readable.from(byteWindow(plain, offset, length), { objectMode: false })
  // The generator's own end is not enough: it does not run if nobody ever reads.
  window.once('close', () => plain.destroy())
  return begun(window, format)
}

/** The media type of a file, by its stored bytes. */
export async function contentType(files: RawFileStore, uploadId: string, file: RawFile): Promise<string> {
  const reader = files.reader(uploadId, file, 0, Math.min(file.size, SNIFFED_BYTES))
  const start = Buffer.alloc(SNIFFED_BYTES)
  try {
    const count = await reader.read(start)
    return await mediaType(start.subarray(0, count), baseName(file.path))
  } finally {
    await reader.close()
  }
}

async function* byteWindow(
  source: AsyncIterable<Buffer>,
  offset: number,
  length = Number.POSITIVE_INFINITY
): AsyncGenerator<Buffer> {
  let skip = offset
  let left = length
  if (left === 0) return
  for await (const chunk of source) {
    const part = chunk.subarray(skip, Math.min(chunk.length, skip + left))
    skip = Math.max(skip - chunk.length, 0)
    left -= part.length
    if (part.length > 0) yield part
    if (left === 0) return
  }
}

/** Waits for the first bytes, so that a file that is damaged from its beginning is a clean error. */
async function begun(stream: Readable, format: string): Promise<Readable> {
  await new Promise<void>((resolve, reject) => {
    const settle = (error?: Error | null) => {
      stream.off('readable', settle).off('end', settle).off('error', settle)
      if (!error) return resolve()
      reject(error instanceof SeraiError ? error : failure('FILE_NOT_COMPRESSED', { format: `.${format}` }))
    }
    stream.once('readable', settle).once('end', settle).once('error', settle)
  })
  return stream
}
