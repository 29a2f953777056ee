/** Reading the blocks of one archive. */
import type { ReadBlocks } from '../archive/stored-blocks.ts'
import { type ArchiveContents, type ArchiveStore, blockKey } from './archives.ts'

/** Reads blocks of an archive, each time in one round trip. @param store where they come from */
export function blockReader(
  store: Pick<ArchiveStore, 'blocks'>,
  { entryId, generation }: ArchiveContents
): ReadBlocks {
  return async numbers => {
    const found = await store.blocks(numbers.map(number => ({ entryId, generation, number })))
    return new Map(
      numbers.flatMap(number => {
        const bytes = found.get(blockKey({ entryId, number }))
        return bytes ? [[number, bytes] as const] : []
      })
    )
  }
}
