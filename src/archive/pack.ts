/**
 * Cutting an archive into blocks. Sub-trees are cut at the borders of sections and lists into pieces of at most some
 * tens of kilobytes; long lists of plain values (arrays of numbers) become pieces of their own, so that the small values beside
 * them can be read without them. Pieces that are small share a block.
 */
import type { ArchiveBlock } from '../storage/archives.ts'
import { checksum, pack, packedKey } from './block.ts'
import { type Below, type BlockRow, type Piece, type Place, writeContents } from './contents.ts'
import type { JsonObject } from './definitions.ts'

/** A packed archive on its way to the store. */
export interface PackedArchiveWriter {
  /** Every block, in order of numbers from 1 on; packed one by one as they are taken. Can be read once. */
  readonly blocks: Iterable<ArchiveBlock>
  /** The table of contents; there when all blocks were taken. */
  contents(): Uint8Array
}

/** Bytes of a piece and of a block before compression. */
const GRAIN = 64 * 1024

/** Bytes from which on a list of plain values is a piece of its own. */
const ARRAY_GRAIN = 2 * 1024

/** Bytes from which on a top-level section is a piece of its own. */
const SECTION_GRAIN = 512

/** Smallest member that is taken out of a map that is too large. */
const MEMBER_GRAIN = 256

/** Levels of a piece, so that nothing recurses deeply while unpacking. */
const LEVELS = 100

/** In the largest archives pieces grow, so that the table of contents does not. */
const MOST_PIECES = 4096

/** Bytes that wait in open blocks before the largest of them is closed. */
const OPEN_LIMIT = 8 * 1024 * 1024

/**
 * Packs an archive. Everything in it comes back as it was: key order, nulls, and numbers exactly.
 * @param archive a JSON object
 * @throws RangeError when it is nested thousands of levels deep
 */
export function packArchive(archive: JsonObject): PackedArchiveWriter {
  return new Packing(archive)
}

/** Bytes that a value takes when packed, about; exact enough to cut by. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) < 65536 ? 3 : 9
  if (typeof value !== 'object' || value === null) return 1
  let size = 3
  if (Array.isArray(value)) for (const item of value) size += sizeOf(item)
  else for (const key of Object.keys(value)) size += key.length + 1 + sizeOf((value as JsonObject)[key])
  return size
}

/** Whether there are only plain values in a list and in the lists in it. */
function isPlainList(value: unknown): value is readonly unknown[] {
  return (
    Array.isArray(value) &&
    value.every(item => typeof item !== 'object' || item === null || isPlainList(item))
  )
}

/** What remains of a value after cutting: `rest` has `undefined` where something was taken out. */
interface Cut {
  rest: unknown
  size: number
  levels: number
  place?: Place | undefined
}

/** Pieces that will make one block. */
interface OpenBlock {
  values: unknown[]
  pieces: Piece[]
  size: number
}

class Packing implements PackedArchiveWriter {
  readonly #archive: JsonObject
  readonly #grain: number
  readonly #arrayGrain: number
  readonly #open = new Map<string, OpenBlock>()
  readonly #closed: OpenBlock[] = []
  readonly #rows: BlockRow[] = []
  #openBytes = 0
  #marked = false
  #done: { rest: Record<string, unknown>; below: Below } | undefined

  constructor(archive: JsonObject) {
    const size = sizeOf(archive)
    this.#archive = archive
    this.#grain = Math.max(GRAIN, Math.ceil(size / MOST_PIECES))
    this.#arrayGrain = Math.max(ARRAY_GRAIN, Math.ceil(size / MOST_PIECES))
  }

  get blocks(): Iterable<ArchiveBlock> {
    return this.#cutAll()
  }

