/**
 * Packing an archive that comes in parts (`parts.ts`) into blocks and a table of contents, as `pack.ts` does it with
 * archives in memory. Memory holds a few megabytes, whatever the size of the archive: long lists become runs as they arrive.
 */
import type { ArchiveBlock } from '../storage/archives.ts'
import { BlockBuilder } from './block-builder.ts'
import { type Below, type Place, writeContents } from './contents.ts'
import { type Cut, Cutter } from './cutting.ts'
import type { JsonObject } from './definitions.ts'
import { type Growing, GrowingList, GrowingMap, Names } from './growing.ts'
import { ARRAY_GRAIN, packArchive, SECTION_GRAIN } from './pack.ts'
import type { ArchivePart, ArchiveParts } from './parts.ts'

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
