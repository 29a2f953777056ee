/** Writes the files of an upload into a new folder and takes their checksums on the way. */
import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { syncDirectory } from '../directory-sync.ts'
import type { RawFile, RawInput } from '../raw-files.ts'
import { directoryOf, isFilePath } from '../raw-path.ts'

/** How many written files may be on their way to the disk at a time. */
const SYNCING = 16

/**
 * Writes all files; when the promise resolves they are on disk, names included.
 * @param root a folder that exists and is empty
 * @throws Error naming the file that cannot be stored
 */
export async function writeTree(
  root: string,
  files: AsyncIterable<RawInput> | Iterable<RawInput>
): Promise<RawFile[]> {
  const written: RawFile[] = []
  const directories = new Set<string>([''])
  const syncing = new Set<Promise<void>>()
  let broken: unknown
  try {
    for await (const input of files) {
      try {
        if (!isFilePath(input.path)) throw new Error('the path is not one inside an upload')
        await makeDirectory(root, directoryOf(input.path), directories)
        const { handle, file } = await writeFile(root, input)
        const sync = toDisk(handle)
          .catch(error => {
            broken ??= named(input.path, error)
          })
          .finally(() => syncing.delete(sync))
        syncing.add(sync)
        written.push(file)
      } catch (error) {
        throw named(input.path, error)
      }
      if (syncing.size >= SYNCING) await Promise.race(syncing)
      if (broken !== undefined) throw broken
    }
  } finally {
    await Promise.all(syncing)
  }
  if (broken !== undefined) throw broken
  for (const directory of directories) await syncDirectory(join(root, directory))
  return written
}

function named(path: string, error: unknown): Error {
  const code = (error as NodeJS.ErrnoException).code
  const reason =
    code === 'EEXIST' || code === 'EISDIR' || code === 'ENOTDIR'
      ? 'another file or directory of the upload has this name'
      : (error as Error).message
  return new Error(`The raw file ${JSON.stringify(path)} cannot be stored: ${reason}`, { cause: error })
}

async function makeDirectory(root: string, path: string, made: Set<string>): Promise<void> {
  if (made.has(path)) return
  await makeDirectory(root, directoryOf(path), made)
  await mkdir(join(root, path))
  made.add(path)
}

async function writeFile(root: string, input: RawInput): Promise<{ handle: FileHandle; file: RawFile }> {
  // `wx`: the same path twice is an error, also where the file system ignores case.
  const handle = await open(join(root, input.path), 'wx')
  try {
    const hash = createHash('sha256')
    let crc = 0
    let size = 0
    for await (const chunk of input.open()) {
      const bytes = chunk as Buffer
      hash.update(bytes)
      crc = crc32(bytes, crc)
      size += bytes.length
      await handle.writeFile(bytes)
    }
    // Whole milliseconds: the manifest holds no more.
    const modified = new Date(input.modified ?? Date.now())
    await handle.utimes(modified, modified)
    return { handle, file: { path: input.path, size, crc32: crc, sha256: hash.digest('hex'), modified } }
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function toDisk(handle: FileHandle): Promise<void> {
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
