/** Where the files of entries are, for callers who may see them. */
import type { Caller } from '../access/caller.ts'
import { ownerQuery } from '../access/owner.ts'
import { failure } from '../errors.ts'
import type { EntryLocation } from '../files/entry-zip.ts'
import type { Quantity } from '../query/quantities.ts'
import { and, type Query } from '../query/tree.ts'
import { walk } from '../search/entry-index.ts'
import type { Services } from '../services.ts'

/** The members of the index document that tell where an entry's files are. */
export const LOCATION = { include: ['entry_id', 'upload_id', 'mainfile'] }

/** Entries that are given at a time; Elasticsearch gives 10,000 at most. */
const PAGE = 10_000

/**
 * One entry by the owner rule `visible` (`search.md` §2, routes of one entry).
 * @throws SeraiError ENTRY_NOT_FOUND (404)
 */
export async function visibleEntry(
  { index, quantities }: Pick<Services, 'index' | 'quantities'>,
  entryId: string,
  caller: Caller
): Promise<EntryLocation> {
  const id: Query = { kind: 'terms', quantity: quantities.get('entry_id') as Quantity, values: [entryId] }
  const query = and(id, ownerQuery('visible', caller, quantities))
  const source = { include: [...LOCATION.include, 'mainfile_key'] }
  const { hits } = await index.search({ query, order: 'asc', size: 1, source })
  const [hit] = hits
  if (!hit) throw failure('ENTRY_NOT_FOUND')
  return hit.document as unknown as EntryLocation
}

/**
 * All entries of a search, ordered by upload, then entry; some at a time. The index tells only which: where they are is a
 * small part of its documents, which are large.
 */
export async function* locations(
  { index, documents, quantities }: Pick<Services, 'index' | 'documents' | 'quantities'>,
  query: Query,
  signal: AbortSignal
): AsyncGenerator<EntryLocation[]> {
  const orderBy = quantities.get('upload_id') as Quantity
  const request = { query, orderBy, order: 'asc', source: { include: ['entry_id'] }, signal } as const
  let ids: string[] = []
  const places = async (): Promise<EntryLocation[]> => {
    const found = new Map((await documents.entryPlaces(ids)).map(place => [place.entry_id, place]))
    return ids.flatMap(id => found.get(id) ?? [])
  }
  for await (const { entryId } of walk(index, request, PAGE)) {
    ids.push(entryId)
    if (ids.length < PAGE) continue
    yield await places()
    ids = []
  }
  if (ids.length > 0) yield await places()
}
