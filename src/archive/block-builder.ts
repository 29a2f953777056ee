/** Gathers pieces into blocks: pieces that are small share one. */
import type { ArchiveBlock } from '../storage/archives.ts'
import { checksum, pack, packedKey } from './block.ts'
import type { BlockRow, Piece } from './contents.ts'

/** Bytes of a piece and of a block before compression. */
const GRAIN = 64 * 1024

/** Largest grain of an archive that comes in parts. */
const LARGEST_GRAIN = 1024 * 1024

/** Bytes that wait in open blocks before the largest of them is closed. */
const OPEN_LIMIT = 8 * 1024 * 1024

/** In the largest archives blocks grow, so that the table of contents does not. */
const MOST_PIECES = 4096

/** Blocks before the grain of an archive in parts grows for the first time, and before each further time. */
const BLOCKS_BEFORE_GROWTH = 2048
const BLOCKS_BETWEEN_GROWTH = 1024

/** Pieces that will make one block. */
interface OpenBlock {
  /** 0 until it is known. */
  number: number
  values: unknown[]
  pieces: Piece[]
  size: number
}

/** See above. Sizes are bytes before compression. */
export class BlockBuilder {
  /** Bytes of a piece and of a block. */
  grain: number
  /** Some keys are marked, see `packedKey`. */
  marked = false
  readonly #inParts: boolean
  readonly #open = new Map<string, OpenBlock>()
  readonly #closed: OpenBlock[] = []
  readonly #rows: BlockRow[] = []
  #openBytes = 0
  #numbers = 0
  #growth = BLOCKS_BEFORE_GROWTH

  /**
   * @param size of the archive. Without it the grain grows as blocks become many, and where a piece stands is known at
   *   once; else it is known when its block is closed
   */
  constructor(size?: number) {
    this.#inParts = size === undefined
    this.grain = Math.max(GRAIN, Math.ceil((size ?? 0) / MOST_PIECES))
  }

  /** Row `n - 1` is of block `n`; complete when all blocks were taken. */
  get rows(): readonly BlockRow[] {
    return this.#rows
  }

  /**
   * Adds a piece to the open block of its pool.
   * @param pool pieces of one pool share blocks; `.` before the name of a quantity for the values of arrays
   */
  store(value: unknown, size: number, pool: string): Piece {
    let open = this.#open.get(pool)
    if (open && open.size + size > this.grain) {
      this.#close(pool)
      open = undefined
    }
    if (!open) {
      open = { number: this.#inParts ? ++this.#numbers : 0, values: [], pieces: [], size: 0 }
      this.#open.set(pool, open)
    }
    const piece: Piece = { block: open.number, slot: open.values.length }
    open.values.push(value)
    open.pieces.push(piece)
    open.size += size
    this.#openBytes += size
    if (open.size >= this.grain) this.#close(pool)
    else if (this.#openBytes > OPEN_LIMIT) {
      const [largest] = [...this.#open].reduce((a, b) => (b[1].size > a[1].size ? b : a))
      this.#close(largest)
    }
    return piece
  }

  /** The key as it is packed. */
  key(name: string): string {
    const key = packedKey(name)
    if (key !== name) this.marked = true
    return key
  }

  /** Packs the blocks that have been closed and not been taken. */
  *take(): Generator<ArchiveBlock> {
    for (const { number, values } of this.#closed.splice(0)) {
      const bytes = pack(values)
      this.#rows[number - 1] = { checksum: checksum(bytes), bytes: bytes.byteLength }
      yield { number, bytes }
    }
  }

  /** Closes all blocks; small ones of arrays are joined where that is possible. */
  closeAll(): void {
    if (!this.#inParts) this.#joinArrays()
    for (const pool of [...this.#open.keys()]) this.#close(pool)
  }

  #close(pool: string): void {
    const open = this.#open.get(pool)!
    this.#open.delete(pool)
    this.#openBytes -= open.size
    this.#closed.push(open)
    if (!this.#inParts) {
      open.number = ++this.#numbers
      for (const piece of open.pieces) piece.block = open.number
    } else if (this.#numbers > this.#growth && this.grain < LARGEST_GRAIN) {
      this.grain *= 2
      this.#growth += BLOCKS_BETWEEN_GROWTH
    }
  }

  /** Joins what is left in open blocks of arrays, largest first; the rest of sections keep blocks of their own. */
  #joinArrays(): void {
    let joined: OpenBlock = { number: 0, values: [], pieces: [], size: 0 }
    for (const [pool, open] of [...this.#open].sort((a, b) => b[1].size - a[1].size)) {
      if (!pool.startsWith('.') || open.size > this.grain / 2) {
        this.#close(pool)
        continue
      }
      this.#open.delete(pool)
      if (joined.size + open.size > this.grain) {
        this.#open.set('joined', joined)
        this.#close('joined')
        joined = { number: 0, values: [], pieces: [], size: 0 }
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
}
