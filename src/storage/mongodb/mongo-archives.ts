/**
 * The archive store of the cluster profile. `archive` holds for each entry its table of contents and the generation of
 * its blocks, and is replaced in one step; `archive_block` holds the blocks, whose keys begin with their generation.
 *
 * `archive_garbage` lists the generations that may have to be removed, with the time from when on: those that are being
 * written (renewed while they are; what is past its time was left by a killed process) and those that were replaced.
 * A generation that an `archive` names is never removed, whatever is listed.
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

/** Bytes of blocks that are gathered for one write. */
const WRITE_SLICE = 4 * 1024 * 1024

/** Blocks in one write. */
const WRITE_COUNT = 1000

/** Milliseconds for which a replaced archive stays readable for those who have its table of contents already. */
const REPLACED_GRACE = 10_000

/** Milliseconds without a sign of life after which a writer counts as killed. */
const WRITER_LEASE = 10 * 60_000

/** Milliseconds between two looks for what killed processes left. */
const SWEEP_INTERVAL = 10 * 60_000

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
  readonly #sweeper: NodeJS.Timeout
  /** Generations that this process has replaced, until they are removed. */
  readonly #replaced = new Map<string, NodeJS.Timeout>()

  constructor(database: MongoDatabase) {
    this.#database = database
    // What cannot be removed now is found again by the next sweep.
    this.#sweeper = setInterval(() => void this.sweep().catch(() => {}), SWEEP_INTERVAL)
    this.#sweeper.unref()
  }

  get #archives(): Collection<Stored> {
    return this.#database.collection('archive')
  }

  get #blocks(): Collection<Stored> {
    return this.#database.collection('archive_block')
  }

  get #garbage(): Collection<Stored> {
    return this.#database.collection('archive_garbage')
  }

  put(
    entryId: string,
    uploadId: string,
    write: (store: (block: ArchiveBlock) => Promise<void>) => Promise<Uint8Array>
  ): Promise<void> {
    const generation = randomUUID()
    const lease = { entry_id: entryId, writing: true }
    const state = { mayBeNamed: false }
    return this.#database.run(async () => {
      await this.#garbage.insertOne({ _id: generation, ...lease, until: after(WRITER_LEASE) })
      try {
        const writer = new BlockWriter(entryId, generation, this.#blocks, () => this.#renew(generation))
        const contents = await write(block => writer.add(block))
        await writer.flush()
        await this.#complete({ entryId, uploadId, generation, contents, state })
      } catch (error) {
        // A step whose answer was lost may be done, or be done yet: what the archive does not name then goes with a sweep.
        if (!state.mayBeNamed) await this.#drop([generation])
        throw error
      }
    })
  }

  /** @throws Error when the generation was taken for one of a killed process */
  async #renew(generation: string): Promise<void> {
    const { matchedCount } = await this.#garbage.updateOne(
      { _id: generation },
      { $set: { until: after(WRITER_LEASE) } }
    )
    if (matchedCount === 0)
      throw new Error(`writing the archive was interrupted for too long (${generation})`)
  }

  async #complete({ entryId, uploadId, generation, contents, state }: Completion): Promise<void> {
    await this.#renew(generation)
    // The old generation is listed before it is replaced, so that nothing is left if this process is killed now.
    const old = await this.#archives.findOne({ _id: entryId }, { projection: { generation: 1 } })
    if (old) await this.#discard(entryId, old.generation as string)
    state.mayBeNamed = true
    const replaced = await this.#archives.findOneAndReplace(
      { _id: entryId },
      { upload_id: uploadId, generation, contents: new Binary(contents) },
      { upsert: true, returnDocument: 'before', projection: { generation: 1 } }
    )
    const last = replaced?.generation as string | undefined
    if (last !== undefined && last !== old?.generation) await this.#discard(entryId, last)
    await this.#garbage.deleteOne({ _id: generation })
  }

  /** Has a generation removed after the grace for its readers. */
  async #discard(entryId: string, generation: string): Promise<void> {
    await this.#garbage.replaceOne(
      { _id: generation },
      { entry_id: entryId, writing: false, until: after(REPLACED_GRACE) },
      { upsert: true }
    )
    clearTimeout(this.#replaced.get(generation))
    const timer = setTimeout(() => {
      this.#replaced.delete(generation)
      this.#database.run(() => this.#dropUnused([generation])).catch(() => {})
    }, REPLACED_GRACE)
    timer.unref()
    this.#replaced.set(generation, timer)
  }

  /** Removes what is past its time. */
  sweep(): Promise<void> {
    return this.#database.run(async () => {
      const past = await this.#garbage
        .find({ until: { $lt: new Date() } })
        .project<{ _id: string }>({ _id: 1 })
        .toArray()
      await this.#dropUnused(past.map(({ _id }) => _id))
    })
  }

  /** Removes those of the listed generations that no archive names. */
  async #dropUnused(generations: readonly string[]): Promise<void> {
    const listed = await this.#garbage.find({ _id: { $in: [...generations] } }).toArray()
    const entryIds = listed.map(item => item.entry_id as string)
    const archives = await this.#archives
      .find({ _id: { $in: entryIds } })
      .project<{ generation: string }>({ generation: 1 })
      .toArray()
    const used = new Set(archives.map(({ generation }) => generation))
    const unused = listed.map(({ _id }) => _id).filter(generation => !used.has(generation))
    await this.#drop(unused)
    await this.#garbage.deleteMany({ _id: { $in: [...used] } })
  }

  /** Removes blocks first: a killed process leaves the list of what is still to be done. */
  async #drop(generations: readonly string[]): Promise<void> {
    if (generations.length === 0) return
    await this.#blocks.deleteMany({ generation: { $in: [...generations] } })
    await this.#garbage.deleteMany({ _id: { $in: [...generations] } })
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
        const replaced = await this.#garbage
          .find({ entry_id: { $in: some }, writing: false })
          .project<{ _id: string }>({ _id: 1 })
          .toArray()
        await this.#archives.deleteMany({ _id: { $in: some } })
        await this.#drop([...current.map(({ generation }) => generation), ...replaced.map(({ _id }) => _id)])
      }
    })
  }

  ping(limit: number): Promise<void> {
    return this.#database.ping(limit)
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper)
    const generations = [...this.#replaced.keys()]
    for (const timer of this.#replaced.values()) clearTimeout(timer)
    this.#replaced.clear()
    try {
      if (generations.length > 0) await this.#database.run(() => this.#dropUnused(generations))
    } finally {
      await this.#database.close()
    }
  }
}

