/**
 * The archive store of the cluster profile. `archive` holds for each entry its table of contents and the generation of
 * its blocks, and is replaced in one step; `archive_block` holds the blocks, whose keys begin with their generation.
 */
import { randomUUID } from 'node:crypto'
import { Binary, type Collection } from 'mongodb'
import {
  type ArchiveBlock,
  type ArchiveContents,
  type ArchiveStore,
  type BlockAddress,
  blockKey
} from '../archives.ts'
import { ArchiveGarbage } from './archive-garbage.ts'
import { BlockWriter, storedKey } from './block-writer.ts'
import { MongoDatabase, type MongoOptions, type Stored, type StoreFormat } from './mongo-database.ts'

/** Form of the collections of archives. */
const ARCHIVES_FORMAT: StoreFormat = {
  store: 'archives',
  version: 1,
  indexes: {
    archive_block: [{ generation: 1 }],
    archive_garbage: [{ entry_id: 1 }, { until: 1 }]
  }
}

/** Ids in one request; MongoDB takes 16 MB. */
const IDS_MAX = 10_000

/** Ids of one part of a list. */
const IDS_LISTED = 1000

/**
 * Opens the archive store; its collections are made when missing, and what killed processes left is removed.
 * @throws SeraiError STORE_UNAVAILABLE, STORE_NEWER
 */
export async function openMongoArchives(options: MongoOptions): Promise<ArchiveStore> {
  const archives = new MongoArchives(await MongoDatabase.open(options, ARCHIVES_FORMAT))
  try {
    await archives.sweep()
    return archives
  } catch (error) {
    await archives.close()
    throw error
  }
}

/** The last step of writing an archive. */
interface Completion {
  readonly entryId: string
  readonly uploadId: string
  readonly generation: string
  readonly contents: Uint8Array
  /** Set before the archive is told to name the generation. */
  readonly state: { mayBeNamed: boolean }
}

class MongoArchives implements ArchiveStore {
  readonly #database: MongoDatabase
  readonly #garbage: ArchiveGarbage

  constructor(database: MongoDatabase) {
    this.#database = database
    this.#garbage = new ArchiveGarbage(database)
  }

  get #archives(): Collection<Stored> {
    return this.#database.collection('archive')
  }

  get #blocks(): Collection<Stored> {
    return this.#database.collection('archive_block')
  }

  /** Removes what is past its time. */
  sweep(): Promise<void> {
    return this.#garbage.sweep()
  }

  put(
    entryId: string,
    uploadId: string,
    write: (store: (block: ArchiveBlock) => Promise<void>) => Promise<Uint8Array>
  ): Promise<void> {
    const generation = randomUUID()
    const state = { mayBeNamed: false }
    return this.#database.run(async () => {
      await this.#garbage.begin(entryId, generation)
      try {
        const writer = new BlockWriter(entryId, generation, this.#blocks, () =>
          this.#garbage.renew(generation)
        )
        const contents = await write(block => writer.add(block))
        await writer.flush()
        await this.#complete({ entryId, uploadId, generation, contents, state })
      } catch (error) {
        // A step whose answer was lost may be done, or be done yet: what the archive does not name then goes with a sweep.
        if (!state.mayBeNamed) await this.#garbage.drop([generation])
        throw error
      }
    })
  }

  async #complete({ entryId, uploadId, generation, contents, state }: Completion): Promise<void> {
    await this.#garbage.renew(generation)
    // The old generation is listed before it is replaced, so that nothing is left if this process is killed now.
    const old = await this.#archives.findOne({ _id: entryId }, { projection: { generation: 1 } })
    if (old) await this.#garbage.discard(entryId, old.generation as string)
    state.mayBeNamed = true
    const replaced = await this.#archives.findOneAndReplace(
      { _id: entryId },
      { upload_id: uploadId, generation, contents: new Binary(contents) },
      { upsert: true, returnDocument: 'before', projection: { generation: 1 } }
    )
    const last = replaced?.generation as string | undefined
    if (last !== undefined && last !== old?.generation) await this.#garbage.discard(entryId, last)
    await this.#garbage.keep(generation)
  }

  contents(entryIds: readonly string[]): Promise<Map<string, ArchiveContents>> {
    return this.#database.run(async () => {
      const found = new Map<string, ArchiveContents>()
      for (const some of slices([...new Set(entryIds)])) {
        for await (const { _id, upload_id, generation, contents } of this.#archives.find({
          _id: { $in: some }
        })) {
          found.set(_id, { entryId: _id, uploadId: upload_id, generation, bytes: contents as Buffer })
        }
      }
      return found
    })
  }

  blocks(addresses: readonly BlockAddress[]): Promise<Map<string, Uint8Array>> {
    const byKey = new Map(addresses.map(address => [storedKey(address.generation, address.number), address]))
    return this.#database.run(async () => {
      const found = new Map<string, Uint8Array>()
      for (const some of slices([...byKey.keys()])) {
        for await (const { _id, entry_id, bytes } of this.#blocks.find({ _id: { $in: some } })) {
          const address = byKey.get(_id) as BlockAddress
          if (entry_id === address.entryId) found.set(blockKey(address), bytes as Buffer)
        }
      }
      return found
    })
  }

  async *entryIds(): AsyncGenerator<string[]> {
    for (let last = ''; ; ) {
      const found = await this.#database.run(() =>
        this.#archives
          .find({ _id: { $gt: last } })
          .project<{ _id: string }>({ _id: 1 })
          .sort({ _id: 1 })
          .limit(IDS_LISTED)
          .toArray()
      )
      if (found.length > 0) yield found.map(({ _id }) => _id)
      if (found.length < IDS_LISTED) return
      last = found.at(-1)?._id as string
    }
  }

  remove(entryIds: readonly string[]): Promise<void> {
    return this.#database.run(async () => {
      for (const some of slices([...new Set(entryIds)])) {
        const current = await this.#archives
          .find({ _id: { $in: some } })
          .project<{ generation: string }>({ generation: 1 })
          .toArray()
        const replaced = await this.#garbage.replacedOf(some)
        await this.#archives.deleteMany({ _id: { $in: some } })
        await this.#garbage.drop([...current.map(({ generation }) => generation), ...replaced])
      }
    })
  }

  ping(limit: number): Promise<void> {
    return this.#database.ping(limit)
  }

  async close(): Promise<void> {
    try {
      await this.#garbage.close()
    } finally {
      await this.#database.close()
    }
  }
}

/** The ids in lists that one request takes. */
function* slices(ids: readonly string[]): Generator<string[]> {
  for (let i = 0; i < ids.length; i += IDS_MAX) yield ids.slice(i, i + IDS_MAX)
}
