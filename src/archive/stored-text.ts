/**
 * A stored archive as a whole, as JSON text: block after block, straight from the packed bytes. Memory holds a few blocks of it,
 * however large it is. Pure: the blocks come from a function.
 */
import type { ArchiveContents, BlockAddress } from '../storage/archives.ts'
import { type PackedValue, unpackValue, withOwnKey } from './block.ts'
import {
  type Below,
  type ListPlace,
  type MapPlace,
  type PackedContents,
  type Piece,
  type Place,
  readPackedContents,
  readPackedSheet
} from './contents.ts'
import type { JsonText } from './json-text.ts'
import { endOfValue, isList, listHeader, mapHeader } from './message-pack.ts'
import { type ReadBlocks, StoredBlocks } from './stored-blocks.ts'

/** What is waited for: a block of this number, or that the text is taken as far as it is written. */
type Wait = number | 'text'

/** An archive that is stored, as a whole. */
export class StoredText {
  readonly #stored: ArchiveContents
  readonly #contents: PackedContents
  readonly #blocks: StoredBlocks
  /** Packed size of all blocks in bytes. */
  readonly bytes: number

  /** @throws SeraiError ARCHIVE_DAMAGED */
  constructor(stored: ArchiveContents, read: ReadBlocks) {
    this.#stored = stored
    this.#contents = readPackedContents(stored.bytes, stored.entryId)
    this.#blocks = new StoredBlocks(stored.entryId, this.#contents.blocks, read)
    this.bytes = this.#contents.blocks.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  get generation(): string {
    return this.#stored.generation
  }

  /** Addresses of all blocks. */
  get addresses(): BlockAddress[] {
    const { entryId, generation } = this.#stored
    return this.#contents.blocks.map((_, i) => ({ entryId, generation, number: i + 1 }))
  }

  /**
   * Sees that every block is there and has its checksum.
   * @throws SeraiError ARCHIVE_DAMAGED
   */
  require(): Promise<void> {
    return this.#blocks.require()
  }

  /**
   * Writes the archive, with the empty `m_ref_archives` that every archive of an answer has (`archive.md` §3.6).
   * @param into what is written to; parts of it are given when they are worth being sent, the last one stays there
   * @param level levels above the archive
   * @throws SeraiError ARCHIVE_DAMAGED when a block is missing, has not its checksum, or does not hold what the table of contents tells
   */
  async *write(into: JsonText, level: number): AsyncGenerator<Buffer> {
    for (const wait of new Writing(this.#contents, this.#blocks, into).archive(level)) {
      if (wait !== 'text') await this.#blocks.load(wait)
      else {
        const part = into.part()
        if (part) yield part
      }
    }
    this.#blocks.forget()
  }
}

/** Text that is being written. */
class Writing {
  readonly #contents: PackedContents
  readonly #blocks: StoredBlocks
  readonly #text: JsonText

  constructor(contents: PackedContents, blocks: StoredBlocks, text: JsonText) {
    this.#contents = contents
    this.#blocks = blocks
    this.#text = text
  }

  *archive(level: number): Generator<Wait> {
    const { rest, below } = this.#contents
    this.#text.open('{')
    const isFirst = yield* this.#members(rest, key => below.at.get(key), level + 1, true)
    this.#text.next(isFirst, level + 1)
    this.#text.text('"m_ref_archives"')
    this.#text.colon()
    this.#text.text('{}')
    this.#text.close('}', false, level)
  }

  /** A value that stands at a place. @param given what the value above it has of it */
  *#placed(given: PackedValue, place: Place, level: number): Generator<Wait> {
    if (place.kind === 'inner') yield* this.#opened(given, place.below, level)
    else if (place.kind === 'list') yield* this.#runs(place, level)
    else if (place.kind === 'map') yield* this.#spread(place, level)
    else {
      const value = yield* this.#piece(place.piece)
      if (place.below) yield* this.#opened(value, place.below, level)
      else {
        this.#text.packed(value.bytes, value.at, level, this.#contents.marked)
        yield 'text'
      }
    }
  }

