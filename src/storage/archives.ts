/**
 * The port to the archive store. An archive is kept as a table of contents and blocks (`archive/block.ts`); a
 * store only keeps and gives bytes. Adapters: `sqlite/`, `mongodb/`.
 */

/** One block to store: packed bytes under a number from 1 on. */
export interface ArchiveBlock {
  readonly number: number
  readonly bytes: Uint8Array
}

/** An archive's table of contents as stored. */
export interface ArchiveContents {
  readonly entryId: string
  readonly uploadId: string
  /** Changes with every `put`; blocks are asked for with it, so that an old and a new archive never mix. */
  readonly generation: string
  readonly bytes: Uint8Array
}

/** Names one block of one generation of an archive. */
export interface BlockAddress {
  readonly entryId: string
  readonly generation: string
  readonly number: number
}

/** The archive store. */
export interface ArchiveStore {
  /**
   * Replaces an entry's archive. `write` is called with a function that stores one block, and gives the table of
   * contents, which is stored last: readers see the old archive or the new one, never a mixture, and a process killed
   * in between leaves the old one. What the old one used is removed afterwards.
   */
  put(
    entryId: string,
    uploadId: string,
    write: (store: (block: ArchiveBlock) => Promise<void>) => Promise<Uint8Array>
  ): Promise<void>
  /** The tables of contents of those entries that have an archive, in one round trip. */
  contents(entryIds: readonly string[]): Promise<Map<string, ArchiveContents>>
  /** The blocks that exist, keyed by `blockKey`, in one round trip. */
  blocks(addresses: readonly BlockAddress[]): Promise<Map<string, Uint8Array>>
  /** Ids of the entries that have an archive, in order of ids and some at a time. */
  entryIds(): AsyncIterable<readonly string[]>
  /** Removes archives; unknown ids are no error. */
  remove(entryIds: readonly string[]): Promise<void>
  /**
   * Asks for a sign of life.
   * @param limit milliseconds
   * @throws Error when the store does not answer within them, or cannot be used
   */
  ping(limit: number): Promise<void>
  close(): Promise<void>
}

/** Key of a block in the answer of {@link ArchiveStore.blocks}. */
export function blockKey(address: Pick<BlockAddress, 'entryId' | 'number'>): string {
  return `${address.entryId}/${address.number}`
}