  contents(): Uint8Array {
    if (!this.#done) throw new Error('The table of contents is complete only after the last block.')
    return writeContents({ ...this.#done, blocks: this.#rows, marked: this.#marked })
  }

  *#cutAll(): Generator<ArchiveBlock> {
    const rest: Record<string, unknown> = {}
    const at = new Map<string, Place>()
    for (const [name, value] of Object.entries(this.#archive)) {
      let cut = this.#cut(value, name)
      if (cut.size >= SECTION_GRAIN) cut = this.#detach(cut, '/')
      rest[this.#key(name)] = cut.rest
      if (cut.place) at.set(name, cut.place)
      yield* this.#packed()
    }
    this.#closeAll()
    yield* this.#packed()
    this.#done = { rest, below: { at } }
  }

  *#packed(): Generator<ArchiveBlock> {
    for (const { values } of this.#closed.splice(0)) {
      const bytes = pack(values)
      this.#rows.push({ checksum: checksum(bytes), bytes: bytes.byteLength })
      yield { number: this.#rows.length, bytes }
    }
  }

  /** @param name nearest key above; arrays of one name share blocks */
  #cut(value: unknown, name: string): Cut {
    if (typeof value !== 'object' || value === null) return { rest: value, size: sizeOf(value), levels: 0 }
    const cut = isPlainList(value)
      ? this.#cutPlainList(value, name)
      : Array.isArray(value)
        ? this.#cutList(value, name, item => this.#cut(item, name))
        : this.#cutMap(value as JsonObject)
    return cut.levels > LEVELS ? this.#detach(cut, '') : cut
  }

  #cutPlainList(list: readonly unknown[], name: string): Cut {
    const size = sizeOf(list)
    if (size > this.#grain) {
      return this.#cutList(list, name, item => {
        const itemSize = sizeOf(item)
        return itemSize > this.#grain && Array.isArray(item)
          ? this.#cutPlainList(item, name)
          : { rest: item, size: itemSize, levels: 1 }
      })
    }
    const cut: Cut = { rest: list, size, levels: 1 }
    return size < this.#arrayGrain ? cut : this.#detach(cut, '.' + name)
  }

  #cutList(list: readonly unknown[], name: string, cutItem: (item: unknown) => Cut): Cut {
    const items = list.map(cutItem)
    const at = new Map<string, Place>()
    items.forEach((item, i) => {
      if (item.place) at.set(String(i), item.place)
    })
    const below = at.size > 0 ? { length: list.length, at } : undefined
    const size = items.reduce((sum, item) => sum + item.size, 3)
    if (size > this.#grain) {
      const pool = isPlainList(list) ? '.' + name : ''
      return {
        rest: undefined,
        size: 1,
        levels: 0,
        place: { kind: 'list', runs: this.#runs(items, pool), below }
      }
    }
    return {
      rest: items.some((item, i) => item.rest !== list[i]) ? items.map(item => item.rest) : list,
      size,
      levels: 1 + items.reduce((most, item) => Math.max(most, item.levels), 0),
      place: below && { kind: 'inner', below }
    }
  }

