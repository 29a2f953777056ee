/**
 * The documents store of the cluster profile: one collection for each kind, documents as they are with their id as
 * `_id`. What may have any key (a dataset's query, a package's definition) is kept packed: keys with `.` or `$` mean
 * something in MongoDB.
 */
import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import type { Collection } from 'mongodb'
import type {
  Dataset,
  DocumentStore,
  Entry,
  Group,
  MetainfoPackage,
  Upload,
  UploadFilter,
  UploadPage,
  User
} from '../documents.ts'
import {
  isDuplicateKey,
  MongoDatabase,
  type MongoOptions,
  type Stored,
  type StoreFormat
} from './mongo-database.ts'
import { uploadsMatching } from './upload-filter.ts'

/** Form of the collections of documents. */
const DOCUMENTS_FORMAT: StoreFormat = {
  store: 'documents',
  version: 1,
  indexes: {
    user: [{ username: 1 }],
    group: [{ owner: 1 }, { members: 1 }],
    upload: [
      { upload_create_time: 1, _id: 1 },
      { main_author: 1 },
      { coauthors: 1 },
      { coauthor_groups: 1 },
      { reviewers: 1 },
      { reviewer_groups: 1 }
    ],
    entry: [{ upload_id: 1, mainfile: 1, _id: 1 }],
    definition: [{ ids: 1 }]
  }
}

/** Ids in one request; MongoDB takes 16 MB. */
const IDS_MAX = 10_000

/** Documents in one write. */
const WRITE_MAX = 1000

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/**
 * Opens the documents store; its collections are made when missing.
 * @throws SeraiError STORE_UNAVAILABLE, STORE_NEWER
 */
export async function openMongoDocuments(options: MongoOptions): Promise<DocumentStore> {
  return new MongoDocuments(await MongoDatabase.open(options, DOCUMENTS_FORMAT))
}

class MongoDocuments implements DocumentStore {
  readonly #database: MongoDatabase

  constructor(database: MongoDatabase) {
    this.#database = database
  }

