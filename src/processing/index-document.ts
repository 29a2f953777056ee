/**
 * The index document of an entry: everything that searches look at (`search.md` §10). It is the archive reduced to
 * the indexed quantities, with `metadata` lifted to the top and current values of entry and upload in place of those
 * of the time of processing.
 */
import { hasEmbargo, isPublished } from '../access/upload-access.ts'
import type { DefinitionScope, JsonObject, SectionDefinition } from '../archive/definitions.ts'
import type { Quantities } from '../query/quantities.ts'
import type { IndexDocument } from '../search/entry-index.ts'
import type { Dataset, Entry, Upload, User } from '../storage/documents.ts'
import { summariseArchive } from './archive-summary.ts'
import { addDerivedQuantities, availableProperties, withFormulaFragments } from './derived-quantities.ts'
import { entryTitle } from './entry-title.ts'
import { type IndexedMember, indexedMembers, reduceToIndexed } from './indexed-members.ts'
import { type IndexedPeople, indexedPeople } from './people.ts'
import { textContents } from './text-contents.ts'

/** What an index document is made from. */
export interface IndexInput {
  /** Current values. */
  readonly entry: Entry
  readonly upload: Upload
  /** Undefined when the entry has none, for example because its processing failed. */
  readonly archive?: JsonObject
  /** By user id: main author, coauthors and reviewers of the upload, coauthors of the entry. */
  readonly persons: ReadonlyMap<string, User>
  /** By dataset id: those of the entry. */
  readonly datasets: ReadonlyMap<string, Dataset>
  /** Where definitions that the archive names are found. */
  readonly definitions: DefinitionScope
  readonly quantities: Quantities
  /** What {@link indexedMembers} gives: whoever makes many documents asks once. */
  readonly members?: IndexedMember
  /** Raw files that belong to the entry, mainfile first; for archives whose metadata has no such list. */
  readonly files?: readonly string[]
  /** Mainfile of another entry, if it is known. */
  mainfileOf?(entryId: string): string | undefined
}

const ROOT = 'nomad.datamodel.datamodel.EntryArchive'

/** Values that hold whether or not processing has looked at the entry. */
function currentValues({ entry, upload, datasets }: IndexInput, people: IndexedPeople): JsonObject {
  return {
    upload_id: upload.upload_id,
    upload_name: upload.upload_name,
    description: upload.description,
    upload_create_time: upload.upload_create_time,
    external_db: upload.external_db,
    entry_id: entry.entry_id,
    calc_id: entry.entry_id,
    entry_create_time: entry.entry_create_time,
    mainfile: entry.mainfile,
    mainfile_key: entry.mainfile_key,
    parser_name: entry.parser_name,
    external_id: entry.external_id,
    comment: entry.comment,
    references: entry.references,
    published: isPublished(upload),
    with_embargo: hasEmbargo(upload),
    process_status: entry.process_status,
    processed: entry.process_status === 'SUCCESS',
    last_processing_time: entry.last_processing_time,
    origin: upload.external_db || people.main_author.name,
    datasets: entry.datasets.map(id => datasets.get(id)).filter(dataset => dataset !== undefined),
    writer_groups: people.writer_groups,
    viewer_groups: people.viewer_groups
  }
}

/** A list of numbers beside the list of elements becomes a list of pairs, which can be searched by both. */
function withElementRatios(document: JsonObject): JsonObject {
  const optimade = document.optimade as JsonObject | undefined
  if (!optimade) return document
  const { elements, elements_ratios: ratios } = optimade
  const pairs =
    Array.isArray(elements) && Array.isArray(ratios)
      ? elements
          .slice(0, ratios.length)
          .map((element, i) => ({ elements: element, elements_ratios: ratios[i] }))
      : undefined
  return { ...document, optimade: { ...optimade, elements_ratios: pairs } }
}

function withAvailableProperties(results: unknown, definition: SectionDefinition | undefined): unknown {
  const properties = (results as JsonObject | undefined)?.properties as JsonObject | undefined
  if (!properties || !definition) return results
  const available = properties.available_properties ?? availableProperties(properties, definition)
  return { ...(results as JsonObject), properties: { ...properties, available_properties: available } }
}

/**
 * Whether the archive's metadata has what a processing writes there after it has looked through the archive. Of such archives
 * nothing but metadata and results is looked at.
 */
export function isSummarised(metadata: JsonObject): boolean {
  return Boolean(metadata.quantities && metadata.sections && metadata.section_defs)
}

/** What processing would have written into the archive, for archives that lack it. */
function summary(input: IndexInput, archive: JsonObject): JsonObject & { texts?: readonly string[] } {
  const { entry, definitions } = input
  const root = definitions.section(ROOT)
  if (!root) return {}
  const data = (archive.data as JsonObject | undefined)?.m_def
  return {
    ...entryTitle(archive, entry.mainfile, typeof data === 'string' ? definitions.section(data) : undefined),
    files: input.files,
    processing_errors: entry.errors,
    ...summariseArchive(
      archive,
      root,
      definitions,
      { entryId: entry.entry_id, uploadId: entry.upload_id },
      id => input.mainfileOf?.(id)
    )
  }
}

/** What the archive says: metadata, results, and what follows from them. */
function archivedValues(input: IndexInput, archive: JsonObject): JsonObject & { texts?: readonly string[] } {
  const metadata = (archive.metadata ?? {}) as JsonObject
  const properties = input.definitions.section('nomad.datamodel.results.Properties')
  const results = withAvailableProperties(archive.results, properties)
  if (isSummarised(metadata)) return { ...metadata, results }
  return { ...summary(input, archive), ...metadata, results: withFormulaFragments(results) }
}

/**
 * Builds the index document of an entry. Members without value are absent.
 */
export function indexDocument(input: IndexInput): IndexDocument {
  const { archive, entry, upload, definitions } = input
  const { texts = [], ...archived } = archive ? archivedValues(input, archive) : {}
  const people = indexedPeople(entry, upload, input.persons, archived.entry_type)
  const document: Record<string, unknown> = { ...archived, ...currentValues(input, people) }
  if (archive) document.text_search_contents ??= textContents({ ...document, ...people }, texts)
  const members = input.members ?? indexedMembers(input.quantities, definitions)
  const reduced = reduceToIndexed(addDerivedQuantities(withElementRatios(document)), members) as JsonObject
  return { ...reduced, ...people, entry_id: entry.entry_id }
}