  #runs(items: readonly Cut[], pool: string): { count: number; piece: Piece }[] {
    const runs: { count: number; piece: Piece }[] = []
    let run: unknown[] = []
    let size = 0
    const close = () => {
      if (run.length > 0) runs.push({ count: run.length, piece: this.#store(run, size, pool) })
      run = []
      size = 0
    }
    for (const item of items) {
      if (size + item.size > this.#grain) close()
      run.push(item.rest)
      size += item.size
    }
    close()
    return runs
  }

  #cutMap(map: JsonObject): Cut {
    const names = Object.keys(map)
    const members = names.map(name => this.#cut(map[name], name))
    let size = names.reduce((sum, name, i) => sum + name.length + 1 + members[i]!.size, 3)
    if (size > this.#grain) {
      const bySize = members.map((_, i) => i).sort((a, b) => members[b]!.size - members[a]!.size)
      for (const i of bySize) {
        const member = members[i]!
        if (size <= this.#grain || member.size < MEMBER_GRAIN) break
        members[i] = this.#detach(member, '')
        size -= member.size - 1
      }
    }
    const at = new Map<string, Place>()
    names.forEach((name, i) => {
      const { place } = members[i]!
      if (place) at.set(name, place)
    })
    const below = at.size > 0 ? { at } : undefined
    if (size > 2 * this.#grain) {
      return { rest: undefined, size: 1, levels: 0, place: this.#spread(names, members, below) }
    }
    const keys = names.map(name => this.#key(name))
    const changed = members.some((member, i) => member.rest !== map[names[i]!] || keys[i] !== names[i])
    return {
      rest: changed ? Object.fromEntries(keys.map((key, i) => [key, members[i]!.rest])) : map,
      size,
      levels: 1 + members.reduce((most, member) => Math.max(most, member.levels), 0),
      place: below && { kind: 'inner', below }
    }
  }

  /** A map of very many small members, as several pieces. */
  #spread(names: readonly string[], members: readonly Cut[], below: Below | undefined): Place {
    const pieces: Piece[] = []
    let part: Record<string, unknown> = {}
    let size = 0
    names.forEach((name, i) => {
      part[this.#key(name)] = members[i]!.rest
      size += name.length + 1 + members[i]!.size
      if (size < this.#grain && i < names.length - 1) return
      pieces.push(this.#store(part, size, ''))
      part = {}
      size = 0
    })
    return { kind: 'map', pieces, below }
  }

  /** Makes a piece of what a cut has left; what is one already stays. */
  #detach(cut: Cut, pool: string): Cut {
    if (cut.place && cut.place.kind !== 'inner') return cut
    const place: Place = {
      kind: 'piece',
      piece: this.#store(cut.rest, cut.size, pool),
      below: cut.place?.below
    }
    return { rest: undefined, size: 1, levels: 0, place }
  }

  /** Adds a piece to the open block of its pool; where it stands is known when that block is closed. */
  #store(value: unknown, size: number, pool: string): Piece {
    let open = this.#open.get(pool)
    if (open && open.size + size > this.#grain) {
      this.#close(pool)
      open = undefined
    }
    if (!open) {
      open = { values: [], pieces: [], size: 0 }
      this.#open.set(pool, open)
    }
    const piece: Piece = { block: 0, slot: open.values.length }
    open.values.push(value)
    open.pieces.push(piece)
    open.size += size
    this.#openBytes += size
    if (open.size >= this.#grain) this.#close(pool)
    else if (this.#openBytes > OPEN_LIMIT) {
      const [largest] = [...this.#open].reduce((a, b) => (b[1].size > a[1].size ? b : a))
      this.#close(largest)
    }
    return piece
  }

  #close(pool: string): void {
    const open = this.#open.get(pool)!
    this.#open.delete(pool)
    this.#openBytes -= open.size
    this.#closed.push(open)
    const number = this.#rows.length + this.#closed.length
    for (const piece of open.pieces) piece.block = number
  }

  /** Joins what is left in open blocks of arrays, largest first; the rest of sections keep blocks of their own. */
  #closeAll(): void {
    let joined: OpenBlock = { values: [], pieces: [], size: 0 }
    for (const [pool, open] of [...this.#open].sort((a, b) => b[1].size - a[1].size)) {
      if (!pool.startsWith('.') || open.size > this.#grain / 2) {
        this.#close(pool)
        continue
      }
      this.#open.delete(pool)
      if (joined.size + open.size > this.#grain) {
        this.#open.set('joined', joined)
        this.#close('joined')
        joined = { values: [], pieces: [], size: 0 }
      }
      for (const piece of open.pieces) piece.slot += joined.values.length
      joined.values.push(...open.values)
      joined.pieces.push(...open.pieces)
      joined.size += open.size
    }
    if (joined.values.length === 0) return
    this.#open.set('joined', joined)
    this.#close('joined')
  }

  #key(name: string): string {
    const key = packedKey(name)
    if (key !== name) this.#marked = true
    return key
  }
}
