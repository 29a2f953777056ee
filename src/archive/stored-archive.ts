/**
 * An archive as it is read from a store: a tree of which only those blocks are there that were asked for. Pure: what
 * is missing is noted in `wanted`, whoever drives the reading fetches it and gives it to `supply`.
 */
import type { ArchiveContents } from '../storage/archives.ts'
import { PackedPieces, setMember, withOwnKeys } from './block.ts'
import {
  type Below,
  type Contents,
  type MapPlace,
  type Piece,
  type Place,
  readContents,
  readSheet,
  type Sheet
} from './contents.ts'
import type { JsonObject } from './definitions.ts'
import { requireBlock } from './stored-blocks.ts'

/** Answer where a block is missing: ask again when the wanted blocks have been supplied. */
export const MISSING = Symbol('missing')
/** Type of {@link MISSING}. */
export type Missing = typeof MISSING

/** What a node is. */
export type NodeKind = 'map' | 'list' | 'value'

/** A map put together from several pieces, and what is below it. */
interface SpreadMap {
  readonly rest: JsonObject
  readonly at: ReadonlyMap<string, Place>
}

/** An archive of which blocks are loaded as needed. Values it gives must not be changed. */
export class StoredArchive {
  readonly entryId: string
  readonly uploadId: string
  readonly generation: string
  readonly root: ArchiveNode
  /** Numbers of blocks that were needed and are not there. */
  readonly wanted = new Set<number>()
  readonly #contents: Contents
  readonly #blocks = new Map<number, PackedPieces>()
  readonly #pieces = new Map<Piece, unknown>()
  /** Values that were put together from several pieces, so that it is done once. */
  readonly #joined = new Map<Place, SpreadMap>()
  readonly #sheets = new Map<Piece, Sheet>()

