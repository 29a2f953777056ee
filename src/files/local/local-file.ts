/** Reading a file of the store: opened when its first bytes are wanted, and only if it still is what was stored. */
import { constants, fstatSync, readlinkSync } from 'node:fs'
import { type FileHandle, open, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { ByteReader } from '../byte-source.ts'
import type { RawFile } from '../raw-files.ts'

/** An open file. */
export interface OpenFile {
  readonly handle: FileHandle
  /** Changes with the file, also when it is put back. */
  readonly identity: string
}

/**
 * Opens a listed file, if it is still the plain file of the recorded size: links that somebody put into the folder
 * are not followed.
 * @param root folder of the files, without links in its path
 */
export async function openFile(root: string, file: RawFile): Promise<OpenFile> {
  const path = join(root, file.path)
  const handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
  try {
    // Of an open file the system knows both without looking at the disk: asking a thread takes ten times longer.
    const found = fstatSync(handle.fd, { bigint: true })
    if ((await placeOf(handle, path)) !== path || !found.isFile() || found.size !== BigInt(file.size)) {
      throw new Error(`${file.path} is not the file that was stored`)
    }
    return { handle, identity: `${found.ino}:${found.ctimeNs}` }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Where an open file really is. */
async function placeOf(handle: FileHandle, path: string): Promise<string> {
  // Linux tells it of the file itself, in one step.
  if (process.platform === 'linux') return readlinkSync(`/proc/self/fd/${handle.fd}`)
  const directory = dirname(path)
  return join(await realpath(directory), path.slice(directory.length + 1))
}

/** What {@link LocalFileReader} reads. */
export interface FileStretch {
  readonly file: RawFile
  readonly start: number
  /** First byte behind the stretch. */
  readonly end: number
  open(): Promise<OpenFile>
  /** The error for a file that has other bytes than were stored. */
  damaged(identity: string): Error
}

/** Reads a stretch of a file; a whole file is compared with its checksum. */
export class LocalFileReader implements ByteReader {
  readonly #stretch: FileStretch
  readonly #isWhole: boolean
  #opened: OpenFile | undefined
  #at: number
  #crc = 0

  constructor(stretch: FileStretch) {
    this.#stretch = stretch
    this.#at = stretch.start
    this.#isWhole = stretch.start === 0 && stretch.end === stretch.file.size
  }

  async read(buffer: Buffer): Promise<number> {
    const { end, file } = this.#stretch
    const wanted = Math.min(buffer.length, end - this.#at)
    if (wanted <= 0) return 0
    this.#opened ??= await this.#stretch.open()
    const { handle, identity } = this.#opened
    let count = 0
    while (count < wanted) {
      const { bytesRead } = await handle.read(buffer, count, wanted - count, this.#at + count)
      if (bytesRead === 0) throw this.#stretch.damaged(identity)
      count += bytesRead
    }
    this.#at += count
    if (this.#isWhole) {
      this.#crc = crc32(buffer.subarray(0, count), this.#crc)
      if (this.#at === end && this.#crc !== file.crc32) throw this.#stretch.damaged(identity)
    }
    if (this.#at === end) await this.close()
    return count
  }

  async close(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    this.#at = this.#stretch.end
    await opened?.handle.close()
  }
}
