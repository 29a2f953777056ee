/**
 * A stored archive as a whole, in parts (`parts.ts`): block after block, so that memory holds a few of them, however large
 * the archive is. Pure: the blocks come from a function.
 */
import type { ArchiveContents } from '../storage/archives.ts'
import { withOwnKeys } from './block.ts'
import { type Below, type Contents, type Piece, type Place, readContents, readSheet } from './contents.ts'
import type { JsonObject } from './definitions.ts'
import type { ArchivePart, ArchiveParts } from './parts.ts'
import { type ReadBlocks, StoredBlocks } from './stored-blocks.ts'

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

/** The pieces of an archive as values. */
class Blocks {
  readonly #blocks: StoredBlocks
  readonly #marked: boolean

  constructor(entryId: string, { blocks, marked }: Contents, read: ReadBlocks) {
    this.#blocks = new StoredBlocks(entryId, blocks, read)
    this.#marked = marked
  }

  async piece({ block, slot }: Piece): Promise<unknown> {
    const pieces = this.#blocks.loaded(block) ?? (await this.#blocks.load(block))
    if (slot >= pieces.length) throw this.damaged(block)
    const value = pieces.piece(slot)
    return this.#marked ? withOwnKeys(value) : value
  }

  damaged(block: number): Error {
    return this.#blocks.damaged(block)
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
