/** Index documents of stored entries, made anew from what the stores hold of them. */
import type { JsonObject } from '../archive/definitions.ts'
import type { RawTree } from '../files/raw-files.ts'
import { directoryOf } from '../files/raw-path.ts'
import type { IndexDocument } from '../search/entry-index.ts'
import type { Services } from '../services.ts'
import type { Dataset, Entry, Upload, User } from '../storage/documents.ts'
import { ImportLinks } from './import-links.ts'
import { indexDocument, isSummarised } from './index-document.ts'
import { type IndexedMember, indexedMembers } from './indexed-members.ts'
import { storedOutlines } from './stored-outline.ts'
import { storedSchemas } from './stored-schemas.ts'

type StoredServices = Pick<Services, 'documents' | 'archives' | 'files' | 'definitions' | 'quantities'>

/** Archives that are in memory at once. */
const READING = 20

/** Entries after which what was read of others is forgotten: there may be very many. */
const REMEMBERING = 5000

/** What some entries need beside their archives. */
interface Surroundings {
  readonly uploads: ReadonlyMap<string, Upload>
  readonly persons: ReadonlyMap<string, User>
  readonly datasets: ReadonlyMap<string, Dataset>
  /** By upload id; read when the first entry needs it. */
  readonly trees: Map<string, RawTree | undefined>
}

/** The documents of some entries. */
export interface MadeDocuments {
  readonly documents: readonly IndexDocument[]
  /** Why there is none, by entry id. */
  readonly problems: ReadonlyMap<string, string>
}

/** Makes documents, as an import of the same does. */
export class EntryDocuments {
  readonly #services: StoredServices
  readonly #members: IndexedMember
  #links: ImportLinks
  #linked = 0

  constructor(services: StoredServices) {
    this.#services = services
    this.#members = indexedMembers(services.quantities, services.definitions)
    this.#links = this.#newLinks()
  }

  #newLinks(): ImportLinks {
    const { documents, archives } = this.#services
    return new ImportLinks({ archive: async () => undefined }, [], documents, storedSchemas(archives))
  }

  /**
   * Makes the documents of entries, of whatever uploads.
   * @param entryIds some hundred at most; those that are gone are left out
   * @throws SeraiError when a store fails
   */
  async of(entryIds: readonly string[]): Promise<MadeDocuments> {
    const { documents, archives } = this.#services
    const entries = await documents.entries(entryIds)
    const around = await this.#surroundings(entries)
    const documentsMade: IndexDocument[] = []
    const problems = new Map<string, string>()
    for (let from = 0; from < entries.length; from += READING) {
      const some = entries.slice(from, from + READING)
      const contents = await archives.contents(some.map(entry => entry.entry_id))
      const outlines = await storedOutlines([...contents.values()], archives)
      for (const entry of some) {
        const { entry_id, upload_id } = entry
        const upload = around.uploads.get(upload_id)
        if (!upload) continue
        try {
          const archive = outlines.get(entry_id)
          if (archive instanceof Error) throw archive
          documentsMade.push(await this.#document(entry, upload, archive, around))
        } catch (error) {
          problems.set(entry_id, error instanceof Error ? error.message : String(error))
        }
      }
    }
    return { documents: documentsMade, problems }
  }

  async #surroundings(entries: readonly Entry[]): Promise<Surroundings> {
    const { documents } = this.#services
    const uploadIds = [...new Set(entries.map(entry => entry.upload_id))]
    const found = await Promise.all(uploadIds.map(id => documents.upload(id)))
    const uploads = found.filter(upload => upload !== undefined)
    const people = uploads.flatMap(({ main_author, coauthors, reviewers }) => [
      main_author,
      ...coauthors,
      ...reviewers
    ])
    const users = await documents.users([...new Set([...people, ...entries.flatMap(e => e.entry_coauthors)])])
    const datasets = await documents.datasets([...new Set(entries.flatMap(e => e.datasets))])
    return {
      uploads: new Map(uploads.map(upload => [upload.upload_id, upload])),
      persons: new Map(users.map(user => [user.user_id, user])),
      datasets: new Map(datasets.map(dataset => [dataset.dataset_id, dataset])),
      trees: new Map()
    }
  }

  async #document(
    entry: Entry,
    upload: Upload,
    archive: JsonObject | undefined,
    { persons, datasets, trees }: Surroundings
  ): Promise<IndexDocument> {
    const { definitions, quantities } = this.#services
    const { entry_id, upload_id } = entry
    const made = { entry, upload, persons, datasets, quantities, members: this.#members }
    // What processing has written says all that would follow from schemas, other entries and files.
    if (!archive || isSummarised((archive.metadata ?? {}) as JsonObject))
      return indexDocument({ ...made, ...(archive ? { archive } : {}), definitions })
    if (this.#linked++ % REMEMBERING === 0) this.#links = this.#newLinks()
    const { schemas, mainfileOf } = await this.#links.of(archive, upload_id)
    const own = archive.definitions as JsonObject | undefined
    const scope = definitions.scope(
      { entryId: entry_id, uploadId: upload_id, ...(own ? { definitions: own } : {}) },
      schemas
    )
    if (!trees.has(upload_id)) trees.set(upload_id, await this.#services.files.tree(upload_id))
    const files = filesOf(entry, trees.get(upload_id))
    return indexDocument({ ...made, archive, definitions: scope, files, mainfileOf })
  }
}

/** The mainfile, then the other files of its folder. */
function filesOf({ mainfile }: Entry, tree: RawTree | undefined): string[] {
  const beside = (tree?.list(directoryOf(mainfile)) ?? [])
    .filter(node => node.kind === 'file' && node.path !== mainfile)
    .map(node => node.path)
  return [mainfile, ...beside.sort()]
}
