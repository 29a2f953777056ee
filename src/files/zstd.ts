/** Decompression of `.zst`: frames one after the other, as tools write them that append or work in parallel. */
import { constants, createZstdDecompress, type ZstdDecompress } from 'node:zlib'

/** Largest window, as a power of two: what `zstd` makes and takes without being told to use more. */
const WINDOW_LOG = 27

/**
 * The decompressed bytes.
 * @throws Error when the bytes are not of this format or end too early
 */
export async function* unzstd(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const input = source[Symbol.asyncIterator]()
  try {
    let rest: Buffer | undefined = (await input.next()).value ?? Buffer.alloc(0)
    while (rest !== undefined) {
      // An engine stops at the end of a frame when more bytes come behind it in the same piece.
      const engine = createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG } })
      const feeding = feed(engine, rest, input)
      feeding.catch(error => engine.destroy(error as Error))
      try {
        yield* engine
      } finally {
        engine.destroy()
      }
      rest = await feeding
    }
  } finally {
    await input.return?.()
  }
}

/** Gives the engine its input; resolves with what it has not taken when it stops, or undefined after the last byte. */
async function feed(
  engine: ZstdDecompress,
  first: Buffer,
  input: AsyncIterator<Buffer>
): Promise<Buffer | undefined> {
  const stopped = new Promise<void>((resolve, reject) => {
    engine.once('end', () => resolve())
    engine.once('error', reject)
    engine.once('close', () => reject(new Error('nobody reads on')))
  })
  // It is waited for only where it matters.
  stopped.catch(() => {})
  for (let chunk = first; ; ) {
    const before = engine.bytesWritten
    const written = new Promise<void>(resolve => engine.write(chunk, () => resolve()))
    await Promise.race([written, stopped])
    const rest = chunk.subarray(engine.bytesWritten - before)
    if (rest.length > 0) {
      await stopped
      return rest
    }
    const { done, value } = await input.next()
    if (done) break
    chunk = value
  }
  engine.end()
  await stopped
  return undefined
}
