/** Where an import takes the contents of uploads from: folders and zips of several layouts. */
import type { Hash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { type ArchiveParts, UnusableArchive } from '../archive/parts.ts'
import type { RawFileRecord } from './corpus-records.ts'
import { BadFile } from './import-problem.ts'

/** An archive that can be read. */
export interface ArchiveInput {
  /** Name for problems: path inside what is imported. */
  readonly file: string
  /** Changes when the archive does. */
  checksum(): Promise<string>
  /** @throws BadFile when it cannot be read, or is no archive */
  parts(): ArchiveParts
}

/** The files of uploads. */
export interface UploadFiles {
  /** Name of the file in which uploads and entries are described, for problems. */
  readonly list: string
  /** Without raw files, entries may have mainfiles that are not there. */
  readonly hasRaw: boolean
  /**
   * Sees that a raw file can be imported.
   * @param hash gets what changes when its bytes do
   * @throws BadFile when it leaves the upload, is missing, or is not as it is listed
   */
  checkRaw(uploadId: string, file: RawFileRecord, hash: Hash): Promise<void>
  /** The true bytes of a raw file. */
  openRaw(uploadId: string, file: RawFileRecord): Readable
  /**
   * An entry's archive; undefined when there is none.
   * @throws BadFile when there is none and it is required
   */
  archive(uploadId: string, entryId: string, required: boolean): Promise<ArchiveInput | undefined>
}

/** Parts whose errors are those of a file. */
export async function* partsOfFile(file: string, parts: () => ArchiveParts): ArchiveParts {
  try {
    yield* parts()
  } catch (error) {
    if (error instanceof BadFile) throw error
    throw new BadFile(file, error instanceof UnusableArchive ? error.message : fileFault(error))
  }
}

/** What is wrong with a file that could not be read, in a few words that continue a sentence. */
export function fileFault(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  const known: Record<string, string> = {
    ENOENT: 'is missing',
    EACCES: 'may not be read',
    EISDIR: 'is a folder',
    Z_DATA_ERROR: 'is damaged: it cannot be unpacked',
    Z_BUF_ERROR: 'is damaged: it ends too early'
  }
  return known[code ?? ''] ?? message
}
