/**
 * Packing an archive that comes in parts (`parts.ts`) into blocks and a table of contents, as `pack.ts` does it with
 * archives in memory. Memory holds a few megabytes, whatever the size of the archive: long lists become runs as they arrive.
 */
import type { ArchiveBlock } from '../storage/archives.ts'
import { BlockBuilder } from './block-builder.ts'
import { type Below, type Piece, type Place, type Run, writeContents, writeSheet } from './contents.ts'
import { belowOf, type Cut, Cutter, isPlainList, sizeOf } from './cutting.ts'
import type { JsonObject } from './definitions.ts'
import { ARRAY_GRAIN, packArchive, SECTION_GRAIN } from './pack.ts'
import { type ArchivePart, type ArchiveParts, UnusableArchive } from './parts.ts'

/** A packed archive on its way to the store. */
export interface PackedStream {
  /** Every block, in any order; packed one by one as they are taken. Can be read once. */
  readonly blocks: AsyncIterable<ArchiveBlock>
  /** The table of contents; there when all blocks were taken. */
  contents(): Uint8Array
}

/**
 * Packs an archive that comes in parts.
 * @throws UnusableArchive (from `blocks`) when a map has a key twice; errors of `parts` as they come
 */
export function packStream(parts: ArchiveParts): PackedStream {
  let done: (() => Uint8Array) | undefined
  async function* blocks(): AsyncGenerator<ArchiveBlock> {
    const packing = new StreamPacking()
    for await (const part of parts) {
      if (part.kind === 'value' && packing.isEmpty) {
        const packed = packArchive(part.value as JsonObject)
        yield* packed.blocks
        done = () => packed.contents()
        continue
      }
      packing.add(part)
      yield* packing.blocks.take()
    }
    if (done) return
    const root = packing.end()
    yield* packing.blocks.take()
    done = () => writeContents({ ...root, blocks: packing.blocks.rows, marked: packing.blocks.marked })
  }
  return {
    blocks: blocks(),
    contents() {
      if (!done) throw new Error('The table of contents is complete only after the last block.')
      return done()
    }
  }
}

/** A list or map that has begun. */
interface Growing {
  add(name: string, cut: Cut): void
  addItems(items: readonly unknown[]): void
  end(): Cut
}

/** A container that has begun, the key that it has, and the nearest key for items of lists. */
interface Opened {
  readonly container: Growing
  readonly key: string
  readonly name: string
}

class StreamPacking {
  readonly blocks = new BlockBuilder()
  readonly #cutter = new Cutter(this.blocks, ARRAY_GRAIN)
  readonly #open: Opened[] = []
  #key = ''
  #root: GrowingRoot | undefined

  get isEmpty(): boolean {
    return this.#root === undefined
  }

  add(part: ArchivePart): void {
    switch (part.kind) {
      case 'key':
        this.#key = part.name
        return
      case 'map':
      case 'list':
        this.#open.push(this.#begin(part.kind))
        this.#key = ''
        return
      case 'end': {
        const { container, key } = this.#open.pop()!
        this.#above()?.add(key, container.end())
        return
      }
      case 'value':
        this.#above()!.add(this.#key, this.#cutter.cut(part.value, this.#key))
        return
      case 'members':
        for (const [name, value] of Object.entries(part.members)) {
          this.#above()!.add(name, this.#cutter.cut(value, name))
        }
        return
      case 'items':
        this.#above()!.addItems(part.items)
    }
  }

  /** What is left of the archive's uppermost level. */
  end(): { rest: Record<string, unknown>; below: Below } {
    this.blocks.closeAll()
    return this.#root!.left
  }

