/**
 * Packing an archive into blocks and a table of contents, which tells where what stands.
 */
import type { ArchiveBlock } from '../storage/archives.ts'
import { BlockBuilder } from './block-builder.ts'
import { type Below, type Place, writeContents } from './contents.ts'
import { Cutter, sizeOf } from './cutting.ts'
import type { JsonObject } from './definitions.ts'
import { requireLevels } from './parts.ts'

/** A packed archive on its way to the store. */
export interface PackedArchiveWriter {
  /** Every block; packed one by one as they are taken. Can be read once. */
  readonly blocks: Iterable<ArchiveBlock>
  /** The table of contents; there when all blocks were taken. */
  contents(): Uint8Array
}

/** Bytes from which on a list of plain values is a piece of its own. */
export const ARRAY_GRAIN = 2 * 1024

/** Bytes from which on a top-level section is a piece of its own. */
export const SECTION_GRAIN = 512

/** In the largest archives pieces grow, so that the table of contents does not. */
const MOST_PIECES = 4096

/**
 * Packs an archive. Everything in it comes back as it was: key order, nulls, and numbers exactly.
 * @param archive a JSON object
 * @throws UnusableArchive when it is nested too deeply
 */
export function packArchive(archive: JsonObject): PackedArchiveWriter {
  requireLevels(archive)
  return new Packing(archive)
}

class Packing implements PackedArchiveWriter {
  readonly #archive: JsonObject
  readonly #blocks: BlockBuilder
  readonly #cutter: Cutter
  #done: { rest: Record<string, unknown>; below: Below } | undefined

  constructor(archive: JsonObject) {
    const size = sizeOf(archive)
    this.#archive = archive
    this.#blocks = new BlockBuilder(size)
    this.#cutter = new Cutter(this.#blocks, Math.max(ARRAY_GRAIN, Math.ceil(size / MOST_PIECES)))
  }

  get blocks(): Iterable<ArchiveBlock> {
    return this.#cutAll()
  }

  contents(): Uint8Array {
    if (!this.#done) throw new Error('The table of contents is complete only after the last block.')
    return writeContents({ ...this.#done, blocks: this.#blocks.rows, marked: this.#blocks.marked })
  }

  *#cutAll(): Generator<ArchiveBlock> {
    const rest: Record<string, unknown> = {}
    const at = new Map<string, Place>()
    for (const [name, value] of Object.entries(this.#archive)) {
      let cut = this.#cutter.cut(value, name)
      if (cut.size >= SECTION_GRAIN) cut = this.#cutter.detach(cut, '/')
      rest[this.#blocks.key(name)] = cut.rest
      if (cut.place) at.set(name, cut.place)
      yield* this.#blocks.take()
    }
    this.#blocks.closeAll()
    yield* this.#blocks.take()
    this.#done = { rest, below: { at } }
  }
}
