/** Decompression of single files while they are read, by the ending of their names (`uploads.md` §5.4). */
import { pipeline, Readable, type Transform } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { bunzip } from './bunzip.ts'
import { unzstd } from './zstd.ts'

/** Formats that take much memory, or a thread, for each file. */
const HEAVY = new Set(['xz', 'bz2', 'zst'])

/** Heavy decompressions at a time; others wait. */
const HEAVY_MAX = 8

/** Memory that decompressing one `.xz` may take: enough for `xz -9`. Bytes. */
const XZ_MEMORY = 128 * 1024 * 1024

const DECOMPRESSORS: Readonly<Record<string, (source: Readable) => Promise<Readable>>> = {
  gz: async source => through(source, createGunzip()),
  xz: async source => {
    // Loaded when it is needed: it is native code, and everything else works where it does not run.
    const { default: lzma } = await import('lzma-native')
    const engine = lzma.createStream('autoDecoder', { memlimit: XZ_MEMORY }) as unknown as Transform
    return through(source, engine)
  },
  bz2: async source => Readable.from(bunzip(source), { objectMode: false }),
  zst: async source => Readable.from(unzstd(source), { objectMode: false })
}

/** What comes out of the engine; its errors and those of its source come by it too. */
function through(source: Readable, engine: Transform): Readable {
  return pipeline(source, engine, () => {})
}

/** The format of a compressed file by its name, `gz`, `xz`, `bz2` or `zst`; undefined for others. */
export function compressionOf(path: string): string | undefined {
  return /\.(gz|xz|bz2|zst)$/i.exec(path)?.[1]?.toLowerCase()
}

/** Decompresses files; heavy ones only so many at a time. */
export class Decompression {
  #heavy = 0
  readonly #waiting = new Set<() => void>()

  /**
   * The decompressed bytes; destroying them closes the file. Formats of which only so many are decompressed at a time wait
   * for their turn, holding nothing.
   * @param open opens the file
   * @param signal ends the wait
   * @throws the reason of the signal, and what `open` throws; what is wrong with the bytes is an error of the stream
   */
  async open(format: string, open: () => Promise<Readable>, signal?: AbortSignal): Promise<Readable> {
    const isHeavy = HEAVY.has(format)
    if (isHeavy) await this.#turn(signal)
    try {
      const source = await open()
      const make = DECOMPRESSORS[format] as (source: Readable) => Promise<Readable>
      const plain = await make(source)
      plain.once('close', () => {
        source.destroy()
        if (isHeavy) this.#leave()
      })
      return plain
    } catch (error) {
      if (isHeavy) this.#leave()
      throw error
    }
  }

  async #turn(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    if (this.#heavy < HEAVY_MAX) {
      this.#heavy++
      return
    }
    await new Promise<void>((resolve, reject) => {
      const abort = () => {
        this.#waiting.delete(go)
        reject(signal?.reason)
      }
      const go = () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      signal?.addEventListener('abort', abort)
      this.#waiting.add(go)
    })
  }

  #leave(): void {
    const [next] = this.#waiting
    if (!next) this.#heavy--
    else {
      this.#waiting.delete(next)
      next()
    }
  }
}
