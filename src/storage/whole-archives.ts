/** Reading archives as they are: only their packed bytes come into memory, those of the largest ones block by block. */
import { StoredText } from '../archive/stored-text.ts'
import type { ReadPart } from './archive-reader.ts'
import { type ArchiveContents, type ArchiveStore, type BlockAddress, blockKey } from './archives.ts'
import { blockReader } from './block-reader.ts'

/** Packed bytes of archives that are read together. */
const BYTES_AT_ONCE = 256 * 1024

/** Packed bytes from which on an archive is read block by block. */
const LARGE = 2 * 1024 * 1024

/** Where blocks come from. */
type Blocks = Pick<ArchiveStore, 'blocks'>

/**
 * The archives of entries as they are, in their order. What is damaged in them is told before their part is given, not when half
 * of it is sent.
 * @param contents those that there are, by entry id
 * @param signal ends the reading
 * @throws SeraiError ARCHIVE_DAMAGED
 */
export async function* wholeParts(
  entryIds: readonly string[],
  contents: ReadonlyMap<string, ArchiveContents>,
  store: Blocks,
  signal?: AbortSignal
): AsyncGenerator<ReadPart> {
  for (let next = 0; next < entryIds.length; ) {
    signal?.throwIfAborted()
    let held = new Map<string, Uint8Array>()
    const source: Blocks = {
      blocks: async wanted => (wanted.every(at => held.has(blockKey(at))) ? held : store.blocks(wanted))
    }
    const part = new Map<string, StoredText | undefined>()
    const addresses: BlockAddress[] = []
    for (let bytes = 0; next < entryIds.length && bytes <= BYTES_AT_ONCE; next++) {
      const entryId = entryIds[next]!
      const stored = contents.get(entryId)
      const text = stored && new StoredText(stored, blockReader(source, stored))
      part.set(entryId, text)
      bytes += text?.bytes ?? 0
      if (text && text.bytes <= LARGE) addresses.push(...text.addresses)
    }
    held = await store.blocks(addresses)
    for (const text of part.values()) await text?.require()
    yield partOf(part)
  }
}

function partOf(part: ReadonlyMap<string, StoredText | undefined>): ReadPart {
  return {
    archives: [...part].map(([entryId, whole]) => (whole ? { entryId, whole } : { entryId })),
    sources: () =>
      [...part].map(([entryId, text]) => (text ? { entryId, generation: text.generation } : { entryId }))
  }
}
