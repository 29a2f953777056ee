/**
 * Zips of stored (not compressed) files: strings of bytes that are known before a file is opened, so that a download has a
 * length and can be gone on with after it was cut. Layout: `zip-layout.ts`.
 */
import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { failure } from '../errors.ts'
import { type ByteReader, type ByteSource, bytesReader, joinedReader } from './byte-source.ts'
import type { RawFile, RawFileStore } from './raw-files.ts'
import { memberName, type ZipMember } from './zip.ts'
import { type LayoutMember, ZipLayout } from './zip-layout.ts'

/** A member of a zip: a raw file, or bytes that are made for it. */
export type StoredMember = LayoutMember &
  ({ readonly uploadId: string; readonly file: RawFile } | { readonly bytes: Buffer })

/** Stands in every fingerprint; to be changed when the same members give other bytes. */
const FORMAT = 'zip layout 1'

/** Members that are looked at before other work gets its turn. */
const TURN = 2000

/** A raw file as a member. */
export function fileMember(uploadId: string, file: RawFile, name: string): StoredMember {
  const { size, modified } = file
  return { name: memberName(name), size, crc32: file.crc32, modified, uploadId, file }
}

/** Bytes as a member. */
export function bytesMember(bytes: Buffer, name: string, modified: Date): StoredMember {
  return { name: memberName(name), size: bytes.length, crc32: crc32(bytes), modified, bytes }
}

/** The same members for a zip that is made as a stream. */
export async function* streamedMembers(
  files: RawFileStore,
  batches: AsyncIterable<readonly StoredMember[]>
): AsyncGenerator<ZipMember> {
  for await (const batch of batches) {
    for (const member of batch) {
      const { name, modified } = member
      const open =
        'bytes' in member ? () => member.bytes : () => files.open(member.uploadId, member.file.path)
      yield { name, modified, open }
    }
  }
}

/** A zip of stored members. */
export class StoredZip implements ByteSource {
  readonly size: number
  /** Differs for zips that differ in a byte; made of names, sizes, checksums, times and order of the members. */
  readonly fingerprint: string
  readonly #files: RawFileStore
  readonly #members: readonly StoredMember[]
  readonly #layout: ZipLayout

  constructor(files: RawFileStore, members: readonly StoredMember[], fingerprint: string) {
    this.#files = files
    this.#members = members
    this.#layout = new ZipLayout(members)
    this.size = this.#layout.size
    this.fingerprint = fingerprint
  }

  reader(start: number, end: number): ByteReader {
    return joinedReader(this.#readers(start, end))
  }

  *#readers(start: number, end: number): Generator<ByteReader> {
    for (const piece of this.#layout.pieces(start, end)) {
      if (piece.kind === 'bytes') {
        yield bytesReader(piece.bytes)
        continue
      }
      const member = this.#members[piece.index] as StoredMember
      yield 'bytes' in member
        ? bytesReader(member.bytes.subarray(piece.start, piece.end))
        : this.#files.reader(member.uploadId, member.file, piece.start, piece.end)
    }
  }
}

/**
 * The zip of the members in their order, from what is known of them: no file is opened.
 * @throws SeraiError DOWNLOAD_FILES_LIMIT
 */
export async function storedZip(
  files: RawFileStore,
  batches: AsyncIterable<readonly StoredMember[]>,
  limit = Number.POSITIVE_INFINITY
): Promise<StoredZip> {
  const members: StoredMember[] = []
  const hash = createHash('sha256').update(`${FORMAT}\n`)
  let next = TURN
  for await (const batch of batches) {
    if (members.length + batch.length > limit) throw failure('DOWNLOAD_FILES_LIMIT', { limit })
    let told = ''
    for (const member of batch) {
      members.push(member)
      const content = 'bytes' in member ? member.bytes.toString('latin1') : member.file.sha256
      told += `${member.name}\0${member.size} ${member.crc32} ${member.modified.getTime()} ${content}\n`
    }
    hash.update(told)
    if (members.length < next) continue
    next = members.length + TURN
    await nextTurn()
  }
  return new StoredZip(files, members, hash.digest('base64url').slice(0, 27))
}
