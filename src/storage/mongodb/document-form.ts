/**
 * What the documents of the cluster profile look like in their collections: as they are, with their id as `_id`, and beside
 * that what they are found by where a comparison of their own members does not do.
 */
import type { Collection } from 'mongodb'
import type { Dataset, Group, User } from '../documents.ts'
import { nameTexts } from '../person-names.ts'
import type { Stored, StoreFormat } from './mongo-database.ts'

/** Documents in one write. */
export const WRITE_MAX = 1000

/** Form of the collections of documents. */
export const DOCUMENTS_FORMAT: StoreFormat = {
  store: 'documents',
  version: 3,
  // Since version 3 there is `pending`, of which earlier versions of Serai know nothing.
  upgrades: { 2: addNames },
  indexes: {
    user: [{ username: 1, _id: 1 }, { folded_email: 1 }, { names: 1 }],
    group: [{ owner: 1, _id: 1 }, { members: 1 }, { group_name: 1, _id: 1 }, { folded_name: 1 }],
    dataset: [
      { dataset_create_time: 1, _id: 1 },
      { dataset_modified_time: 1, dataset_create_time: 1, _id: 1 },
      { dataset_name: 1, dataset_create_time: 1, _id: 1 },
      { user_id: 1, dataset_create_time: 1, _id: 1 },
      { folded_name: 1 },
      { doi: 1 }
    ],
    upload: [
      { upload_create_time: 1, _id: 1 },
      { main_author: 1 },
      { coauthors: 1 },
      { coauthor_groups: 1 },
      { reviewers: 1 },
      { reviewer_groups: 1 }
    ],
    entry: [
      { upload_id: 1, mainfile: 1, _id: 1 },
      { upload_id: 1, parser_name: 1, _id: 1 },
      { upload_id: 1, process_status: 1, _id: 1 },
      { upload_id: 1, current_process: 1, _id: 1 },
      { upload_id: 1, entry_create_time: 1, _id: 1 }
    ],
    definition: [{ ids: 1 }]
  }
}

/** A document as it was put: without what it is only found by. */
export function plain<T>({ _id, folded_name, folded_email, names, ...document }: Stored): T {
  return document as T
}

/** A person as stored. */
export function storedUser(user: User): object {
  return {
    ...user,
    names: nameTexts(user),
    ...(user.email === undefined ? {} : { folded_email: user.email.toLowerCase() })
  }
}

/** A group as stored. */
export function storedGroup(group: Group): object {
  return { ...group, folded_name: group.group_name.toLowerCase() }
}

/** A dataset as stored: its query, which may have any key, is text. */
export function storedDataset({ query, ...dataset }: Dataset): object {
  return {
    ...dataset,
    folded_name: dataset.dataset_name.toLowerCase(),
    ...(query === undefined ? {} : { query: JSON.stringify(query) })
  }
}

/** A dataset as it was put. */
export function plainDataset(stored: Stored): Dataset {
  const { query, ...dataset } = plain<Dataset>(stored)
  return query === undefined ? dataset : { ...dataset, query: JSON.parse(String(query)) }
}

/** Documents of the first version have nothing to be found by but what they say; they are few and written anew. */
async function addNames(collection: (name: string) => Collection<Stored>): Promise<void> {
  const rewrite = async (name: string, stored: (document: Stored) => object) => {
    for (const some of slices(await collection(name).find().toArray(), WRITE_MAX)) {
      const operations = some.map(document => ({
        replaceOne: { filter: { _id: document._id }, replacement: stored(document) }
      }))
      await collection(name).bulkWrite(operations, { ordered: false })
    }
  }
  await rewrite('user', user => storedUser(plain(user)))
  await rewrite('group', group => storedGroup(plain(group)))
  await rewrite('dataset', dataset => storedDataset(plainDataset(dataset)))
}

/** The items in lists of some at most. */
export function* slices<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size)
}