  /** @throws SeraiError ARCHIVE_DAMAGED */
  constructor(stored: ArchiveContents) {
    this.entryId = stored.entryId
    this.uploadId = stored.uploadId
    this.generation = stored.generation
    this.#contents = readContents(stored.bytes, stored.entryId)
    const rest = this.#own(this.#contents.rest)
    this.root = new ArchiveNode(this, rest, { kind: 'inner', below: this.#contents.below })
  }

  /** Packed size of a block. */
  bytesOf(block: number): number {
    return this.#contents.blocks[block - 1]?.bytes ?? 0
  }

  /**
   * Takes a wanted block in.
   * @param bytes undefined when the store does not have it
   * @throws SeraiError ARCHIVE_DAMAGED
   */
  supply(block: number, bytes: Uint8Array | undefined): void {
    const held = requireBlock(this.entryId, this.#contents.blocks, block, bytes)
    this.wanted.delete(block)
    this.#blocks.set(block, new PackedPieces(held))
  }

  /** Notes that a block will be needed. Says whether it is there. */
  want(piece: Piece): boolean {
    if (this.#blocks.has(piece.block)) return true
    this.wanted.add(piece.block)
    return false
  }

  /** Value of a piece. */
  piece(piece: Piece): unknown {
    if (!this.want(piece)) return MISSING
    if (!this.#contents.marked) return this.#blocks.get(piece.block)!.piece(piece.slot)
    if (!this.#pieces.has(piece)) {
      this.#pieces.set(piece, withOwnKeys(this.#blocks.get(piece.block)!.piece(piece.slot)))
    }
    return this.#pieces.get(piece)
  }

  /** A piece that is a sheet. */
  sheet(piece: Piece): Sheet | Missing {
    const known = this.#sheets.get(piece)
    if (known) return known
    const packed = this.piece(piece)
    if (packed === MISSING) return MISSING
    const sheet = readSheet(packed)
    this.#sheets.set(piece, sheet)
    return sheet
  }

  /** The members of a map that is spread over pieces. */
  spread(place: MapPlace): SpreadMap | Missing {
    const known = this.#joined.get(place)
    if (known) return known
    if (!place.pieces.map(piece => this.want(piece)).every(Boolean)) return MISSING
    const rest: Record<string, unknown> = {}
    const at = new Map(place.below?.at)
    for (const piece of place.pieces) {
      const sheet = place.ownBelow ? (this.sheet(piece) as Sheet) : undefined
      for (const [key, value] of Object.entries((sheet ? sheet.content : this.piece(piece)) as JsonObject)) {
        setMember(rest, key, value)
      }
      for (const [key, inner] of sheet?.below?.at ?? []) at.set(key, inner)
    }
    const joined = { rest, at }
    this.#joined.set(place, joined)
    return joined
  }

  #own<T>(value: T): T {
    return this.#contents.marked ? (withOwnKeys(value) as T) : value
  }
}

/** A value in an archive, read on demand. */
export class ArchiveNode {
  readonly archive: StoredArchive
  readonly place: Place | undefined
  /** What the piece above has of it; undefined when it stands in pieces of its own. */
  readonly #given: unknown

  constructor(archive: StoredArchive, given: unknown, place: Place | undefined) {
    this.archive = archive
    this.place = place
    this.#given = given
  }

  kind(): NodeKind | Missing {
    if (this.place?.kind === 'list') return 'list'
    const rest = this.rest()
    if (rest === MISSING) return MISSING
    if (Array.isArray(rest)) return 'list'
    return typeof rest === 'object' && rest !== null ? 'map' : 'value'
  }

  /** The value itself, where what stands elsewhere is undefined. Not for lists that are cut into runs. */
  rest(): unknown {
    switch (this.place?.kind) {
      case 'piece':
        return this.archive.piece(this.place.piece)
      case 'map': {
        const map = this.archive.spread(this.place)
        return map === MISSING ? MISSING : map.rest
      }
      default:
        return this.#given
    }
  }

  /** Number of items of a list. */
  length(): number | Missing {
    if (this.place?.kind === 'list') return this.place.runs.reduce((sum, run) => sum + run.count, 0)
    const rest = this.rest()
    return rest === MISSING ? MISSING : (rest as unknown[]).length
  }

  /** Item of a list; `index` is in range. */
  item(index: number): ArchiveNode | Missing {
    const below = this.place?.below?.at.get(String(index))
    if (below && below.kind !== 'inner') return new ArchiveNode(this.archive, undefined, below)
    if (this.place?.kind !== 'list') {
      const rest = this.rest()
      return rest === MISSING ? MISSING : new ArchiveNode(this.archive, (rest as unknown[])[index], below)
    }
    let start = 0
    for (const { count, piece } of this.place.runs) {
      if (index < start + count) {
        const i = index - start
        if (this.place.ownBelow) return this.#onSheet(piece, i)
        const items = this.archive.piece(piece)
        return items === MISSING ? MISSING : new ArchiveNode(this.archive, (items as unknown[])[i], below)
      }
      start += count
    }
    throw new RangeError(`no item ${index}`)
  }

  #onSheet(piece: Piece, i: number): ArchiveNode | Missing {
    const sheet = this.archive.sheet(piece)
    if (sheet === MISSING) return MISSING
    return new ArchiveNode(this.archive, (sheet.content as unknown[])[i], sheet.below?.at.get(String(i)))
  }

  /** Member of a map; undefined when there is none. */
  member(name: string): ArchiveNode | Missing | undefined {
    const spread =
      this.place?.kind === 'map' && this.place.ownBelow ? this.archive.spread(this.place) : undefined
    if (spread === MISSING) return MISSING
    const below = (spread?.at ?? this.place?.below?.at)?.get(name)
    if (below && below.kind !== 'inner') return new ArchiveNode(this.archive, undefined, below)
    const rest = this.rest()
    if (rest === MISSING) return MISSING
    if (!Object.hasOwn(rest as object, name)) return undefined
    return new ArchiveNode(this.archive, (rest as JsonObject)[name], below)
  }

  /** Keys of a map, in order. */
  keys(): readonly string[] | Missing {
    const rest = this.rest()
    return rest === MISSING ? MISSING : Object.keys(rest as object)
  }

  /** The value with everything below it. All that is missing is wanted at once. */
  whole(): unknown {
    return whole(this.archive, this.#given, this.place)
  }
}

function whole(archive: StoredArchive, given: unknown, place: Place | undefined): unknown {
  if (!place) return given
  return wantAll(archive, place) ? together(archive, given, place) : MISSING
}

/** Puts a value together whose pieces are all there. */
function together(archive: StoredArchive, given: unknown, place: Place): unknown {
  if (place.kind === 'list') {
    const items = place.runs.flatMap(({ piece }) => {
      if (!place.ownBelow) return archive.piece(piece) as unknown[]
      const { content, below } = archive.sheet(piece) as Sheet
      return below ? (withBelow(archive, content, below) as unknown[]) : (content as unknown[])
    })
    return place.below ? withBelow(archive, items, place.below) : items
  }
  if (place.kind === 'map') {
    const { rest, at } = archive.spread(place) as SpreadMap
    return at.size > 0 ? withBelow(archive, rest, { at }) : rest
  }
  const rest = new ArchiveNode(archive, given, place).rest()
  return place.below ? withBelow(archive, rest, place.below) : rest
}

/** A copy of a list or map with what is below it in its places. */
function withBelow(archive: StoredArchive, rest: unknown, below: Below): unknown {
  if (Array.isArray(rest)) {
    const list = [...rest]
    for (const [index, at] of below.at) list[Number(index)] = together(archive, list[Number(index)], at)
    return list
  }
  const map: Record<string, unknown> = { ...(rest as object) }
  for (const [key, at] of below.at) setMember(map, key, together(archive, map[key], at))
  return map
}

/**
 * Wants all blocks at and below a place, as far as it is known what is below. Says whether all are there, so that it
 * has to be asked again until they are.
 */
export function wantAll(archive: StoredArchive, place: Place): boolean {
  let all = true
  for (const piece of piecesOf(place)) {
    const there = archive.want(piece)
    all = there && all
    if (!there || !('ownBelow' in place) || !place.ownBelow) continue
    for (const at of (archive.sheet(piece) as Sheet).below?.at.values() ?? []) {
      all = wantAll(archive, at) && all
    }
  }
  for (const at of place.below?.at.values() ?? []) all = wantAll(archive, at) && all
  return all
}

/** The pieces in which a value itself stands. */
export function piecesOf(place: Place): readonly Piece[] {
  switch (place.kind) {
    case 'inner':
      return []
    case 'piece':
      return [place.piece]
    case 'list':
      return place.runs.map(run => run.piece)
    case 'map':
      return place.pieces
  }
}
