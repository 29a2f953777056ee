/** The files of one upload as the reference keeps or exports it: a folder, or a zip of one. */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { type FileHandle, mkdtemp, open, readdir, realpath, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ByteSource } from '../../archive/formats/byte-source.ts'
import { ZipReader } from '../../files/zip-reader.ts'
import { BadFile } from '../import-problem.ts'
import { fileFault } from '../upload-files.ts'

/** A tree of files; paths have `/`. */
export interface FileTree {
  /** Size of every file. */
  readonly sizes: ReadonlyMap<string, number>
  /** The bytes of a file. */
  open(path: string): Readable
  /**
   * Random access to a file, until it or the tree is closed.
   * @throws BadFile
   */
  source(path: string): Promise<OpenSource>
  /**
   * Changes when the bytes of the file do.
   * @throws BadFile
   */
  checksum(path: string): Promise<string>
  close(): Promise<void>
}

/** A source that has to be closed. */
export interface OpenSource extends ByteSource {
  close(): Promise<void>
}

/** A file on disk. */
export class FileSource implements OpenSource {
  readonly #handle: FileHandle
  readonly size: number

  private constructor(handle: FileHandle, size: number) {
    this.#handle = handle
    this.size = size
  }

  static async open(path: string): Promise<FileSource> {
    const handle = await open(path)
    return new FileSource(handle, (await handle.stat()).size)
  }

  async read(from: number, to: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(to - from)
    let filled = 0
    while (filled < buffer.length) {
      const { bytesRead } = await this.#handle.read(buffer, filled, buffer.length - filled, from + filled)
      if (bytesRead === 0) throw new Error('is damaged: it ends too early')
      filled += bytesRead
    }
    return buffer
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** A folder on disk. Links may not lead out of it. */
export class FolderTree implements FileTree {
  readonly #path: string
  readonly #opened = new Set<FileSource>()
  readonly sizes: ReadonlyMap<string, number>

  private constructor(path: string, sizes: ReadonlyMap<string, number>) {
    this.#path = path
    this.sizes = sizes
  }

  static async open(path: string): Promise<FolderTree> {
    const root = await realpath(path)
    const sizes = new Map<string, number>()
    for (const item of await readdir(root, { recursive: true, withFileTypes: true })) {
      const file = join(item.parentPath, item.name)
      const name = relative(root, file).split(sep).join('/')
      if (!item.isFile() && !item.isSymbolicLink()) continue
      const target = await realpath(file).catch(() => undefined)
      if (!target?.startsWith(root + sep)) throw new BadFile(name, 'is a link that leaves the upload')
      const found = await stat(target)
      if (found.isFile()) sizes.set(name, found.size)
    }
    return new FolderTree(root, sizes)
  }

  open(path: string): Readable {
    return createReadStream(join(this.#path, path))
  }

  async source(path: string): Promise<OpenSource> {
    try {
      const source = await FileSource.open(join(this.#path, path))
      this.#opened.add(source)
      return {
        size: source.size,
        read: (from, to) => source.read(from, to),
        close: () => {
          this.#opened.delete(source)
          return source.close()
        }
      }
    } catch (error) {
      throw new BadFile(path, fileFault(error))
    }
  }

  async checksum(path: string): Promise<string> {
    const hash = createHash('sha256')
    try {
      await pipeline(this.open(path), hash)
    } catch (error) {
      throw new BadFile(path, fileFault(error))
    }
    return hash.digest('hex')
  }

  async close(): Promise<void> {
    await Promise.all([...this.#opened].map(source => source.close()))
    this.#opened.clear()
  }
}

/** A zip file. What is compressed in it and needs random access is unpacked to a folder of its own for that time. */
export class ZipTree implements FileTree {
  readonly #file: FileSource
  readonly #zip: ZipReader
  readonly #opened: FileSource[] = []
  #folder: string | undefined
  readonly sizes: ReadonlyMap<string, number>

  private constructor(file: FileSource, zip: ZipReader) {
    this.#file = file
    this.#zip = zip
    this.sizes = new Map([...zip.files].map(([path, entry]) => [path, entry.uncompressedSize]))
  }

  /** @throws Error when it is no zip */
  static async open(path: string): Promise<ZipTree> {
    const file = await FileSource.open(path)
    try {
      return new ZipTree(file, await ZipReader.open(file))
    } catch (error) {
      await file.close()
      throw error
    }
  }

  open(path: string): Readable {
    return this.#zip.open(path)
  }

  async source(path: string): Promise<OpenSource> {
    try {
      const source = (await this.#zip.stored(path)) ?? (await this.#unpacked(path))
      return { size: source.size, read: (from, to) => source.read(from, to), close: async () => {} }
    } catch (error) {
      throw new BadFile(path, fileFault(error))
    }
  }

  async checksum(path: string): Promise<string> {
    const { crc32, uncompressedSize } = this.#zip.files.get(path)!
    return `${crc32}-${uncompressedSize}`
  }

  async close(): Promise<void> {
    await Promise.all([this.#file, ...this.#opened.splice(0)].map(source => source.close()))
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true })
  }

  async #unpacked(path: string): Promise<ByteSource> {
    this.#folder ??= await mkdtemp(join(tmpdir(), 'serai-import-'))
    const file = join(this.#folder, String(this.#opened.length))
    await pipeline(this.open(path), createWriteStream(file))
    const source = await FileSource.open(file)
    this.#opened.push(source)
    return source
  }
}
