/**
 * The table of contents of a stored archive: which parts of the tree stand in which blocks. It follows the tree only
 * down to the borders of blocks, so that it stays small, and names the checksum and the size of every block.
 */
import { failure } from '../errors.ts'
import { checksum, PackedPieces, type PackedValue, pack, unpackValue } from './block.ts'
import { endOfValue, listHeader } from './message-pack.ts'

/** Where a piece stands: number of its block (from 1 on), and its position in there. */
export interface Piece {
  block: number
  slot: number
}

/** Some consecutive items of a list, as one piece. */
export interface Run {
  readonly count: number
  readonly piece: Piece
}

/** What stands elsewhere below a value, by key or by index (as text). */
export interface Below {
  /** Number of items, if the value is a list. */
  readonly length?: number
  readonly at: ReadonlyMap<string, Place>
}

/**
 * Where a value stands. What is `below` it is missing (`undefined`) in its pieces, unless it is `inner` itself.
 *
 * - `inner`: in the piece of the value above it; only something below it stands elsewhere.
 * - `piece`: it is a piece.
 * - `list`: its items are cut into runs.
 * - `map`: its members are spread over several pieces, in order.
 *
 * What is below the items or members of large lists and maps stands with them and not here (`ownBelow`): each of the
 * pieces is a `Sheet`. So the table of contents stays small however large the archive is.
 */
export type Place =
  | { readonly kind: 'inner'; readonly below: Below }
  | { readonly kind: 'piece'; readonly piece: Piece; readonly below?: Below | undefined }
  | ListPlace
  | MapPlace

/** Place of a list that is cut into runs. */
export interface ListPlace {
  readonly kind: 'list'
  readonly runs: readonly Run[]
  readonly below?: Below | undefined
  readonly ownBelow?: boolean
}

/** Place of a map that is spread over pieces. */
export interface MapPlace {
  readonly kind: 'map'
  readonly pieces: readonly Piece[]
  readonly below?: Below | undefined
  readonly ownBelow?: boolean
}

/** Some items or members with what is below them; items count from 0 in every sheet. */
export interface Sheet {
  readonly content: unknown
  readonly below: Below | undefined
}

/** Checksum and number of bytes of a packed block. */
export interface BlockRow {
  readonly checksum: number
  readonly bytes: number
}

/** A table of contents. */
export interface Contents {
  /** What is small enough of the archive's uppermost level to stand here. */
  readonly rest: Readonly<Record<string, unknown>>
  readonly below: Below
  /** Row `n - 1` is of block `n`. */
  readonly blocks: readonly BlockRow[]
  /** Some keys are marked, see `packedKey`. */
  readonly marked: boolean
}

/** Format of the bytes; another one needs another reader. Format 1 had no sheets and is read too. */
const VERSION = 2
const HEADER = 5

type WirePlace = [kind: 0 | 1 | 2 | 3 | 4 | 5, numbers: number[], below?: WireBelow]
type WireBelow = [length: number | null, keys: (string | number)[], places: WirePlace[]]

const KINDS = ['inner', 'piece', 'list', 'map', 'list', 'map'] as const
/** From this number on, kinds have sheets. */
const SHEETS = 4

/** The bytes of a table of contents: version, checksum, packed value. */
export function writeContents(contents: Contents): Uint8Array {
  const body = pack([
    contents.rest,
    wireBelow(contents.below),
    contents.blocks.flatMap(b => [b.checksum, b.bytes]),
    contents.marked
  ])
  const bytes = Buffer.alloc(HEADER + body.byteLength)
  bytes.writeUInt8(VERSION, 0)
  bytes.writeUInt32LE(checksum(body), 1)
  bytes.set(body, HEADER)
  return bytes
}

/**
 * Reads the bytes of a table of contents.
 * @param entryId for the error
 * @throws SeraiError ARCHIVE_DAMAGED
 */
export function readContents(bytes: Uint8Array, entryId: string): Contents {
  const { rest, ...others } = readPackedContents(bytes, entryId)
  return { rest: unpackValue(rest) as Contents['rest'], ...others }
}

