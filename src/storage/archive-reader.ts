/**
 * Reading archives with `required`: fetches what the walk in `archive/` wants, for all archives of a page at once. A
 * read costs one round trip for the tables of contents and one for blocks per level of references, however many
 * entries there are, and touches only the blocks that the answer needs.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Caller } from '../access/caller.ts'
import { isVisible } from '../access/upload-access.ts'
import type { ArchiveAnswer } from '../archive/answer.ts'
import { ArchiveDefinitions } from '../archive/archive-definitions.ts'
import { ArchiveSet } from '../archive/archive-set.ts'
import type { DefinitionRegistry, JsonObject } from '../archive/definitions.ts'
import type { RequiredRequest } from '../archive/required.ts'
import { StoredArchive } from '../archive/stored-archive.ts'
import type { StoredText } from '../archive/stored-text.ts'
import { ArchiveWalk } from '../archive/walk.ts'
import { Work } from '../archive/work.ts'
import { type ArchiveContents, type ArchiveStore, blockKey } from './archives.ts'
import type { DocumentStore, Upload } from './documents.ts'
import { wholeParts } from './whole-archives.ts'

/** What the reader works with. */
export interface ArchiveReaderPorts {
  readonly archives: Pick<ArchiveStore, 'contents' | 'blocks'>
  readonly documents: Pick<DocumentStore, 'listUploads'>
  readonly definitions: DefinitionRegistry
}

/** An archive as it was asked for. */
export interface ReadArchive {
  readonly entryId: string
  /** What was asked for of it; undefined when the entry has none, and where it was asked for as a `whole`. */
  readonly archive?: JsonObject | undefined
  /** The archive as it is, which never is in memory as objects. */
  readonly whole?: StoredText
}

/** An archive that answers were made from. */
export interface ArchiveSource {
  readonly entryId: string
  /** Absent when the entry has no archive, or none that the caller may see. */
  readonly generation?: string
}

/** Some archives that were read together. */
export interface ReadPart {
  readonly archives: readonly ReadArchive[]
  /** All that these answers depend on, those included that references lead to and that are not there. */
  sources(): ArchiveSource[]
}

/** Entries whose tables of contents are fetched at once. */
const ENTRIES_AT_ONCE = 200

/** Packed bytes after which a page is read in a further part, so that memory holds only parts of large pages. */
const BYTES_AT_ONCE = 1024 * 1024

/** Milliseconds of work before other requests get their turn. */
const TURN = 15

/** Reads archives for callers. */
export class ArchiveReader {
  readonly #ports: ArchiveReaderPorts

  constructor(ports: ArchiveReaderPorts) {
    this.#ports = ports
  }

  /**
   * The archives of entries, in their order.
   * @param entryIds entries that the caller may see; those that references lead to are checked here
   * @param signal ends the reading, for a client that is gone
   * @throws SeraiError REQUIRED_INDEX, REFERENCE_REMOTE (400), INVALID (422), ARCHIVE_DAMAGED
   */
  async *read(
    entryIds: readonly string[],
    required: RequiredRequest,
    caller: Caller,
    signal?: AbortSignal
  ): AsyncGenerator<ReadArchive> {
    for await (const { archives } of this.parts(entryIds, required, caller, signal)) yield* archives
  }

  /**
   * The same in parts: memory holds one of them, which is one large archive or many small ones.
   * @throws SeraiError as {@link read}
   */
  async *parts(
    entryIds: readonly string[],
    required: RequiredRequest,
    caller: Caller,
    signal?: AbortSignal
  ): AsyncGenerator<ReadPart> {
    for (let from = 0; from < entryIds.length; from += ENTRIES_AT_ONCE) {
      const ids = entryIds.slice(from, from + ENTRIES_AT_ONCE)
      const contents = await this.#ports.archives.contents(ids)
      if (required.tree === 'all') yield* wholeParts(ids, contents, this.#ports.archives, signal)
      else yield* this.#walked(ids, contents, required, caller, signal)
    }
  }

  async *#walked(
    ids: readonly string[],
    contents: ReadonlyMap<string, ArchiveContents>,
    required: RequiredRequest,
    caller: Caller,
    signal: AbortSignal | undefined
  ): AsyncGenerator<ReadPart> {
    for (let next = 0; next < ids.length; ) {
      const part = new ArchivePart(this.#ports, required, caller, signal)
      for (; next < ids.length; next++) {
        if (!part.add(ids[next]!, contents.get(ids[next]!))) break
      }
      yield await part.read()
    }
  }
}

/** Some archives that are read together. */
class ArchivePart {
  readonly #ports: ArchiveReaderPorts
  readonly #caller: Caller
  readonly #signal: AbortSignal | undefined
  readonly #archives = new ArchiveSet()
  readonly #work = new Work()
  readonly #walk: ArchiveWalk
  readonly #answers = new Map<string, ArchiveAnswer | undefined>()
  readonly #visible = new Map<string, boolean>()
  #bytes = 0

