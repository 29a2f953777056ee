/**
 * What indexing needs of stored archives. Of those that processing has looked through, nearly all, two sections are enough:
 * only these are read, of many archives at once.
 */
import type { JsonObject } from '../archive/definitions.ts'
import type { ArchiveParts } from '../archive/parts.ts'
import { MISSING, type Missing, StoredArchive } from '../archive/stored-archive.ts'
import { storedParts } from '../archive/stored-parts.ts'
import { type ArchiveContents, type ArchiveStore, type BlockAddress, blockKey } from '../storage/archives.ts'
import { blockReader } from '../storage/block-reader.ts'
import { ArchiveOutline } from './archive-outline.ts'
import { isSummarised } from './index-document.ts'

/**
 * Reads what indexing needs of some archives.
 * @returns by entry id the archive as far as it is needed, or what is wrong with it
 * @throws SeraiError STORE_UNAVAILABLE
 */
export async function storedOutlines(
  contents: readonly ArchiveContents[],
  archives: ArchiveStore
): Promise<Map<string, JsonObject | Error>> {
  const outlines = new Map<string, JsonObject | Error>()
  for (const [stored, sections] of await sectionsOf(contents, archives)) {
    const outline =
      sections instanceof Error
        ? sections
        : await outlineOf(
            sections ? partsOf(sections) : storedParts(stored, blockReader(archives, stored))
          ).catch(faultOf)
    outlines.set(stored.entryId, outline)
  }
  return outlines
}

/** Metadata and results of those archives that processing has looked through; undefined for the others. */
async function sectionsOf(
  contents: readonly ArchiveContents[],
  archives: ArchiveStore
): Promise<Map<ArchiveContents, JsonObject | undefined | Error>> {
  const found = new Map<ArchiveContents, JsonObject | undefined | Error>()
  const reading = new Map<ArchiveContents, StoredArchive>()
  let blocks = new Map<string, Uint8Array>()
  for (let left = contents; left.length > 0; ) {
    for (const stored of left) {
      try {
        const archive = reading.get(stored) ?? new StoredArchive(stored)
        reading.set(stored, archive)
        for (const address of wantedOf(archive)) archive.supply(address.number, blocks.get(blockKey(address)))
        const sections = sectionsIn(archive)
        if (sections !== MISSING) found.set(stored, sections)
      } catch (error) {
        found.set(stored, error as Error)
      }
    }
    left = left.filter(stored => !found.has(stored))
    blocks = await archives.blocks(left.flatMap(stored => wantedOf(reading.get(stored) as StoredArchive)))
  }
  return found
}

function wantedOf({ entryId, generation, wanted }: StoredArchive): BlockAddress[] {
  return [...wanted].map(number => ({ entryId, generation, number }))
}

function sectionsIn(archive: StoredArchive): JsonObject | undefined | Missing {
  if (archive.root.kind() !== 'map') return undefined
  // Both are asked for, so that they are fetched together.
  const metadata = wholeMember(archive, 'metadata')
  const results = wholeMember(archive, 'results')
  if (metadata === MISSING) return MISSING
  if (typeof metadata !== 'object' || metadata === null || !isSummarised(metadata as JsonObject))
    return undefined
  if (results === MISSING) return MISSING
  return { metadata, ...(results === undefined ? {} : { results }) }
}

function wholeMember(archive: StoredArchive, name: string): unknown {
  const node = archive.root.member(name)
  return node === MISSING ? MISSING : node?.whole()
}

/** A damaged archive is a matter of its own, a store that does not answer one of all. */
function faultOf(error: Error & { readonly code?: unknown }): Error {
  if (error.code === 'STORE_UNAVAILABLE') throw error
  return error
}

async function* partsOf(sections: JsonObject): ArchiveParts {
  yield { kind: 'map' }
  yield { kind: 'members', members: sections }
  yield { kind: 'end' }
}

async function outlineOf(parts: ArchiveParts): Promise<JsonObject> {
  const outline = new ArchiveOutline()
  for await (const _ of outline.watch(parts));
  return outline.archive
}
