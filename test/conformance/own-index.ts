/** An entries index for one block of tests. */
import type { EntryIndex, IndexDocument } from '../../src/search/entry-index.ts'
import type { Profile } from '../app.ts'
import { newPlace } from './places.ts'

/** An empty index in a place of its own; closing it removes both. */
export async function openOwnIndex(profile: Profile): Promise<EntryIndex> {
  const place = await newPlace(profile)
  const index = await place.openIndex()
  const close = index.close.bind(index)
  index.close = async () => {
    await close()
    await place.drop()
  }
  return index
}

/**
 * Brings an index to hold these documents and no others, by replacing, adding and removing.
 * @param held what it holds
 * @returns what it holds then
 */
export async function bringTo(
  index: EntryIndex,
  held: readonly IndexDocument[],
  wanted: readonly IndexDocument[]
): Promise<readonly IndexDocument[]> {
  const ids = new Set(wanted.map(d => d.entry_id))
  await index.remove(held.map(d => d.entry_id).filter(id => !ids.has(id)))
  await index.put(wanted)
  return wanted
}