  constructor(
    ports: ArchiveReaderPorts,
    required: RequiredRequest,
    caller: Caller,
    signal: AbortSignal | undefined
  ) {
    this.#ports = ports
    this.#caller = caller
    this.#signal = signal
    const definitions = new ArchiveDefinitions(ports.definitions, this.#archives)
    this.#walk = new ArchiveWalk(this.#archives, definitions, required, this.#work)
  }

  /** Adds an entry; false when the part is large enough without it. */
  add(entryId: string, contents: ArchiveContents | undefined): boolean {
    if (this.#bytes > BYTES_AT_ONCE) return false
    const archive = contents && new StoredArchive(contents)
    this.#archives.give(entryId, archive)
    this.#answers.set(entryId, archive && this.#walk.start(archive))
    for (const block of archive?.wanted ?? []) this.#bytes += archive!.bytesOf(block)
    return true
  }

  async read(): Promise<ReadPart> {
    // The blocks that the tables of contents tell of come first: the walk then seldom waits for one.
    await this.#fetch()
    for (;;) {
      await this.#run()
      if (!this.#work.resume()) {
        if (!this.#walk.closeCircles()) break
        continue
      }
      if (!(await this.#fetch())) throw new Error('a step of reading archives waits for nothing')
    }
    const read: ReadArchive[] = []
    for (const [entryId, answer] of this.#answers) {
      read.push({ entryId, archive: answer?.finish() })
    }
    const known = this.#archives.known()
    return {
      archives: read,
      sources: () =>
        [...known].map(([entryId, archive]) =>
          archive ? { entryId, generation: archive.generation } : { entryId }
        )
    }
  }

  /** Does all that can be done, in turns. */
  async #run(): Promise<void> {
    for (;;) {
      const end = performance.now() + TURN
      if (!this.#work.run(() => performance.now() > end)) return
      await this.#turn()
    }
  }

  /** Fetches everything that is wanted. Says whether there was anything. */
  async #fetch(): Promise<boolean> {
    this.#signal?.throwIfAborted()
    const entryIds = [...this.#archives.wanted]
    const incomplete = this.#archives.incomplete()
    await Promise.all([
      incomplete.length > 0 ? this.#fetchBlocks(incomplete) : undefined,
      entryIds.length > 0 ? this.#fetchArchives(entryIds) : undefined
    ])
    return incomplete.length + entryIds.length > 0
  }

  async #fetchBlocks(archives: readonly StoredArchive[]): Promise<void> {
    const blocks = await this.#ports.archives.blocks(
      archives.flatMap(({ entryId, generation, wanted }) =>
        [...wanted].map(number => ({ entryId, generation, number }))
      )
    )
    let end = performance.now() + TURN
    for (const archive of archives) {
      for (const number of [...archive.wanted]) {
        const { entryId } = archive
        archive.supply(number, blocks.get(blockKey({ entryId, number })))
        if (performance.now() < end) continue
        await this.#turn()
        end = performance.now() + TURN
      }
    }
  }

  /** Archives that references lead to, of which the caller sees those of visible uploads (`archive.md` §3.4). */
  async #fetchArchives(entryIds: readonly string[]): Promise<void> {
    const contents = await this.#ports.archives.contents(entryIds)
    await this.#check([...contents.values()].map(c => c.uploadId))
    for (const entryId of entryIds) {
      const found = contents.get(entryId)
      const visible = found !== undefined && this.#visible.get(found.uploadId) === true
      this.#archives.give(entryId, visible ? new StoredArchive(found) : undefined)
    }
  }

  async #check(uploadIds: readonly string[]): Promise<void> {
    const unknown = [...new Set(uploadIds)].filter(id => !this.#visible.has(id))
    if (unknown.length === 0) return
    for (const id of unknown) this.#visible.set(id, false)
    const { uploads } = await this.#ports.documents.listUploads(
      { uploadIds: unknown },
      { orderBy: 'upload_create_time', order: 'asc', offset: 0, limit: unknown.length }
    )
    for (const upload of uploads as Upload[])
      this.#visible.set(upload.upload_id, isVisible(upload, this.#caller))
  }

  async #turn(): Promise<void> {
    await nextTurn()
    this.#signal?.throwIfAborted()
  }
}
