/**
 * Files in which the reference keeps archives (`archive.md` §12.2 to §12.4), in all of its formats: of one entry, or of
 * all entries of an upload. Archives are read one by one and in parts; of the whole file only the list of entries is in
 * memory.
 */
import { type ArchiveParts, UnusableArchive } from '../parts.ts'
import { type ByteSource, bytesOf } from './byte-source.ts'
import { decodeMessagePack, messagePackParts, readHead } from './message-pack-parts.ts'

/** The formats by the names that the reference's documentation uses. */
export type PackedFormat = 'v1' | 'v2' | 'v3'

/** Where an archive stands in its file; `block`: a block of the third format of its own begins there. */
interface EntryPlace {
  readonly from: number
  readonly to: number
  readonly block: boolean
}

/** Bytes from which the format is told. */
const MAGIC = 30
const MAGIC_V2 = Buffer.from('nomad-archive-v2023')
const MAGIC_V3 = Buffer.concat([Buffer.alloc(20), Buffer.from('msglc-2024')])

/** Head of the file in the first format: a map that begins with the key `toc_pos` and its ten bytes. */
const HEAD_V1 = Buffer.concat([Buffer.from([0x83, 0xa7]), Buffer.from('toc_pos'), Buffer.from([0xc4, 10])])

/** Bytes before the payload of a block of the third format, and of one number in there. */
const HEAD_V3 = 50
const NUMBER_V3 = 10

/** Bytes that tell of a table of contents of the third format whether it is one of several archives. */
const PEEK = 64

/** An opened file. */
export class PackedFile {
  readonly format: PackedFormat
  readonly #source: ByteSource
  readonly #places: ReadonlyMap<string, EntryPlace>

  private constructor(source: ByteSource, format: PackedFormat, places: ReadonlyMap<string, EntryPlace>) {
    this.#source = source
    this.format = format
    this.#places = places
  }

  /**
   * Opens a file.
   * @throws UnusableArchive when it is none of the formats, or damaged; errors of the source as they come
   */
  static async open(source: ByteSource): Promise<PackedFile> {
    const start = await read(source, 0, Math.min(MAGIC, source.size))
    if (start.equals(MAGIC_V3)) return new PackedFile(source, 'v3', await placesOfBlock(source))
    if (start.subarray(0, MAGIC_V2.length).equals(MAGIC_V2)) {
      return new PackedFile(source, 'v2', await placesOfMap(source, MAGIC_V2.length))
    }
    if (start.subarray(0, HEAD_V1.length).equals(HEAD_V1)) {
      return new PackedFile(source, 'v1', await placesOfMap(source, 0))
    }
    throw new UnusableArchive('is not in a format of packed archives')
  }

