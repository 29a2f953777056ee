/**
 * The port to the archive store. An archive is kept as a table of contents and blocks (`archive/block.ts`); a
 * store only keeps and gives bytes by entry and block number. Adapters: `sqlite/`, `mongodb/`.
 */

/** One stored block: packed bytes; number 0 is the table of contents. */
export interface StoredBlock {
  readonly number: number
  readonly bytes: Uint8Array
}

/** Names one block. */
export interface BlockAddress {
  readonly entryId: string
  readonly number: number
}

/** The archive store. */
export interface ArchiveStore {
  /**
   * Replaces an entry's archive. Readers see the old or the new one, never a mixture: a new generation of blocks is
   * written, the table of contents (block 0) last.
   */
  put(entryId: string, uploadId: string, blocks: AsyncIterable<StoredBlock> | Iterable<StoredBlock>): Promise<void>
  /**
   * The blocks of these addresses, keyed by `entryId` then number, in one round trip. Missing ones are left out
   * (an entry without an archive has no block 0).
   */
  read(addresses: readonly BlockAddress[]): Promise<Map<string, Map<number, Uint8Array>>>
  /** Removes archives; unknown ids are no error. */
  remove(entryIds: readonly string[]): Promise<void>
  close(): Promise<void>
}
