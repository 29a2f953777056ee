/** Writing of the blocks of one archive, some at a time. */
import { Binary, type Collection } from 'mongodb'
import type { ArchiveBlock } from '../archives.ts'
import type { Stored } from './mongo-database.ts'

/** Bytes of blocks that are gathered for one write. */
const WRITE_SLICE = 4 * 1024 * 1024

/** Blocks in one write. */
const WRITE_COUNT = 1000

/** Gathers blocks and writes them; at last {@link flush} is called. */
export class BlockWriter {
  readonly #entryId: string
  readonly #generation: string
  readonly #blocks: Collection<Stored>
  readonly #renew: () => Promise<void>
  #waiting: Stored[] = []
  #bytes = 0

  /** @param renew called after some blocks were written, as a sign of life */
  constructor(entryId: string, generation: string, blocks: Collection<Stored>, renew: () => Promise<void>) {
    this.#entryId = entryId
    this.#generation = generation
    this.#blocks = blocks
    this.#renew = renew
  }

  async add({ number, bytes }: ArchiveBlock): Promise<void> {
    this.#waiting.push({
      _id: storedKey(this.#generation, number),
      generation: this.#generation,
      entry_id: this.#entryId,
      bytes: new Binary(bytes)
    })
    this.#bytes += bytes.byteLength
    if (this.#bytes < WRITE_SLICE && this.#waiting.length < WRITE_COUNT) return
    await this.flush()
    await this.#renew()
  }

  async flush(): Promise<void> {
    const blocks = this.#waiting
    this.#waiting = []
    this.#bytes = 0
    if (blocks.length > 0) await this.#blocks.insertMany(blocks, { ordered: false })
  }
}

/** Key of a block, which begins with its generation. */
export function storedKey(generation: string, number: number): string {
  return `${generation}/${number}`
}