  #above(): Growing | undefined {
    return this.#open[this.#open.length - 1]?.container
  }

  #begin(kind: 'map' | 'list'): Opened {
    const above = this.#open[this.#open.length - 1]
    if (!above) {
      this.#root = new GrowingRoot(this.blocks, this.#cutter)
      return { container: this.#root, key: '', name: '' }
    }
    const key = this.#key
    const name = key || above.name
    const container =
      kind === 'list'
        ? new GrowingList(name, this.blocks, this.#cutter)
        : new GrowingMap(this.blocks, this.#cutter)
    return { container, key, name }
  }
}

/** The archive itself: its sections. */
class GrowingRoot implements Growing {
  readonly #rest: Record<string, unknown> = {}
  readonly #at = new Map<string, Place>()
  readonly #names = new Names()
  readonly #blocks: BlockBuilder
  readonly #cutter: Cutter

  constructor(blocks: BlockBuilder, cutter: Cutter) {
    this.#blocks = blocks
    this.#cutter = cutter
  }

  get left(): { rest: Record<string, unknown>; below: Below } {
    return { rest: this.#rest, below: { at: this.#at } }
  }

  add(name: string, section: Cut): void {
    this.#names.add(name)
    const { rest, place } = section.size >= SECTION_GRAIN ? this.#cutter.detach(section, '/') : section
    this.#rest[this.#blocks.key(name)] = rest
    if (place) this.#at.set(name, place)
  }

  addItems(): void {
    throw new TypeError('an archive is no list')
  }

  end(): Cut {
    return { rest: undefined, size: 1, levels: 0 }
  }
}

/** A map; what is too much of it is written as sheets of members. */
class GrowingMap implements Growing {
  readonly #blocks: BlockBuilder
  readonly #cutter: Cutter
  readonly #known = new Names()
  readonly #sheets: Piece[] = []
  #names: string[] = []
  #members: Cut[] = []
  #size = 3

  constructor(blocks: BlockBuilder, cutter: Cutter) {
    this.#blocks = blocks
    this.#cutter = cutter
  }

  add(name: string, cut: Cut): void {
    this.#known.add(name)
    this.#names.push(name)
    this.#members.push(cut)
    this.#size += name.length + 1 + cut.size
    if (this.#size <= 4 * this.#blocks.grain) return
    this.#size = this.#cutter.shrink(this.#members, this.#size)
    if (this.#size > 2 * this.#blocks.grain) this.#write()
  }

  addItems(): void {
    throw new TypeError('a map has no items')
  }

  end(): Cut {
    this.#size = this.#cutter.shrink(this.#members, this.#size)
    if (this.#sheets.length > 0) {
      this.#write()
      return {
        rest: undefined,
        size: 1,
        levels: 0,
        place: { kind: 'map', pieces: this.#sheets, ownBelow: true }
      }
    }
    const below = belowOf(this.#names, this.#members)
    const cut: Cut = {
      rest: this.#rest(),
      size: this.#size,
      levels: 1 + this.#members.reduce((most, member) => Math.max(most, member.levels), 0),
      place: below && { kind: 'inner', below }
    }
    return this.#cutter.flat(cut)
  }

  #rest(): Record<string, unknown> {
    return Object.fromEntries(this.#names.map((name, i) => [this.#blocks.key(name), this.#members[i]!.rest]))
  }

  #write(): void {
    if (this.#names.length === 0) return
    const below = belowOf(this.#names, this.#members)
    const sheet = writeSheet({ content: this.#rest(), below })
    this.#sheets.push(this.#blocks.store(sheet, this.#size, ''))
    this.#names = []
    this.#members = []
    this.#size = 3
  }
}

/** A list; what is too much of it is written as sheets of items. */
class GrowingList implements Growing {
  readonly #name: string
  readonly #blocks: BlockBuilder
  readonly #cutter: Cutter
  readonly #runs: Run[] = []
  /** There are only plain values so far: they are an array, in which nothing is read by itself. */
  #plain = true
  #rest: unknown[] = []
  #at = new Map<string, Place>()
  #size = 3
  #levels = 0

  constructor(name: string, blocks: BlockBuilder, cutter: Cutter) {
    this.#name = name
    this.#blocks = blocks
    this.#cutter = cutter
  }

  add(_: string, cut: Cut): void {
    this.#plain = false
    this.#put(cut.rest, cut.size, cut.levels, cut.place)
  }

  addItems(items: readonly unknown[]): void {
    for (const item of items) {
      if (typeof item !== 'object' || item === null) {
        this.#put(item, sizeOf(item), 0, undefined)
        continue
      }
      const size = this.#plain && isPlainList(item) ? sizeOf(item) : Number.POSITIVE_INFINITY
      if (size <= this.#blocks.grain) {
        this.#put(item, size, 1, undefined)
        continue
      }
      const cut = this.#cutter.cut(item, this.#name)
      if (size === Number.POSITIVE_INFINITY) this.#plain = false
      this.#put(cut.rest, cut.size, cut.levels, cut.place)
    }
  }

  end(): Cut {
    if (this.#runs.length > 0) {
      this.#write()
      return {
        rest: undefined,
        size: 1,
        levels: 0,
        place: { kind: 'list', runs: this.#runs, ownBelow: true }
      }
    }
    const at = this.#at
    const below = at.size > 0 ? { length: this.#rest.length, at } : undefined
    const cut: Cut = {
      rest: this.#rest,
      size: this.#size,
      levels: 1 + this.#levels,
      place: below && { kind: 'inner', below }
    }
    const isArray = this.#plain && !below && this.#size >= ARRAY_GRAIN
    return isArray ? this.#cutter.detach(cut, '.' + this.#name) : this.#cutter.flat(cut)
  }

  #put(rest: unknown, size: number, levels: number, place: Place | undefined): void {
    if (this.#size + size > this.#blocks.grain) this.#write()
    if (place) this.#at.set(String(this.#rest.length), place)
    this.#rest.push(rest)
    this.#size += size
    this.#levels = Math.max(this.#levels, levels)
  }

  #write(): void {
    const count = this.#rest.length
    if (count === 0) return
    const below = this.#at.size > 0 ? { length: count, at: this.#at } : undefined
    const sheet = writeSheet({ content: this.#rest, below })
    this.#runs.push({
      count,
      piece: this.#blocks.store(sheet, this.#size, this.#plain ? '.' + this.#name : '')
    })
    this.#rest = []
    this.#at = new Map()
    this.#size = 3
  }
}

/** The names in one map. */
class Names {
  readonly #names = new Set<string>()

  /** @throws UnusableArchive when the name is there already */
  add(name: string): void {
    if (this.#names.has(name)) throw new UnusableArchive(`has a section with the key ${name} twice`)
    this.#names.add(name)
  }
}
