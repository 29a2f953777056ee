/** The bytes of one file as a request asks for them: a window, decompressed on the fly (`uploads.md` §5.4). */
import { pipeline, Readable, type Transform } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { failure, SeraiError } from '../errors.ts'
import { mediaType, SNIFFED_BYTES } from './media-type.ts'
import type { RawFile, RawFileStore } from './raw-files.ts'
import { baseName } from './raw-path.ts'

/** What is wanted of a file. */
export interface ContentRequest {
  /** Bytes to skip, of the decompressed file if it is decompressed. */
  readonly offset: number
  /** Bytes to give; absent: to the end. */
  readonly length?: number
  /** Decompress `.gz` and `.xz`; other files stay as they are. */
  readonly decompress: boolean
}

/** What is given. */
export interface Content {
  readonly stream: Readable
  /** Bytes of the stream, where they are known before they are read. */
  readonly length?: number
}

/** Memory that decompressing one `.xz` may take: enough for `xz -9`. Bytes. */
const XZ_MEMORY = 128 * 1024 * 1024

const DECOMPRESSORS: Readonly<Record<string, () => Promise<Transform>>> = {
  gz: async () => createGunzip(),
  xz: async () => {
    // Loaded when it is needed: it is native code, and everything else works where it does not run.
    const { default: lzma } = await import('lzma-native')
    return lzma.createStream('autoDecoder', { memlimit: XZ_MEMORY }) as unknown as Transform
  }
}

/**
 * Opens a file. Destroying the stream closes it.
 * @throws SeraiError FILE_NOT_FOUND, FILE_DAMAGED; FILE_NOT_COMPRESSED when a file that is to be decompressed is no such
 * file, told by its beginning; later faults are errors of the stream
 */
export async function openContent(
  files: RawFileStore,
  uploadId: string,
  file: RawFile,
  { offset, length, decompress }: ContentRequest
): Promise<Content> {
  const format = decompress ? /\.(gz|xz)$/i.exec(file.path)?.[1]?.toLowerCase() : undefined
  if (format === undefined) {
    const stream = await files.open(uploadId, file.path, {
      offset,
      ...(length === undefined ? {} : { length })
    })
    const rest = Math.max(file.size - offset, 0)
    return { stream, length: length === undefined ? rest : Math.min(rest, length) }
  }
  const decompressor = await (DECOMPRESSORS[format] as () => Promise<Transform>)()
  const source = await files.open(uploadId, file.path)
  // The error that the callback would get comes by the stream, too.
  const plain = pipeline(source, decompressor, () => {}) as Transform
  const window = Readable.from(byteWindow(plain, offset, length), { objectMode: false })
  // The generator's own end is not enough: it does not run if nobody ever reads.
  window.once('close', () => plain.destroy())
  return { stream: await begun(window, format) }
}

/** The media type of a file, by its stored bytes. */
export async function contentType(files: RawFileStore, uploadId: string, file: RawFile): Promise<string> {
  const chunks: Buffer[] = []
  const start = await files.open(uploadId, file.path, { offset: 0, length: SNIFFED_BYTES })
  for await (const chunk of start) chunks.push(chunk as Buffer)
  return mediaType(Buffer.concat(chunks), baseName(file.path))
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
