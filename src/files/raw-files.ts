/**
 * The port to the raw files of uploads: one tree of files per upload, as it was uploaded. Adapter: `local/`.
 * Paths are relative to the upload, with `/`, without leading slash, NFC as given; `''` is the upload itself.
 */
import type { Readable } from 'node:stream'
import type { ByteReader } from './byte-source.ts'

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

/** The files of an upload as they were when it was asked for; replacing them does not change it. */
export interface RawTree {
  /** What is at the path. */
  node(path: string): RawNode | undefined
  /** What is directly in a directory, ordered by path (code units); empty if it does not exist. */
  list(directory: string): readonly RawNode[]
  /** All files below a directory, ordered by path. */
  walk(directory: string): Iterable<RawFile>
}

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
  /** All that is known of an upload's files; undefined if it has none. */
  tree(uploadId: string): Promise<RawTree | undefined>
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
   * The bytes of a file from `start` up to, not including, `end`. A file that is read as a whole is compared with its
   * checksum before its last bytes are given; one that failed is refused from then on.
   * Reading throws SeraiError FILE_NOT_FOUND, FILE_DAMAGED, and FILE_REPLACED when it is not the same file any more.
   * @param file as this store told it
   */
  reader(uploadId: string, file: RawFile, start: number, end: number): ByteReader
  /**
   * Replaces all files of an upload: readers see the old tree or the new one. Killed in between, the old one stays.
   * @throws Error naming the file when a path is not acceptable or a file cannot be written
   */
  replace(uploadId: string, files: AsyncIterable<RawInput> | Iterable<RawInput>): Promise<void>
  /** Removes all files of an upload; an unknown upload is no error. */
  remove(uploadId: string): Promise<void>
  /**
   * Asks for a sign of life.
   * @param limit milliseconds
   * @throws Error when the store does not answer within them, or cannot be used
   */
  ping(limit: number): Promise<void>
  close(): Promise<void>
}
