/**
 * What processing writes about an archive into its metadata, made from the archive itself (`search.md` §10.3,
 * §10.4): for archives whose metadata has no such lists.
 */
import type { DefinitionScope, JsonObject, SectionDefinition } from '../archive/definitions.ts'
import { dotPath, walkArchive } from './archive-walk.ts'
import { type EntryReference, entryReferences } from './entry-references.ts'
import { plainValue, type SearchQuantity, searchQuantity } from './search-quantities.ts'

/** A section class of an archive. */
export interface SectionUse {
  readonly definition_qualified_name: string
  readonly definition_id?: string
  /** False for classes that are only the base of a class in use. */
  readonly used_directly: boolean
}

/** What is known about an archive from looking through all of it. */
export interface ArchiveSummary {
  /** Number of quantities and sections that are set, the root not counted. */
  readonly n_quantities: number
  /** Paths without indices of what is present, sorted; `''` is the root. */
  readonly quantities: readonly string[]
  /** Qualified names of the section classes present, sorted. */
  readonly sections: readonly string[]
  /** These and their base classes, sorted by name. */
  readonly section_defs: readonly SectionUse[]
  readonly entry_references: readonly EntryReference[]
  readonly search_quantities: readonly SearchQuantity[]
  /** Distinct texts below `data`. */
  readonly texts: readonly string[]
}

function textsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(textsOf)
  const plain = plainValue(value)
  return typeof plain === 'string' ? [plain] : []
}

function sectionUses(used: ReadonlySet<SectionDefinition>): SectionUse[] {
  const names = new Set([...used].map(definition => definition.name))
  const all = new Map<string, SectionUse>()
  for (const definition of [...used].flatMap(section => section.lineage())) {
    all.set(definition.name, {
      definition_qualified_name: definition.name,
      ...(definition.id ? { definition_id: definition.id } : {}),
      used_directly: names.has(definition.name)
    })
  }
  return [...all.keys()].sort().map(name => all.get(name)!)
}

/** Parts of an archive that are no content: what processing wrote about it, and its log. */
const ABOUT = [
  'n_quantities',
  'quantities',
  'sections',
  'section_defs',
  'entry_references',
  'search_quantities',
  'text_search_contents'
]

function contentOf({ processing_logs: _, metadata, ...content }: JsonObject): JsonObject {
  if (typeof metadata !== 'object' || metadata === null) return content
  const about = Object.entries(metadata).filter(([name]) => !ABOUT.includes(name))
  return { ...content, metadata: Object.fromEntries(about) }
}

/**
 * Looks through an archive.
 * @param root definition of a whole archive
 * @param self ids of the entry
 * @param mainfileOf gives the mainfile of an entry that is known
 */
export function summariseArchive(
  archive: JsonObject,
  root: SectionDefinition,
  scope: DefinitionScope,
  self: { readonly entryId: string; readonly uploadId: string },
  mainfileOf: (entryId: string) => string | undefined
): ArchiveSummary {
  let count = 0
  const quantities = new Set<string>()
  const used = new Set<SectionDefinition>()
  const references: EntryReference[] = []
  const values: SearchQuantity[] = []
  const texts = new Set<string>()

  walkArchive(contentOf(archive), root, scope, {
    section({ path, definition }) {
      if (path !== '') count += 1
      quantities.add(path)
      used.add(definition)
      return undefined
    },
    quantity(value, definition, section) {
      const path = dotPath(section.path, definition.name)
      count += 1
      quantities.add(path)
      if (definition.reference === 'section' || definition.reference === 'quantity') {
        references.push(...entryReferences(value, definition, section, self, mainfileOf))
      }
      if (!/^data(?:\.|$)/.test(section.path)) return
      const found = searchQuantity(value, definition, section)
      if (found) values.push(found)
      if (definition.valueKind === 'string' || definition.valueKind === 'enum') {
        for (const text of textsOf(value)) texts.add(text)
      }
    }
  })
  return {
    n_quantities: count,
    quantities: [...quantities].sort(),
    sections: [...new Set([...used].map(definition => definition.name))].sort(),
    section_defs: sectionUses(used),
    entry_references: references,
    search_quantities: values,
    texts: [...texts]
  }
}
