/**
 * The port to the raw files of uploads: one tree of files per upload, as it was uploaded. Adapter: `local/`.
 * Paths are relative to the upload, with `/`, without leading slash, NFC as given; `''` is the upload itself.
 */
import type { Readable } from 'node:stream'

/** A file. */
export interface RawFile {
  readonly path: string
  /** Bytes. */
  readonly size: number
  readonly modified: Date
  /** CRC-32 as zips have it, recorded when the file was written. */
  readonly crc32: number
  /** SHA-256 in hexadecimal, recorded when the file was written. */
  readonly sha256: string
}

/** What stands at a path. */
export type RawNode =
  | ({ readonly kind: 'file' } & RawFile)
  | { readonly kind: 'directory'; readonly path: string }

/** One file to be stored. */
export interface RawInput {
  readonly path: string
  /** Time of the file as answers and zips show it; default: now. */
  readonly modified?: Date
  /** Called when its turn comes; one file is open at a time. */
  open(): Readable
}

/** The raw files of all uploads. A path that leaves the upload is a path that does not exist. */
export interface RawFileStore {
  /** What is at the path; undefined if nothing is, or the upload has no files. */
  node(uploadId: string, path: string): Promise<RawNode | undefined>
  /** Files and directories directly in a directory, ordered by path (code units); empty if it does not exist. */
  list(uploadId: string, directory: string): Promise<RawNode[]>
  /** All files below a directory, ordered by path. */
  walk(uploadId: string, directory: string): AsyncIterable<RawFile>
  /**
   * The bytes of a file from `offset` on, `length` of them or to its end. Destroying the stream closes the file.
   * Fewer bytes than recorded are an error of the stream, never a silent end.
   * @throws SeraiError FILE_NOT_FOUND; FILE_DAMAGED when it is not what was recorded
   */
  open(
    uploadId: string,
    path: string,
    range?: { readonly offset: number; readonly length?: number }
  ): Promise<Readable>
  /**
   * Replaces all files of an upload: readers see the old tree or the new one. Killed in between, the old one stays.
   * @throws Error naming the file when a path is not acceptable or a file cannot be written
   */
  replace(uploadId: string, files: AsyncIterable<RawInput> | Iterable<RawInput>): Promise<void>
  /** Removes all files of an upload; an unknown upload is no error. */
  remove(uploadId: string): Promise<void>
  close(): Promise<void>
}
