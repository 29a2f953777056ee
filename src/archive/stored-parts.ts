/**
 * A stored archive as a whole, in parts (`parts.ts`): block after block, so that memory holds a few of them, however large
 * the archive is. Pure: the blocks come from a function.
 */
import { failure } from '../errors.ts'
import type { ArchiveContents } from '../storage/archives.ts'
import { checksum, unpack, withOwnKeys } from './block.ts'
import { type Below, type Contents, type Piece, type Place, readContents, readSheet } from './contents.ts'
import type { JsonObject } from './definitions.ts'
import type { ArchivePart, ArchiveParts } from './parts.ts'

/** Gives the packed bytes of blocks, by their numbers; those that are not there are left out. */
export type ReadBlocks = (numbers: readonly number[]) => Promise<ReadonlyMap<number, Uint8Array>>

/** Packed bytes that are read at once, and that are kept for pieces that come later. */
const AHEAD = 256 * 1024
const KEPT = 1024 * 1024

/**
 * Goes through an archive in its order.
 * @throws SeraiError ARCHIVE_DAMAGED when a block is missing, has not its checksum, or does not hold what the table of contents tells
 */
export async function* storedParts(stored: ArchiveContents, read: ReadBlocks): ArchiveParts {
  const contents = readContents(stored.bytes, stored.entryId)
  const blocks = new Blocks(stored.entryId, contents, read)
  const rest = contents.marked ? withOwnKeys(contents.rest) : contents.rest
  yield* opened(rest, contents.below, blocks)
}

/**
 * Sees that every block is there and has its checksum, without looking into them.
 * @throws SeraiError ARCHIVE_DAMAGED
 */
export async function requireBlocks(stored: ArchiveContents, read: ReadBlocks): Promise<void> {
  const contents = readContents(stored.bytes, stored.entryId)
  for (let number = 1; number <= contents.blocks.length; ) {
    const some = following(contents, number, KEPT)
    const found = await read(some)
    for (const n of some) requireBlock(stored.entryId, contents, n, found.get(n))
    number += some.length
  }
}

