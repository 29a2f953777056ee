/**
 * Generations of archives that may have to be removed, listed in `archive_garbage` with the time from when on: those that are
 * being written (renewed while they are; what is past its time was left by a killed process) and those that were replaced.
 * A generation that an `archive` names is never removed, whatever is listed.
 */
import type { Collection } from 'mongodb'
import type { MongoDatabase, Stored } from './mongo-database.ts'

/** Milliseconds for which a replaced archive stays readable for those who have its table of contents already. */
const REPLACED_GRACE = 10_000

/** Milliseconds without a sign of life after which a writer counts as killed. */
const WRITER_LEASE = 10 * 60_000

/** Milliseconds between two looks for what killed processes left. */
const SWEEP_INTERVAL = 10 * 60_000

/** Keeps the list of one process's connection, and removes what is past its time, now and then. */
export class ArchiveGarbage {
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

  get #garbage(): Collection<Stored> {
    return this.#database.collection('archive_garbage')
  }

  /** Lists a generation that is going to be written. */
  async begin(entryId: string, generation: string): Promise<void> {
    await this.#garbage.insertOne({
      _id: generation,
      entry_id: entryId,
      writing: true,
      until: after(WRITER_LEASE)
    })
  }

  /** Takes one from the list that an archive names. */
  async keep(generation: string): Promise<void> {
    await this.#garbage.deleteOne({ _id: generation })
  }

  /**
   * Tells that a generation is still being written.
   * @throws Error when the generation was taken for one of a killed process
   */
  async renew(generation: string): Promise<void> {
    const { matchedCount } = await this.#garbage.updateOne(
      { _id: generation },
      { $set: { until: after(WRITER_LEASE) } }
    )
    if (matchedCount === 0)
      throw new Error(`writing the archive was interrupted for too long (${generation})`)
  }

  /** Has a generation removed after the grace for its readers. */
  async discard(entryId: string, generation: string): Promise<void> {
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
    const archives = await this.#database
      .collection('archive')
      .find({ _id: { $in: entryIds } })
      .project<{ generation: string }>({ generation: 1 })
      .toArray()
    const used = new Set(archives.map(({ generation }) => generation))
    const unused = listed.map(({ _id }) => _id).filter(generation => !used.has(generation))
    await this.drop(unused)
    await this.#garbage.deleteMany({ _id: { $in: [...used] } })
  }

  /** Removes blocks first: a killed process leaves the list of what is still to be done. */
  async drop(generations: readonly string[]): Promise<void> {
    if (generations.length === 0) return
    await this.#database.collection('archive_block').deleteMany({ generation: { $in: [...generations] } })
    await this.#garbage.deleteMany({ _id: { $in: [...generations] } })
  }

  /** The replaced generations of entries. */
  async replacedOf(entryIds: readonly string[]): Promise<string[]> {
    const replaced = await this.#garbage
      .find({ entry_id: { $in: [...entryIds] }, writing: false })
      .project<{ _id: string }>({ _id: 1 })
      .toArray()
    return replaced.map(({ _id }) => _id)
  }

  /** Removes at once what this process has replaced. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper)
    const generations = [...this.#replaced.keys()]
    for (const timer of this.#replaced.values()) clearTimeout(timer)
    this.#replaced.clear()
    if (generations.length > 0) await this.#database.run(() => this.#dropUnused(generations))
  }
}

/** The time in so many milliseconds. */
function after(milliseconds: number): Date {
  return new Date(Date.now() + milliseconds)
}
