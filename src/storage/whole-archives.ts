/** Reading archives as they are: only their packed bytes come into memory, those of the largest ones block by block. */
import { StoredText } from '../archive/stored-text.ts'
import type { ReadPart } from './archive-reader.ts'
import { type ArchiveContents, type ArchiveStore, type BlockAddress, blockKey } from './archives.ts'

/** Packed bytes of archives that are read together. */
const BYTES_AT_ONCE = 256 * 1024

/** Packed bytes from which on an archive is read block by block. */
const LARGE = 2 * 1024 * 1024

/** An archive that was found. */
interface Found {
  readonly contents: ArchiveContents
  readonly text: StoredText
}

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
    const held = new Map<string, Uint8Array>()
    const part = new Map<string, Found | undefined>()
    const addresses: BlockAddress[] = []
    for (let bytes = 0; next < entryIds.length && bytes <= BYTES_AT_ONCE; next++) {
      const entryId = entryIds[next]!
      const stored = contents.get(entryId)
      const found = stored && { contents: stored, text: textOf(stored, store, held) }
      part.set(entryId, found)
      bytes += found?.text.bytes ?? 0
      if (found && found.text.bytes <= LARGE) addresses.push(...found.text.addresses)
    }
    for (const [key, block] of await store.blocks(addresses)) held.set(key, block)
    for (const found of part.values()) await found?.text.require()
    yield partOf(part)
  }
}

/** The text of an archive, made of blocks that are held, or else come from the store. */
function textOf(stored: ArchiveContents, store: Blocks, held: ReadonlyMap<string, Uint8Array>): StoredText {
  const { entryId, generation } = stored
  return new StoredText(stored, async numbers => {
    const missing = numbers.filter(number => !held.has(blockKey({ entryId, number })))
    const read =
      missing.length > 0
        ? await store.blocks(missing.map(number => ({ entryId, generation, number })))
        : undefined
    return new Map(
      numbers.flatMap(number => {
        const key = blockKey({ entryId, number })
        const bytes = held.get(key) ?? read?.get(key)
        return bytes ? [[number, bytes] as const] : []
      })
    )
  })
}

function partOf(part: ReadonlyMap<string, Found | undefined>): ReadPart {
  return {
    archives: [...part].map(([entryId, found]) => (found ? { entryId, whole: found.text } : { entryId })),
    sources: () =>
      [...part].map(([entryId, found]) =>
        found ? { entryId, generation: found.contents.generation } : { entryId }
      )
  }
}