/** Packed size of all blocks in bytes. */
export function packedSize(stored: ArchiveContents): number {
  return readContents(stored.bytes, stored.entryId).blocks.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** Numbers of blocks from one on, up to some bytes. */
function following({ blocks }: Contents, from: number, bytes: number): number[] {
  const numbers = [from]
  let sum = blocks[from - 1]?.bytes ?? 0
  for (let n = from + 1; n <= blocks.length; n++) {
    sum += blocks[n - 1]!.bytes
    if (sum > bytes) break
    numbers.push(n)
  }
  return numbers
}

function requireBlock(
  entryId: string,
  { blocks }: Contents,
  number: number,
  bytes: Uint8Array | undefined
): Uint8Array {
  const row = blocks[number - 1]
  if (bytes && bytes.byteLength === row?.bytes && checksum(bytes) === row.checksum) return bytes
  throw failure('ARCHIVE_DAMAGED', { entry_id: entryId, block: number })
}

/** The blocks of an archive, of which some are kept. */
class Blocks {
  readonly #entryId: string
  readonly #contents: Contents
  readonly #read: ReadBlocks
  /** The one that was used last comes last. */
  readonly #kept = new Map<number, readonly unknown[]>()
  #bytes = 0

  constructor(entryId: string, contents: Contents, read: ReadBlocks) {
    this.#entryId = entryId
    this.#contents = contents
    this.#read = read
  }

  async piece({ block, slot }: Piece): Promise<unknown> {
    const values = this.#use(block) ?? (await this.#fetch(block))
    if (slot >= values.length) throw this.damaged(block)
    return values[slot]
  }

  damaged(block: number): Error {
    return failure('ARCHIVE_DAMAGED', { entry_id: this.#entryId, block })
  }

  #use(block: number): readonly unknown[] | undefined {
    const values = this.#kept.get(block)
    if (!values) return undefined
    this.#kept.delete(block)
    this.#kept.set(block, values)
    return values
  }

  /** Reads a block, and those after it, which are likely to be next. */
  async #fetch(block: number): Promise<readonly unknown[]> {
    const wanted = following(this.#contents, block, AHEAD).filter(n => !this.#kept.has(n))
    const found = await this.#read(wanted)
    for (const n of wanted.toReversed()) {
      const bytes = requireBlock(this.#entryId, this.#contents, n, found.get(n))
      const values = unpack(bytes) as unknown[]
      this.#kept.set(n, this.#contents.marked ? (withOwnKeys(values) as unknown[]) : values)
      this.#bytes += bytes.byteLength
    }
    const values = this.#kept.get(block)!
    for (const n of this.#kept.keys()) {
      if (this.#bytes <= KEPT) break
      this.#kept.delete(n)
      this.#bytes -= this.#contents.blocks[n - 1]!.bytes
    }
    return values
  }
}

/** A value that stands at a place. */
async function* placed(given: unknown, place: Place, blocks: Blocks): AsyncGenerator<ArchivePart> {
  if (place.kind === 'inner') yield* opened(given, place.below, blocks)
  else if (place.kind === 'piece') {
    const value = await blocks.piece(place.piece)
    if (place.below) yield* opened(value, place.below, blocks)
    else yield { kind: 'value', value }
  } else if (place.kind === 'list') yield* runs(place, blocks)
  else yield* spread(place, blocks)
}

/** A list or map of which something stands elsewhere. */
async function* opened(value: unknown, below: Below, blocks: Blocks): AsyncGenerator<ArchivePart> {
  yield { kind: Array.isArray(value) ? 'list' : 'map' }
  if (Array.isArray(value)) yield* items(value, index => below.at.get(String(index)), blocks)
  else yield* members(value as JsonObject, key => below.at.get(key), blocks)
  yield { kind: 'end' }
}

async function* runs(place: Place & { kind: 'list' }, blocks: Blocks): AsyncGenerator<ArchivePart> {
  yield { kind: 'list' }
  let start = 0
  for (const { count, piece } of place.runs) {
    const first = start
    const value = await blocks.piece(piece)
    const { content, below } = place.ownBelow ? readSheet(value) : { content: value, below: undefined }
    if (!Array.isArray(content) || content.length !== count) throw blocks.damaged(piece.block)
    yield* items(content, i => (below ?? place.below)?.at.get(String(below ? i : first + i)), blocks)
    start += count
  }
  yield { kind: 'end' }
}

async function* spread(place: Place & { kind: 'map' }, blocks: Blocks): AsyncGenerator<ArchivePart> {
  yield { kind: 'map' }
  for (const piece of place.pieces) {
    const value = await blocks.piece(piece)
    const { content, below } = place.ownBelow ? readSheet(value) : { content: value, below: undefined }
    if (typeof content !== 'object' || content === null) throw blocks.damaged(piece.block)
    yield* members(content as JsonObject, key => below?.at.get(key) ?? place.below?.at.get(key), blocks)
  }
  yield { kind: 'end' }
}

async function* items(
  list: readonly unknown[],
  placeOf: (index: number) => Place | undefined,
  blocks: Blocks
): AsyncGenerator<ArchivePart> {
  let from = 0
  for (let i = 0; i < list.length; i++) {
    const place = placeOf(i)
    if (!place) continue
    if (i > from) yield { kind: 'items', items: list.slice(from, i) }
    yield* placed(list[i], place, blocks)
    from = i + 1
  }
  if (from < list.length) yield { kind: 'items', items: from === 0 ? list : list.slice(from) }
}

async function* members(
  map: JsonObject,
  placeOf: (key: string) => Place | undefined,
  blocks: Blocks
): AsyncGenerator<ArchivePart> {
  let some: [string, unknown][] = []
  for (const [name, value] of Object.entries(map)) {
    const place = placeOf(name)
    if (!place) {
      some.push([name, value])
      continue
    }
    if (some.length > 0) yield { kind: 'members', members: Object.fromEntries(some) }
    some = []
    yield { kind: 'key', name }
    yield* placed(value, place, blocks)
  }
  if (some.length > 0) yield { kind: 'members', members: Object.fromEntries(some) }
}
