/** Reading of zip files, wherever their bytes are. The names in them are checked: none leads out of the zip. */
import { type PassThrough, Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { crc32 } from 'node:zlib'
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl'
import { type ByteSource, bytesOf } from '../archive/formats/byte-source.ts'

/** Method of files that are in a zip as they are. */
const STORED = 0

/** A zip that is read. */
export class ZipReader {
  readonly #zip: ZipFile
  readonly #source: ByteSource
  /** Its files by their paths, without folders. */
  readonly files: ReadonlyMap<string, Entry>

  private constructor(zip: ZipFile, source: ByteSource, files: ReadonlyMap<string, Entry>) {
    this.#zip = zip
    this.#source = source
    this.files = files
  }

  /**
   * Reads the list of files.
   * @throws Error when it is no zip, is damaged, or names what is outside of it or the same twice
   */
  static async open(source: ByteSource): Promise<ZipReader> {
    const zip = await fromRandomAccessReaderPromise(new SourceReader(source), source.size, {
      autoClose: false,
      strictFileNames: true
    })
    const files = new Map<string, Entry>()
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue
      if (files.has(entry.fileName)) throw new Error(`it has ${entry.fileName} twice`)
      files.set(entry.fileName, entry)
    }
    return new ZipReader(zip, source, files)
  }

  /** The bytes of a file. The stream fails when they are not those that were put in. */
  open(path: string): Readable {
    const checked = checking(this.#entry(path))
    void this.#zip
      .openReadStreamPromise(this.#entry(path))
      .then(stream => pipeline(stream, checked))
      .catch(error => checked.destroy(error))
    return checked
  }

  /** Random access to a file; undefined when it is compressed. */
  async stored(path: string): Promise<ByteSource | undefined> {
    const entry = this.#entry(path)
    if (entry.compressionMethod !== STORED || entry.isEncrypted()) return undefined
    const { fileDataStart } = await this.#zip.readLocalFileHeaderPromise(entry, { minimal: true })
    const source = this.#source
    return {
      size: entry.uncompressedSize,
      read(from, to) {
        if (to > entry.uncompressedSize) throw new Error('it ends too early')
        return source.read(fileDataStart + from, fileDataStart + to)
      }
    }
  }

  #entry(path: string): Entry {
    const entry = this.files.get(path)
    if (!entry) throw new Error(`there is no file ${path}`)
    return entry
  }
}

class SourceReader extends RandomAccessReader {
  readonly #source: ByteSource

  constructor(source: ByteSource) {
    super()
    this.#source = source
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(bytesOf(this.#source, start, end), { objectMode: false })
  }

  override close(callback: (error: Error | null) => void): void {
    callback(null)
  }
}

/** Passes bytes on and compares their checksum at the end. */
function checking(entry: Entry): Transform | PassThrough {
  let sum = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sum = crc32(chunk, sum)
      done(null, chunk)
    },
    flush(done) {
      done(sum === entry.crc32 ? null : new Error('is damaged: its bytes do not have their checksum'))
    }
  })
}