  #run<T>(collection: string, operations: (collection: Collection<Stored>) => Promise<T>): Promise<T> {
    return this.#database.run(() => operations(this.#database.collection(collection)))
  }

  async #one<T>(collection: string, id: string): Promise<T | undefined> {
    const found = await this.#run(collection, c => c.findOne({ _id: id }))
    return found ? plain<T>(found) : undefined
  }

  async #byIds<T>(collection: string, ids: readonly string[]): Promise<T[]> {
    const found: T[] = []
    for (const some of slices([...new Set(ids)], IDS_MAX)) {
      found.push(
        ...(await this.#run(collection, c => c.find({ _id: { $in: some } }).toArray())).map(plain<T>)
      )
    }
    return found
  }

  /** Replaces documents by id; the last one of an id counts. */
  async #put<T extends object>(
    collection: string,
    documents: readonly T[],
    id: (document: T) => string
  ): Promise<void> {
    const last = new Map(documents.map(document => [id(document), document]))
    for (const some of slices([...last], WRITE_MAX)) {
      const operations = some.map(([_id, document]) => ({
        replaceOne: { filter: { _id }, replacement: document, upsert: true }
      }))
      await this.#run(collection, c => c.bulkWrite(operations, { ordered: false }))
    }
  }

  user(userId: string): Promise<User | undefined> {
    return this.#one('user', userId)
  }

  async userByName(username: string): Promise<User | undefined> {
    const found = await this.#run('user', c => c.find({ username }).sort({ _id: 1 }).limit(1).toArray())
    return found[0] && plain<User>(found[0])
  }

  users(userIds: readonly string[]): Promise<User[]> {
    return this.#byIds('user', userIds)
  }

  putUsers(users: readonly User[]): Promise<void> {
    return this.#put('user', users, user => user.user_id)
  }

  group(groupId: string): Promise<Group | undefined> {
    return this.#one('group', groupId)
  }

  async groupIdsOf(userId: string): Promise<string[]> {
    const found = await this.#run('group', c =>
      c
        .find({ $or: [{ owner: userId }, { members: userId }] })
        .project<{ _id: string }>({ _id: 1 })
        .sort({ _id: 1 })
        .toArray()
    )
    return found.map(group => group._id)
  }

  putGroups(groups: readonly Group[]): Promise<void> {
    return this.#put('group', groups, group => group.group_id)
  }

  async dataset(datasetId: string): Promise<Dataset | undefined> {
    return (await this.datasets([datasetId]))[0]
  }

  async datasets(datasetIds: readonly string[]): Promise<Dataset[]> {
    const found = await this.#byIds<Dataset>('dataset', datasetIds)
    return found.map(({ query, ...dataset }) =>
      query === undefined ? dataset : { ...dataset, query: JSON.parse(String(query)) }
    )
  }

  putDatasets(datasets: readonly Dataset[]): Promise<void> {
    const stored = datasets.map(({ query, ...dataset }) =>
      query === undefined ? dataset : { ...dataset, query: JSON.stringify(query) }
    )
    return this.#put('dataset', stored, dataset => dataset.dataset_id)
  }

  upload(uploadId: string): Promise<Upload | undefined> {
    return this.#one('upload', uploadId)
  }

  async listUploads(filter: UploadFilter, page: UploadPage): Promise<{ total: number; uploads: Upload[] }> {
    const matching = uploadsMatching(filter)
    const { orderBy, offset, limit } = page
    // A missing value is the lowest one.
    const order = new Map<string, 1 | -1>([[orderBy, page.order === 'desc' ? -1 : 1]])
    for (const field of ['upload_create_time', '_id']) if (!order.has(field)) order.set(field, 1)
    return this.#run('upload', async c => {
      const total = await c.countDocuments(matching)
      // To MongoDB a limit of 0 means all.
      if (limit === 0) return { total, uploads: [] }
      const found = await c.find(matching).sort(order).skip(offset).limit(limit).toArray()
      return { total, uploads: found.map(plain<Upload>) }
    })
  }

  putUpload(upload: Upload): Promise<void> {
    const folded = upload.upload_name === undefined ? {} : { folded_name: upload.upload_name.toLowerCase() }
    return this.#put('upload', [{ ...upload, ...folded }], ({ upload_id }) => upload_id)
  }

  entry(entryId: string): Promise<Entry | undefined> {
    return this.#one('entry', entryId)
  }

  entries(entryIds: readonly string[]): Promise<Entry[]> {
    return this.#byIds('entry', entryIds)
  }

  async entriesOfUpload(uploadId: string): Promise<Entry[]> {
    const found = await this.#run('entry', c =>
      c.find({ upload_id: uploadId }).sort({ mainfile: 1, _id: 1 }).toArray()
    )
    return found.map(plain<Entry>)
  }

  async countEntries(uploadIds: readonly string[]): Promise<Map<string, number>> {
    const counts = new Map(uploadIds.map(id => [id, 0]))
    for (const some of slices([...counts.keys()], IDS_MAX)) {
      const groups = await this.#run('entry', c =>
        c
          .aggregate<{ _id: string; n: number }>([
            { $match: { upload_id: { $in: some } } },
            { $group: { _id: '$upload_id', n: { $sum: 1 } } }
          ])
          .toArray()
      )
      for (const { _id, n } of groups) counts.set(_id, n)
    }
    return counts
  }

  putEntries(entries: readonly Entry[]): Promise<void> {
    return this.#put('entry', entries, entry => entry.entry_id)
  }

  async removeEntries(entryIds: readonly string[]): Promise<void> {
    for (const some of slices(entryIds, IDS_MAX)) {
      await this.#run('entry', c => c.deleteMany({ _id: { $in: some } }))
      await this.#run('definition', c => c.deleteMany({ _id: { $in: some } }))
    }
  }

  async entriesDefining(definitionId: string): Promise<string[]> {
    const found = await this.#run('definition', c =>
      c.find({ ids: definitionId }).project<{ _id: string }>({ _id: 1 }).sort({ _id: 1 }).toArray()
    )
    return found.map(({ _id }) => _id)
  }

  async putDefinitionIds(entryId: string, definitionIds: readonly string[]): Promise<void> {
    if (definitionIds.length > 0) await this.#put('definition', [{ ids: definitionIds }], () => entryId)
    else await this.#run('definition', c => c.deleteOne({ _id: entryId }))
  }

  async packages(): Promise<MetainfoPackage[]> {
    const found = await this.#run('package', c => c.find().sort({ _id: 1 }).toArray())
    return Promise.all(
      found.map(async ({ _id, definition }) => ({
        name: _id,
        definition: JSON.parse((await decompress(definition as Buffer)).toString())
      }))
    )
  }

  async putPackages(packages: readonly MetainfoPackage[]): Promise<void> {
    // One by one: each may be megabytes.
    for (const { name, definition } of packages) {
      const packed = await compress(JSON.stringify(definition))
      await this.#put('package', [{ definition: packed }], () => name)
    }
  }

  async setting(name: string): Promise<string | undefined> {
    return (await this.#run('setting', c => c.findOne({ _id: name })))?.value
  }

  putSetting(name: string, value: string): Promise<void> {
    return this.#put('setting', [{ value }], () => name)
  }

  async initSetting(name: string, value: string): Promise<string> {
    try {
      await this.#run('setting', c =>
        c.updateOne({ _id: name }, { $setOnInsert: { value } }, { upsert: true })
      )
    } catch (error) {
      // Another process was first.
      if (!isDuplicateKey(error)) throw error
    }
    return (await this.setting(name)) as string
  }

  close(): Promise<void> {
    return this.#database.close()
  }
}

/** A document as it was put: without what only MongoDB needs. */
function plain<T>({ _id, folded_name, ...document }: Stored): T {
  return document as T
}

/** The items in lists of some at most. */
function* slices<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size)
}
