/**
 * Cutting values into pieces. Sub-trees are cut at the borders of sections and lists into pieces of at most some tens of
 * kilobytes; long lists of plain values (arrays of numbers) become pieces of their own, so that the small values beside
 * them can be read without them.
 */
import type { BlockBuilder } from './block-builder.ts'
import type { Below, Piece, Place, Run } from './contents.ts'
import type { JsonObject } from './definitions.ts'

/** Smallest member that is taken out of a map that is too large. */
const MEMBER_GRAIN = 256

/** Levels of a piece, so that nothing recurses deeply while unpacking. */
const LEVELS = 100

/** Bytes that a value takes when packed, about; exact enough to cut by. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) < 65536 ? 3 : 9
  if (typeof value !== 'object' || value === null) return 1
  let size = 3
  if (Array.isArray(value)) for (const item of value) size += sizeOf(item)
  else for (const key of Object.keys(value)) size += key.length + 1 + sizeOf((value as JsonObject)[key])
  return size
}

/** Whether there are only plain values in a list and in the lists in it. */
export function isPlainList(value: unknown): value is readonly unknown[] {
  return (
    Array.isArray(value) &&
    value.every(item => typeof item !== 'object' || item === null || isPlainList(item))
  )
}

/** What remains of a value after cutting: `rest` has `undefined` where something was taken out. */
export interface Cut {
  rest: unknown
  size: number
  levels: number
  place?: Place | undefined
}

/** Cuts values into the pieces of one archive. */
export class Cutter {
  readonly #blocks: BlockBuilder
  /** Bytes from which on a list of plain values is a piece of its own. */
  readonly #arrayGrain: number

  constructor(blocks: BlockBuilder, arrayGrain: number) {
    this.#blocks = blocks
    this.#arrayGrain = arrayGrain
  }

  /**
   * Cuts a value.
   * @param name nearest key above; arrays of one name share blocks
   */
  cut(value: unknown, name: string): Cut {
    if (typeof value !== 'object' || value === null) return { rest: value, size: sizeOf(value), levels: 0 }
    const cut = isPlainList(value)
      ? this.cutPlainList(value, name)
      : Array.isArray(value)
        ? this.#cutList(value, name, item => this.cut(item, name))
        : this.#cutMap(value as JsonObject)
    return this.flat(cut)
  }

  /** Makes a piece of what has many levels. */
  flat(cut: Cut): Cut {
    return cut.levels > LEVELS ? this.detach(cut, '') : cut
  }

  /** Cuts a list that `isPlainList`. */
  cutPlainList(list: readonly unknown[], name: string): Cut {
    const size = sizeOf(list)
    if (size > this.#blocks.grain) {
      return this.#cutList(list, name, item => {
        const itemSize = sizeOf(item)
        return itemSize > this.#blocks.grain && Array.isArray(item)
          ? this.cutPlainList(item, name)
          : { rest: item, size: itemSize, levels: 1 }
      })
    }
    const cut: Cut = { rest: list, size, levels: 1 }
    return size < this.#arrayGrain ? cut : this.detach(cut, '.' + name)
  }

  #cutList(list: readonly unknown[], name: string, cutItem: (item: unknown) => Cut): Cut {
    const items = list.map(cutItem)
    const at = new Map<string, Place>()
    items.forEach((item, i) => {
      if (item.place) at.set(String(i), item.place)
    })
    const below = at.size > 0 ? { length: list.length, at } : undefined
    const size = items.reduce((sum, item) => sum + item.size, 3)
    if (size > this.#blocks.grain) {
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

  #runs(items: readonly Cut[], pool: string): Run[] {
    const runs: Run[] = []
    let run: unknown[] = []
    let size = 0
    const close = () => {
      if (run.length > 0) runs.push({ count: run.length, piece: this.#blocks.store(run, size, pool) })
      run = []
      size = 0
    }
    for (const item of items) {
      if (size + item.size > this.#blocks.grain) close()
      run.push(item.rest)
      size += item.size
    }
    close()
    return runs
  }

  #cutMap(map: JsonObject): Cut {
    const names = Object.keys(map)
    const members = names.map(name => this.cut(map[name], name))
    const size = this.shrink(
      members,
      names.reduce((sum, name, i) => sum + name.length + 1 + members[i]!.size, 3)
    )
    const below = belowOf(names, members)
    if (size > 2 * this.#blocks.grain) {
      return { rest: undefined, size: 1, levels: 0, place: this.#spread(names, members, below) }
    }
    const keys = names.map(name => this.#blocks.key(name))
    const changed = members.some((member, i) => member.rest !== map[names[i]!] || keys[i] !== names[i])
    return {
      rest: changed ? Object.fromEntries(keys.map((key, i) => [key, members[i]!.rest])) : map,
      size,
      levels: 1 + members.reduce((most, member) => Math.max(most, member.levels), 0),
      place: below && { kind: 'inner', below }
    }
  }

  /**
   * Makes pieces of the largest members of a map that is too large.
   * @param size of the map
   * @returns its size afterwards
   */
  shrink(members: Cut[], size: number): number {
    if (size <= this.#blocks.grain) return size
    let left = size
    const bySize = members.map((_, i) => i).sort((a, b) => members[b]!.size - members[a]!.size)
    for (const i of bySize) {
      const member = members[i]!
      if (left <= this.#blocks.grain || member.size < MEMBER_GRAIN) break
      members[i] = this.detach(member, '')
      left -= member.size - 1
    }
    return left
  }

  /** A map of very many small members, as several pieces. */
  #spread(names: readonly string[], members: readonly Cut[], below: Below | undefined): Place {
    const pieces: Piece[] = []
    let part: Record<string, unknown> = {}
    let size = 0
    names.forEach((name, i) => {
      part[this.#blocks.key(name)] = members[i]!.rest
      size += name.length + 1 + members[i]!.size
      if (size < this.#blocks.grain && i < names.length - 1) return
      pieces.push(this.#blocks.store(part, size, ''))
      part = {}
      size = 0
    })
    return { kind: 'map', pieces, below }
  }

  /** Makes a piece of what a cut has left; what is one already stays. */
  detach(cut: Cut, pool: string): Cut {
    if (cut.place && cut.place.kind !== 'inner') return cut
    const place: Place = {
      kind: 'piece',
      piece: this.#blocks.store(cut.rest, cut.size, pool),
      below: cut.place?.below
    }
    return { rest: undefined, size: 1, levels: 0, place }
  }
}

/** What stands elsewhere of the members of a map. */
export function belowOf(names: readonly string[], members: readonly Cut[]): Below | undefined {
  const at = new Map<string, Place>()
  names.forEach((name, i) => {
    const { place } = members[i]!
    if (place) at.set(name, place)
  })
  return at.size > 0 ? { at } : undefined
}