/** A table of contents of which the values themselves stay packed. */
export type PackedContents = Omit<Contents, 'rest'> & { readonly rest: PackedValue }

/**
 * The same without making objects of the values.
 * @throws SeraiError ARCHIVE_DAMAGED
 */
export function readPackedContents(bytes: Uint8Array, entryId: string): PackedContents {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const body = view.subarray(HEADER)
  const known = view.length >= HEADER && view.readUInt8(0) >= 1 && view.readUInt8(0) <= VERSION
  if (!known || view.readUInt32LE(1) !== checksum(body)) {
    throw failure('ARCHIVE_DAMAGED', { entry_id: entryId, block: 'contents' })
  }
  const pieces = new PackedPieces(body)
  const below = readBelow(pieces.piece(1) as WireBelow)
  const numbers = pieces.piece(2) as number[]
  const blocks: BlockRow[] = []
  for (let i = 0; i < numbers.length; i += 2) blocks.push({ checksum: numbers[i]!, bytes: numbers[i + 1]! })
  return { rest: pieces.packed(0)!, below, blocks, marked: pieces.piece(3) as boolean }
}

/** A sheet as it is packed; the block numbers of its places must be known. */
export function writeSheet({ content, below }: Sheet): unknown {
  return below ? [content, wireBelow(below)] : [content]
}

/** Reads what {@link writeSheet} gave. */
export function readSheet(packed: unknown): Sheet {
  const [content, below] = packed as [unknown, WireBelow?]
  return { content, below: below && readBelow(below) }
}

/** A sheet of which the content stays packed. @throws Error when it is none */
export function readPackedSheet({ bytes, at }: PackedValue): {
  content: PackedValue
  below: Below | undefined
} {
  const { count, begin } = listHeader(bytes, at)
  const content = { bytes, at: begin }
  if (count < 2) return { content, below: undefined }
  return { content, below: readBelow(unpackValue({ bytes, at: endOfValue(bytes, begin) }) as WireBelow) }
}

function wireBelow(below: Below): WireBelow {
  const list = below.length !== undefined
  return [
    below.length ?? null,
    [...below.at.keys()].map(key => (list ? Number(key) : key)),
    [...below.at.values()].map(wirePlace)
  ]
}

function wirePlace(place: Place): WirePlace {
  const own = 'ownBelow' in place && place.ownBelow === true
  const kind = (KINDS.indexOf(place.kind) + (own ? SHEETS - KINDS.indexOf('list') : 0)) as WirePlace[0]
  const numbers = wireNumbers(place)
  return place.below ? [kind, numbers, wireBelow(place.below)] : [kind, numbers]
}

function wireNumbers(place: Place): number[] {
  switch (place.kind) {
    case 'inner':
      return []
    case 'piece':
      return [place.piece.block, place.piece.slot]
    case 'list':
      return place.runs.flatMap(r => [r.count, r.piece.block, r.piece.slot])
    case 'map':
      return place.pieces.flatMap(p => [p.block, p.slot])
  }
}

function readBelow([length, keys, places]: WireBelow): Below {
  const at = new Map(keys.map((key, i) => [String(key), readPlace(places[i]!)]))
  return length === null ? { at } : { length, at }
}

function readPlace([kind, numbers, wire]: WirePlace): Place {
  const below = wire ? readBelow(wire) : undefined
  const name = KINDS[kind]
  const own = kind >= SHEETS ? { ownBelow: true } : {}
  switch (name) {
    case 'inner':
      return { kind: name, below: below! }
    case 'piece':
      return { kind: name, piece: { block: numbers[0]!, slot: numbers[1]! }, below }
    case 'list': {
      const runs: Run[] = []
      for (let i = 0; i < numbers.length; i += 3) {
        runs.push({ count: numbers[i]!, piece: { block: numbers[i + 1]!, slot: numbers[i + 2]! } })
      }
      return { kind: name, runs, below, ...own }
    }
    case 'map': {
      const pieces: Piece[] = []
      for (let i = 0; i < numbers.length; i += 2) pieces.push({ block: numbers[i]!, slot: numbers[i + 1]! })
      return { kind: name, pieces, below, ...own }
    }
  }
}