/** Gathers blocks and writes some at a time. */
class BlockWriter {
  readonly #entryId: string
  readonly #generation: string
  readonly #blocks: Collection<Stored>
  readonly #renew: () => Promise<void>
  #waiting: Stored[] = []
  #bytes = 0

  constructor(entryId: string, generation: string, blocks: Collection<Stored>, renew: () => Promise<void>) {
    this.#entryId = entryId
    this.#generation = generation
    this.#blocks = blocks
    this.#renew = renew
  }

  async add({ number, bytes }: ArchiveBlock): Promise<void> {
    this.#waiting.push({
      _id: storedKey(this.#generation, number),
      generation: this.#generation,
      entry_id: this.#entryId,
      bytes: new Binary(bytes)
    })
    this.#bytes += bytes.byteLength
    if (this.#bytes < WRITE_SLICE && this.#waiting.length < WRITE_COUNT) return
    await this.flush()
    await this.#renew()
  }

  async flush(): Promise<void> {
    const blocks = this.#waiting
    this.#waiting = []
    this.#bytes = 0
    if (blocks.length > 0) await this.#blocks.insertMany(blocks, { ordered: false })
  }
}

function storedKey(generation: string, number: number): string {
  return `${generation}/${number}`
}

/** The time in so many milliseconds. */
function after(milliseconds: number): Date {
  return new Date(Date.now() + milliseconds)
}

/** The ids in lists that one request takes. */
function* slices(ids: readonly string[]): Generator<string[]> {
  for (let i = 0; i < ids.length; i += IDS_MAX) yield ids.slice(i, i + IDS_MAX)
}
