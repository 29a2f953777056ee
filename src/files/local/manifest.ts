/**
 * The manifest of an upload's raw files: which folder holds their bytes, and of each file its size and checksums. One
 * file beside the folder; putting a new manifest in its place is what replaces the files of an upload.
 * JSON lines: `{"raw_files": 1, "generation": …, "count": n}`, then `[path, size, crc32, sha256, modified]` for each file.
 */
import { open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { failure } from '../../errors.ts'
import { syncDirectory } from '../directory-sync.ts'
import type { RawFile } from '../raw-files.ts'
import { UploadTree } from './upload-tree.ts'

const FORMAT = 1

interface Header {
  readonly raw_files: number
  readonly generation: string
  readonly count: number
}

type Row = [path: string, size: number, crc32: number, sha256: string, modified: string]

/**
 * Reads a manifest.
 * @throws SeraiError STORE_NEWER, STORE_UNUSABLE; Error ENOENT
 */
export async function readManifest(path: string): Promise<UploadTree> {
  const lines = (await readFile(path, 'utf8')).split('\n')
  let header: Header
  let files: RawFile[]
  try {
    header = JSON.parse(lines[0] as string) as Header
    if (header.raw_files > FORMAT) {
      throw failure('STORE_NEWER', { file: path, found: header.raw_files, known: FORMAT })
    }
    files = lines
      .slice(1)
      .filter(line => line !== '')
      .map(line => {
        const [path, size, crc32, sha256, modified] = JSON.parse(line) as Row
        return { path, size, crc32, sha256, modified: new Date(modified) }
      })
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw failure('STORE_UNUSABLE', { file: path, reason: 'it is not a manifest of raw files' })
  }
  if (files.length !== header.count) {
    const reason = `it lists ${files.length} files instead of ${header.count}`
    throw failure('STORE_UNUSABLE', { file: path, reason })
  }
  return new UploadTree(header.generation, files)
}

/** Puts a manifest in the place of the old one, in one step; it is on disk when the promise resolves. */
export async function writeManifest(
  path: string,
  temporary: string,
  generation: string,
  files: readonly RawFile[]
): Promise<void> {
  const header: Header = { raw_files: FORMAT, generation, count: files.length }
  const rows = files.map((f): Row => [f.path, f.size, f.crc32, f.sha256, f.modified.toISOString()])
  const file = await open(temporary, 'wx')
  try {
    await file.writeFile([header, ...rows].map(line => `${JSON.stringify(line)}\n`).join(''))
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  await syncDirectory(dirname(path))
}
