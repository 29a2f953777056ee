/** The blocks of one stored archive, of which some are in memory. Pure: the bytes come from a function. */
import { failure } from '../errors.ts'
import { checksum, PackedPieces } from './block.ts'
import type { BlockRow } from './contents.ts'

/** Gives the packed bytes of blocks, by their numbers; those that are not there are left out. */
export type ReadBlocks = (numbers: readonly number[]) => Promise<ReadonlyMap<number, Uint8Array>>

/** Packed bytes that are read at once, and that are kept for pieces that come later. */
const AHEAD = 256 * 1024
const KEPT = 1024 * 1024

/** See above. Blocks that were used long ago are given up, and read again when they are needed. */
export class StoredBlocks {
  readonly #entryId: string
  readonly #rows: readonly BlockRow[]
  readonly #read: ReadBlocks
  /** The one that was used last comes last. */
  readonly #kept = new Map<number, PackedPieces>()
  #bytes = 0

  constructor(entryId: string, rows: readonly BlockRow[], read: ReadBlocks) {
    this.#entryId = entryId
    this.#rows = rows
    this.#read = read
  }

  /** A block, if it is in memory. */
  loaded(block: number): PackedPieces | undefined {
    const pieces = this.#kept.get(block)
    if (!pieces) return undefined
    this.#kept.delete(block)
    this.#kept.set(block, pieces)
    return pieces
  }

  /**
   * Reads a block, and those after it, which are likely to be next.
   * @throws SeraiError ARCHIVE_DAMAGED
   */
  async load(block: number): Promise<PackedPieces> {
    const wanted = this.#following(block, AHEAD).filter(n => !this.#kept.has(n))
    const found = await this.#read(wanted)
    for (const n of wanted.toReversed()) {
      const bytes = requireBlock(this.#entryId, this.#rows, n, found.get(n))
      this.#kept.set(n, new PackedPieces(bytes))
      this.#bytes += bytes.byteLength
    }
    const pieces = this.#kept.get(block)!
    for (const n of this.#kept.keys()) {
      if (this.#bytes <= KEPT) break
      this.#kept.delete(n)
      this.#bytes -= this.#rows[n - 1]!.bytes
    }
    return pieces
  }

  /** Gives up the blocks in memory. */
  forget(): void {
    this.#kept.clear()
    this.#bytes = 0
  }

  /**
   * Sees that every block is there and has its checksum, without looking into them.
   * @throws SeraiError ARCHIVE_DAMAGED
   */
  async require(): Promise<void> {
    for (let number = 1; number <= this.#rows.length; ) {
      const some = this.#following(number, KEPT)
      const found = await this.#read(some)
      for (const n of some) requireBlock(this.#entryId, this.#rows, n, found.get(n))
      number += some.length
    }
  }

  /** The error for a block that does not hold what the table of contents tells. */
  damaged(block: number): Error {
    return failure('ARCHIVE_DAMAGED', { entry_id: this.#entryId, block })
  }

  /** Numbers of blocks from one on, up to some bytes. */
  #following(from: number, bytes: number): number[] {
    const numbers = [from]
    let sum = this.#rows[from - 1]?.bytes ?? 0
    for (let n = from + 1; n <= this.#rows.length; n++) {
      sum += this.#rows[n - 1]!.bytes
      if (sum > bytes) break
      numbers.push(n)
    }
    return numbers
  }
}

/**
 * The bytes of a block, if they are those that the table of contents tells of.
 * @param rows of the table of contents
 * @throws SeraiError ARCHIVE_DAMAGED
 */
export function requireBlock(
  entryId: string,
  rows: readonly BlockRow[],
  number: number,
  bytes: Uint8Array | undefined
): Uint8Array {
  const row = rows[number - 1]
  if (bytes && bytes.byteLength === row?.bytes && checksum(bytes) === row.checksum) return bytes
  throw failure('ARCHIVE_DAMAGED', { entry_id: entryId, block: number })
}