  /** The entries whose archives it has. */
  get entryIds(): readonly string[] {
    return [...this.#places.keys()]
  }

  /** Whether it has the archive of an entry. */
  has(entryId: string): boolean {
    return this.#places.has(entryId)
  }

  /**
   * An archive.
   * @param limits see `PartCutter`
   * @throws UnusableArchive when there is none, or it is damaged; errors of the source as they come
   */
  async *parts(entryId: string, limits?: { whole?: number; waiting?: number }): ArchiveParts {
    const place = this.#places.get(entryId)
    if (!place) throw new UnusableArchive(`has no archive of the entry ${entryId}`)
    try {
      const { from, to } = place.block ? await payloadOf(this.#source, place.from) : place
      yield* messagePackParts(bytesOf(this.#source, from, to), limits)
    } catch (error) {
      if (!(error instanceof UnusableArchive) || this.#places.size === 1) throw error
      throw new UnusableArchive(`entry ${entryId}: ${error.message}`)
    }
  }
}

function damaged(why: string): UnusableArchive {
  return new UnusableArchive(`is damaged: ${why}`)
}

async function read(source: ByteSource, from: number, to: number): Promise<Buffer> {
  requireInside(source, from, to, 'a part')
  return source.read(from, to)
}

function requireInside(source: ByteSource, from: number, to: number, what: string): void {
  if (from < 0 || to < from || to > source.size) {
    throw damaged(`${what} should stand at the bytes ${from} to ${to}, but the file has ${source.size} bytes`)
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Start and end as the first two formats write them: five bytes each. */
function range(source: ByteSource, bytes: unknown, what: string): { from: number; to: number } {
  if (!Buffer.isBuffer(bytes) || bytes.length !== 10) throw damaged(`the position of ${what} is missing`)
  const from = bytes.readUIntLE(0, 5)
  const to = bytes.readUIntLE(5, 5)
  requireInside(source, from, to, what)
  return { from, to }
}

/** Entries of a file in one of the first two formats, which differ in what is before the map. */
async function placesOfMap(source: ByteSource, start: number): Promise<Map<string, EntryPlace>> {
  const head = await read(source, start, start + HEAD_V1.length + 10)
  if (!head.subarray(0, HEAD_V1.length).equals(HEAD_V1)) throw damaged('it does not begin as it should')
  const contents = range(source, head.subarray(HEAD_V1.length), 'the table of contents')
  const toc = decodeMessagePack(await source.read(contents.from, contents.to))
  if (!isMap(toc)) throw damaged('the table of contents is none')
  const places = new Map<string, EntryPlace>()
  for (const [key, positions] of Object.entries(toc)) {
    // Ids are filled up with spaces to one length.
    const entryId = key.trimStart()
    const data = Array.isArray(positions) ? positions[1] : undefined
    places.set(entryId, { ...range(source, data, `the archive of ${entryId}`), block: false })
  }
  return places
}

/** Payload and table of contents of a block of the third format. */
async function headOf(source: ByteSource, at: number): Promise<{ toc: number; end: number }> {
  const head = await read(source, at, at + HEAD_V3)
  if (!head.subarray(0, MAGIC).equals(MAGIC_V3)) throw damaged(`no archive begins at byte ${at}`)
  if (head[MAGIC] !== 0) throw new UnusableArchive('is written as CBOR, which cannot be read')
  const start = numberOf(head.subarray(MAGIC, MAGIC + NUMBER_V3))
  const length = numberOf(head.subarray(MAGIC + NUMBER_V3))
  const toc = at + HEAD_V3 + start
  requireInside(source, toc, toc + length, 'the table of contents')
  return { toc, end: toc + length }
}

function numberOf(bytes: Buffer): number {
  const start = bytes.findIndex(byte => byte !== 0)
  if (start < 0) return 0
  const value = decodeMessagePack(bytes.subarray(start))
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw damaged('a position is no number')
  return value as number
}

/** The archive in a block that holds nothing else. */
async function payloadOf(source: ByteSource, at: number): Promise<{ from: number; to: number }> {
  const { toc } = await headOf(source, at)
  return { from: at + HEAD_V3, to: toc }
}

/** Entries of a file in the third format. */
async function placesOfBlock(source: ByteSource): Promise<Map<string, EntryPlace>> {
  const { toc, end } = await headOf(source, 0)
  // The table of contents of one entry is as large as its archive has parts: it is not needed.
  if (!isTocOfSeveral(await read(source, toc, Math.min(end, toc + PEEK)))) return oneEntry(source, toc)
  const contents = decodeMessagePack(await source.read(toc, end))
  const starts = isMap(contents) ? contents.t : undefined
  const places = new Map<string, EntryPlace>()
  if (starts === null) return places
  if (!isMap(starts)) throw damaged('the table of contents is none')
  const sorted = Object.entries(starts).sort(([, a], [, b]) => Number(a) - Number(b))
  for (const [i, [key, start]] of sorted.entries()) {
    if (!Number.isSafeInteger(start)) throw damaged(`the position of the archive of ${key} is no number`)
    const from = HEAD_V3 + (start as number)
    const to = i + 1 < sorted.length ? HEAD_V3 + Number(sorted[i + 1]![1]) : toc
    requireInside(source, from, from + HEAD_V3, `the archive of ${key}`)
    places.set(key.trimStart(), { from, to: Math.max(from, to), block: true })
  }
  return places
}

/** A map with the one key `t`, which is null, or holds plain numbers. */
function isTocOfSeveral(bytes: Buffer): boolean {
  if (bytes[0] !== 0x81 || bytes[1] !== 0xa1 || bytes[2] !== 't'.charCodeAt(0)) return false
  if (bytes[3] === 0xc0) return true
  const map = readHead(bytes, 3, bytes.length)
  if (map?.children === undefined || map.list) return false
  if (map.children === 0) return true
  const at = 3 + map.size
  const key = readHead(bytes, at, bytes.length)
  const value = key && bytes[at + key.size + key.content]
  return value !== undefined && (value < 0x80 || (value >= 0xcc && value <= 0xd3))
}

/** Most bytes of the map and the key before the archive of one entry. */
const KEY_BEFORE = 256

/** The archive of a file of one entry: the only member of its payload. */
async function oneEntry(source: ByteSource, end: number): Promise<Map<string, EntryPlace>> {
  const bytes = await read(source, HEAD_V3, Math.min(end, HEAD_V3 + KEY_BEFORE))
  const map = bytes.length > 0 ? readHead(bytes, 0, bytes.length) : undefined
  const isOne = map && !map.list && map.children === 2 && map.size < bytes.length
  const key = isOne ? readHead(bytes, map.size, bytes.length) : undefined
  const from = isOne && key && map.size + key.size + key.content
  if (!from || from > bytes.length) throw damaged('it does not hold the archive of one entry')
  const entryId = decodeMessagePack(bytes.subarray(map.size, from))
  if (typeof entryId !== 'string') throw damaged('it does not hold the archive of one entry')
  return new Map([[entryId.trimStart(), { from: HEAD_V3 + from, to: end, block: false }]])
}
