/** The archives that one request reads, and what is still to be fetched of them. Pure: `storage/archive-reader.ts` fetches. */
import { MISSING, type Missing, type StoredArchive } from './stored-archive.ts'

/** Archives by entry id. */
export class ArchiveSet {
  /** Entries whose archives were asked for and are not known yet. */
  readonly wanted = new Set<string>()
  readonly #archives = new Map<string, StoredArchive | undefined>()

  /** The archive of an entry; undefined when there is none that the caller may see. */
  get(entryId: string): StoredArchive | Missing | undefined {
    const archive = this.#archives.get(entryId)
    if (archive || this.#archives.has(entryId)) return archive
    this.wanted.add(entryId)
    return MISSING
  }

  /** Answers what was wanted. */
  give(entryId: string, archive: StoredArchive | undefined): void {
    this.wanted.delete(entryId)
    this.#archives.set(entryId, archive)
  }

  /** All archives that were asked for and are known; undefined for those that the caller does not see. */
  known(): ReadonlyMap<string, StoredArchive | undefined> {
    return this.#archives
  }

  /** Archives of which blocks are wanted. */
  incomplete(): StoredArchive[] {
    return [...this.#archives.values()].filter(
      archive => archive !== undefined && archive.wanted.size > 0
    ) as StoredArchive[]
  }
}
