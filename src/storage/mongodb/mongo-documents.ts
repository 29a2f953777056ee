/**
 * The documents store of the cluster profile: one collection for each kind, documents as they are with their id as
 * `_id`. What may have any key (a dataset's query, a package's definition) is kept packed: keys with `.` or `$` mean
 * something in MongoDB.
 */
import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import type { Collection, Filter } from 'mongodb'
import type {
  Dataset,
  DatasetFilter,
  DatasetOrder,
  DocumentStore,
  Entry,
  EntryOrder,
  EntryPlace,
  Group,
  GroupFilter,
  GroupOrder,
  ListPage,
  MetainfoPackage,
  Upload,
  UploadFilter,
  UploadPage,
  User
} from '../documents.ts'
import {
  DOCUMENTS_FORMAT,
  plain,
  plainDataset,
  slices,
  storedDataset,
  storedGroup,
  storedUser,
  WRITE_MAX
} from './document-form.ts'
import { beginsWith, datasetsMatching, groupsMatching, uploadsMatching } from './list-filters.ts'
import { isDuplicateKey, MongoDatabase, type MongoOptions, type Stored } from './mongo-database.ts'

/** Ids in one request; MongoDB takes 16 MB. */
const IDS_MAX = 10_000

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

  async #byIds<T>(
    collection: string,
    ids: readonly string[],
    read: (stored: Stored) => T = plain<T>
  ): Promise<T[]> {
    const found: T[] = []
    for (const some of slices([...new Set(ids)], IDS_MAX)) {
      found.push(...(await this.#run(collection, c => c.find({ _id: { $in: some } }).toArray())).map(read))
    }
    return found
  }

  /** Replaces documents by id; the last one of an id counts. */
  async #put<T extends object>(
    collection: string,
    documents: readonly T[],
    id: (document: T) => string,
    stored: (document: T) => object = document => document
  ): Promise<void> {
    const last = new Map(documents.map(document => [id(document), document]))
    for (const some of slices([...last], WRITE_MAX)) {
      const operations = some.map(([_id, document]) => ({
        replaceOne: { filter: { _id }, replacement: stored(document), upsert: true }
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

  async usersByName(usernames: readonly string[]): Promise<User[]> {
    const found = await this.#run('user', c => c.find({ username: { $in: [...usernames] } }).toArray())
    return found.map(plain<User>)
  }

  async usersByEmail(emails: readonly string[]): Promise<User[]> {
    const folded = emails.map(email => email.toLowerCase())
    const found = await this.#run('user', c => c.find({ folded_email: { $in: folded } }).toArray())
    return found.map(plain<User>)
  }

  async usersNamed(beginnings: readonly string[], limit: number): Promise<User[]> {
    if (limit === 0) return []
    const named = beginnings.map(text => ({ names: { $elemMatch: beginsWith(text) } }))
    const found = await this.#run('user', c =>
      c.find({ $and: named }).sort({ username: 1, _id: 1 }).limit(limit).toArray()
    )
    return found.map(plain<User>)
  }

  async everyUser(): Promise<User[]> {
    const found = await this.#run('user', c => c.find().sort({ username: 1, _id: 1 }).toArray())
    return found.map(plain<User>)
  }

  putUsers(users: readonly User[]): Promise<void> {
    return this.#put('user', users, user => user.user_id, storedUser)
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

  async listGroups(
    filter: GroupFilter,
    page: ListPage<GroupOrder>
  ): Promise<{ total: number; groups: Group[] }> {
    const orderBy = page.orderBy === 'group_id' ? '_id' : page.orderBy
    const { total, rows } = await this.#list('group', groupsMatching(filter), { ...page, orderBy }, ['_id'])
    return { total, groups: rows.map(plain<Group>) }
  }

  putGroups(groups: readonly Group[]): Promise<void> {
    return this.#put('group', groups, group => group.group_id, storedGroup)
  }

  async dataset(datasetId: string): Promise<Dataset | undefined> {
    return (await this.datasets([datasetId]))[0]
  }

  datasets(datasetIds: readonly string[]): Promise<Dataset[]> {
    return this.#byIds('dataset', datasetIds, plainDataset)
  }

  async listDatasets(
    filter: DatasetFilter,
    page: ListPage<DatasetOrder>
  ): Promise<{ total: number; datasets: Dataset[] }> {
    const ties = ['dataset_create_time', '_id']
    const { total, rows } = await this.#list('dataset', datasetsMatching(filter), page, ties)
    return { total, datasets: rows.map(plainDataset) }
  }

  putDatasets(datasets: readonly Dataset[]): Promise<void> {
    return this.#put('dataset', datasets, dataset => dataset.dataset_id, storedDataset)
  }

  upload(uploadId: string): Promise<Upload | undefined> {
    return this.#one('upload', uploadId)
  }

  async listUploads(filter: UploadFilter, page: UploadPage): Promise<{ total: number; uploads: Upload[] }> {
    const ties = ['upload_create_time', '_id']
    const { total, rows } = await this.#list('upload', uploadsMatching(filter), page, ties)
    return { total, uploads: rows.map(plain<Upload>) }
  }

  /**
   * A slice of a collection, and how many documents match.
   * @param ties what is ordered by beside `orderBy`, ascending
   */
  #list(
    collection: string,
    matching: Filter<Stored>,
    { orderBy, order, offset, limit }: ListPage<string>,
    ties: readonly string[]
  ): Promise<{ total: number; rows: Stored[] }> {
    return this.#run(collection, async c => {
      const total = await c.countDocuments(matching)
      // To MongoDB a limit of 0 means all.
      if (limit === 0 || offset >= total) return { total, rows: [] }
      const rows = await c
        .find(matching)
        .sort(sorting(orderBy, order, ties))
        .skip(offset)
        .limit(limit)
        .toArray()
      return { total, rows }
    })
  }

  putUpload(upload: Upload): Promise<void> {
    const folded = upload.upload_name === undefined ? {} : { folded_name: upload.upload_name.toLowerCase() }
    return this.#put('upload', [{ ...upload, ...folded }], ({ upload_id }) => upload_id)
  }

  addPendingUpload(uploadId: string): Promise<void> {
    return this.#put('pending', [{}], () => uploadId)
  }

  async removePendingUpload(uploadId: string): Promise<void> {
    await this.#run('pending', c => c.deleteOne({ _id: uploadId }))
  }

  async pendingUploads(): Promise<string[]> {
    const pending = await this.#run('pending', c => c.find().sort({ _id: 1 }).toArray())
    if (pending.length === 0) return []
    // Looked for afterwards: one that is put in between is complete.
    const complete = new Set<string>()
    for (const ids of slices(
      pending.map(({ _id }) => _id),
      IDS_MAX
    )) {
      const rows = await this.#run('upload', c =>
        c
          .find({ _id: { $in: ids } })
          .project<{ _id: string }>({ _id: 1 })
          .toArray()
      )
      for (const { _id } of rows) complete.add(_id)
    }
    return pending.flatMap(({ _id }) => (complete.has(_id) ? [] : [_id]))
  }

  entry(entryId: string): Promise<Entry | undefined> {
    return this.#one('entry', entryId)
  }

  entries(entryIds: readonly string[]): Promise<Entry[]> {
    return this.#byIds('entry', entryIds)
  }

  async entryPlaces(entryIds: readonly string[]): Promise<EntryPlace[]> {
    const places: EntryPlace[] = []
    for (const some of slices([...new Set(entryIds)], IDS_MAX)) {
      const rows = await this.#run('entry', c =>
        c.find({ _id: { $in: some } }, { projection: { upload_id: 1, mainfile: 1 } }).toArray()
      )
      for (const { _id, upload_id, mainfile } of rows)
        places.push({ entry_id: _id, upload_id, mainfile } as EntryPlace)
    }
    return places
  }

  async entriesOfUpload(uploadId: string): Promise<Entry[]> {
    const found = await this.#run('entry', c =>
      c.find({ upload_id: uploadId }).sort({ mainfile: 1, _id: 1 }).toArray()
    )
    return found.map(plain<Entry>)
  }

  async listEntries(uploadId: string, page: ListPage<EntryOrder>): Promise<Entry[]> {
    if (page.limit === 0) return []
    // Ids first, which an index holds in their order: MongoDB sorts no more than 100 MB.
    const rows = await this.#run('entry', c =>
      c
        .find({ upload_id: uploadId })
        .project<{ _id: string }>({ _id: 1 })
        .sort(sorting(page.orderBy, page.order, ['_id']))
        .skip(page.offset)
        .limit(page.limit)
        .toArray()
    )
    const entries = await this.entries(rows.map(({ _id }) => _id))
    const byId = new Map(entries.map(entry => [entry.entry_id, entry]))
    return rows.flatMap(({ _id }) => byId.get(_id) ?? [])
  }

  async countEntriesByStatus(uploadId: string): Promise<Map<string, number>> {
    const groups = await this.#run('entry', c =>
      c
        .aggregate<{ _id: string; n: number }>([
          { $match: { upload_id: uploadId } },
          { $group: { _id: '$process_status', n: { $sum: 1 } } }
        ])
        .toArray()
    )
    return new Map(groups.map(({ _id, n }) => [_id, n]))
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

  async definitionIds(entryIds: readonly string[]): Promise<Map<string, string[]>> {
    const found = new Map<string, string[]>()
    for (const some of slices([...new Set(entryIds)], IDS_MAX)) {
      const rows = await this.#run('definition', c => c.find({ _id: { $in: some } }).toArray())
      for (const { _id, ids } of rows) found.set(_id, [...new Set(ids as string[])])
    }
    return found
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

  async settings(): Promise<Map<string, string>> {
    const found = await this.#run('setting', c => c.find().toArray())
    return new Map(found.map(({ _id, value }) => [_id, value as string]))
  }

  ping(limit: number): Promise<void> {
    return this.#database.ping(limit)
  }

  close(): Promise<void> {
    return this.#database.close()
  }
}

/** An order as MongoDB wants it; a missing value is the lowest one. */
function sorting(orderBy: string, order: 'asc' | 'desc', ties: readonly string[]): Map<string, 1 | -1> {
  const fields = new Map<string, 1 | -1>([[orderBy, order === 'desc' ? -1 : 1]])
  for (const field of ties) if (!fields.has(field)) fields.set(field, 1)
  return fields
}
