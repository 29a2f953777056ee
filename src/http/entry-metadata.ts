/** The metadata of entries that are known by their ids. */
import type { Caller } from '../access/caller.ts'
import { ownerQuery } from '../access/owner.ts'
import type { Quantity } from '../query/quantities.ts'
import { requiredFields } from '../query/required-fields.ts'
import { and, type Query } from '../query/tree.ts'
import type { Services } from '../services.ts'
import { presentEntry } from './present/entry.ts'

/**
 * The metadata of those of the entries that the caller may see, by id: what `owner=visible` finds, for the administrator
 * everything (`uploads.md` §2.3).
 * @param entryIds not more than a page of them
 */
export async function entryMetadata(
  { index, quantities }: Pick<Services, 'index' | 'quantities'>,
  entryIds: readonly string[],
  caller: Caller,
  signal: AbortSignal
): Promise<Map<string, object>> {
  if (entryIds.length === 0) return new Map()
  const ids: Query = { kind: 'terms', quantity: quantities.get('entry_id') as Quantity, values: entryIds }
  const query = and(ids, ownerQuery(caller.isAdmin ? 'admin' : 'visible', caller, quantities))
  const everything = requiredFields(undefined, [], quantities)
  const { hits } = await index.search({
    query,
    order: 'asc',
    size: entryIds.length,
    source: everything.source,
    signal
  })
  return new Map(hits.map(hit => [hit.entryId, presentEntry(hit, everything)]))
}
