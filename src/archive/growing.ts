/**
 * Lists and maps that are packed while they come. What is too much of one is written as sheets (`contents.ts`), so that
 * only its last items or members are in memory.
 */
import type { BlockBuilder } from './block-builder.ts'
import { type Piece, type Place, type Run, writeSheet } from './contents.ts'
import { belowOf, type Cut, type Cutter, isPlainList, sizeOf } from './cutting.ts'
import { ARRAY_GRAIN } from './pack.ts'
import { UnusableArchive } from './parts.ts'

/** A list or map that has begun. */
export interface Growing {
  /** A member of a map, or an item of a list, whose name does not count. */
  add(name: string, cut: Cut): void
  /** Items of a list. */
  addItems(items: readonly unknown[]): void
  /** What remains of it when it is complete. */
  end(): Cut
}

/** A map; what is too much of it is written as sheets of members. */
export class GrowingMap implements Growing {
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
export class GrowingList implements Growing {
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
export class Names {
  readonly #names = new Set<string>()

  /** @throws UnusableArchive when the name is there already */
  add(name: string): void {
    if (this.#names.has(name)) throw new UnusableArchive(`has a section with the key ${name} twice`)
    this.#names.add(name)
  }
}