  /** A list or map of which something stands elsewhere. */
  *#opened(value: PackedValue, below: Below, level: number): Generator<Wait> {
    if (isList(value.bytes, value.at)) {
      this.#text.open('[')
      const isEmpty = yield* this.#items(value, below, 0, level + 1, true)
      this.#text.close(']', isEmpty, level)
    } else {
      this.#text.open('{')
      const isEmpty = yield* this.#members(value, key => below.at.get(key), level + 1, true)
      this.#text.close('}', isEmpty, level)
    }
  }

  *#runs(place: ListPlace, level: number): Generator<Wait> {
    this.#text.open('[')
    let start = 0
    for (const { count, piece } of place.runs) {
      const value = yield* this.#piece(piece)
      const { content, below } = place.ownBelow
        ? readPackedSheet(value)
        : { content: value, below: undefined }
      if (!isList(content.bytes, content.at) || listHeader(content.bytes, content.at).count !== count) {
        throw this.#blocks.damaged(piece.block)
      }
      // Items count from 0 in every sheet, elsewhere in the list.
      yield* this.#items(content, below ?? place.below, below ? 0 : start, level + 1, start === 0)
      start += count
    }
    this.#text.close(']', start === 0, level)
  }

  *#spread(place: MapPlace, level: number): Generator<Wait> {
    this.#text.open('{')
    let isFirst = true
    for (const piece of place.pieces) {
      const value = yield* this.#piece(piece)
      const { content, below } = place.ownBelow
        ? readPackedSheet(value)
        : { content: value, below: undefined }
      if (isList(content.bytes, content.at)) throw this.#blocks.damaged(piece.block)
      const placeOf = (key: string) => below?.at.get(key) ?? place.below?.at.get(key)
      isFirst = yield* this.#members(content, placeOf, level + 1, isFirst)
    }
    this.#text.close('}', isFirst, level)
  }

  /**
   * Items of a list.
   * @param start index of the first of them, as `below` counts
   * @returns whether the next item is the first one
   */
  *#items(
    list: PackedValue,
    below: Below | undefined,
    start: number,
    level: number,
    isFirst: boolean
  ): Generator<Wait, boolean> {
    const { bytes } = list
    const { count, begin } = listHeader(bytes, list.at)
    const elsewhere = (below ? [...below.at.keys()] : []).map(Number).sort((a, b) => a - b)
    let next = elsewhere.findIndex(index => index >= start)
    let at = begin
    for (let i = 0; i < count; i++) {
      this.#text.next(isFirst && i === 0, level)
      if (next < 0 || elsewhere[next] !== start + i) {
        at = this.#text.packed(bytes, at, level, this.#contents.marked)
        continue
      }
      next++
      yield* this.#placed({ bytes, at }, below!.at.get(String(start + i))!, level)
      at = endOfValue(bytes, at)
    }
    yield 'text'
    return isFirst && count === 0
  }

  /** Members of a map. @returns whether the next member is the first one */
  *#members(
    map: PackedValue,
    placeOf: (key: string) => Place | undefined,
    level: number,
    isFirst: boolean
  ): Generator<Wait, boolean> {
    const { bytes } = map
    const { marked } = this.#contents
    const { count, begin } = mapHeader(bytes, map.at)
    let at = begin
    let first = isFirst
    for (let i = 0; i < count; i++) {
      const key = unpackValue({ bytes, at }) as string
      const place = placeOf(marked ? withOwnKey(key) : key)
      this.#text.next(first, level)
      at = this.#text.packedKey(bytes, at, marked)
      this.#text.colon()
      first = false
      if (place) {
        yield* this.#placed({ bytes, at }, place, level)
        at = endOfValue(bytes, at)
      } else at = this.#text.packed(bytes, at, level, marked)
    }
    yield 'text'
    return first
  }

  *#piece({ block, slot }: Piece): Generator<Wait, PackedValue> {
    let pieces = this.#blocks.loaded(block)
    if (!pieces) {
      yield block
      pieces = this.#blocks.loaded(block)
    }
    const value = pieces?.packed(slot)
    if (!value) throw this.#blocks.damaged(block)
    return value
  }
}
