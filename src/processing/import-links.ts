/**
 * What the archives of an imported folder need of other entries: their schemas and their mainfiles, whether these
 * are in the same folder or in the stores already. A link may lead to an entry that comes later.
 */
import type { JsonObject, SchemaLookup } from '../archive/definitions.ts'
import type { DocumentStore } from '../storage/documents.ts'
import { ArchiveOutline } from './archive-outline.ts'
import type { UploadRecord } from './corpus-records.ts'
import { BadFile } from './import-problem.ts'
import { linkedEntries } from './linked-entries.ts'
import type { UploadFiles } from './upload-files.ts'

/** Gives the `definitions` section of an entry's stored archive; undefined when there is none. */
export type StoredSchemas = (entryId: string) => Promise<JsonObject | undefined>

/** What {@link ImportLinks.of} fetched for one archive. */
export interface FetchedLinks {
  readonly schemas: SchemaLookup
  readonly mainfileOf: (entryId: string) => string | undefined
}

interface Place {
  readonly uploadId: string
  readonly mainfile: string
}

/** Fetches schemas and mainfiles; schemas are kept for the whole import, since many entries share few of them. */
export class ImportLinks {
  readonly #files: Pick<UploadFiles, 'archive'>
  readonly #documents: DocumentStore
  readonly #stored: StoredSchemas
  readonly #places = new Map<string, Place>()
  readonly #schemas = new Map<string, JsonObject | undefined>()

  constructor(
    files: Pick<UploadFiles, 'archive'>,
    uploads: readonly UploadRecord[],
    documents: DocumentStore,
    stored: StoredSchemas
  ) {
    this.#files = files
    this.#documents = documents
    this.#stored = stored
    for (const { upload_id, entries } of uploads) {
      for (const { entry_id, mainfile } of entries) {
        this.#places.set(entry_id, { uploadId: upload_id, mainfile })
      }
    }
  }

  /** Fetches what an archive of the upload names. */
  async of(archive: JsonObject, uploadId: string): Promise<FetchedLinks> {
    const { schemas, all } = linkedEntries(archive, uploadId)
    await this.#findPlaces([...all])
    const waiting = [...schemas]
    const seen = new Set(waiting)
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      const definitions = await this.#schema(id)
      const place = this.#places.get(id)
      if (!definitions || !place) continue
      // Schemas are based on schemas.
      const further = linkedEntries({ definitions }, place.uploadId).schemas
      await this.#findPlaces([...further])
      for (const next of further) {
        if (seen.has(next)) continue
        seen.add(next)
        waiting.push(next)
      }
    }
    return {
      schemas: entryId => this.#schemas.get(entryId),
      mainfileOf: entryId => this.#places.get(entryId)?.mainfile
    }
  }

  async #findPlaces(entryIds: readonly string[]): Promise<void> {
    const unknown = entryIds.filter(id => !this.#places.has(id))
    if (unknown.length === 0) return
    for (const { entry_id, upload_id, mainfile } of await this.#documents.entries(unknown)) {
      this.#places.set(entry_id, { uploadId: upload_id, mainfile })
    }
  }

  async #schema(entryId: string): Promise<JsonObject | undefined> {
    if (!this.#schemas.has(entryId)) this.#schemas.set(entryId, await this.#readSchema(entryId))
    return this.#schemas.get(entryId)
  }

  async #readSchema(entryId: string): Promise<JsonObject | undefined> {
    const place = this.#places.get(entryId)
    const input = place && (await this.#files.archive(place.uploadId, entryId, false))
    if (!input) return place && this.#stored(entryId)
    try {
      const outline = new ArchiveOutline()
      for await (const _ of outline.watch(input.parts()));
      const { definitions } = outline.archive
      return typeof definitions === 'object' && definitions !== null ? (definitions as JsonObject) : undefined
    } catch (error) {
      // Told when the turn of that entry comes.
      if (error instanceof BadFile) return undefined
      throw error
    }
  }
}
