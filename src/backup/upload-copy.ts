/**
 * How an upload goes from one place to another: between stores, into a file of a backup, out of one. Whoever has it gives
 * its parts in the order in which a killed copy leaves nothing half visible: raw files, archives, entries, the upload last.
 */
import type { RawInput } from '../files/raw-files.ts'
import type { Entry, Upload } from '../storage/documents.ts'

/** A raw file on its way. */
export interface CopiedFile extends RawInput {
  readonly modified: Date
  /** Bytes. */
  readonly size: number
  /** SHA-256 that was recorded when the file was first stored, in hexadecimal. */
  readonly sha256: string
}

/** An archive on its way, as the archive store has it (`storage/archives.ts`). */
export interface CopiedArchive {
  readonly entryId: string
  /** Its table of contents. */
  readonly contents: Uint8Array
  /** Sizes of its blocks in bytes; the first one is number 1. */
  readonly sizes: readonly number[]
  /** The blocks in order; all are to be taken. */
  readonly blocks: AsyncIterable<Uint8Array>
}

/** An entry on its way. */
export interface CopiedEntry {
  readonly entry: Entry
  /** What {@link DocumentStore.putDefinitionIds} was told; empty for nearly all. */
  readonly definitionIds: readonly string[]
}

/** Takes one upload. Each method is called at most once, in this order; what they get is to be taken to its end. */
export interface UploadSink {
  /** Not called for an upload without raw files. One file is open at a time. */
  files(files: AsyncIterable<CopiedFile>): Promise<void>
  /** Not called for an upload without archives. */
  archives(archives: AsyncIterable<CopiedArchive>): Promise<void>
  /** Completes the upload. */
  documents(upload: Upload, entries: AsyncIterable<CopiedEntry> | Iterable<CopiedEntry>): Promise<void>
}

/** Something of an upload that could not be copied as it was stored. */
export interface CopyProblem {
  /** Absent where it is not known. */
  readonly uploadId?: string
  /** What it is: `archive of the entry …`, `file …`. */
  readonly part?: string
  readonly message: string
}
