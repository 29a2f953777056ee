/** A package of definitions as it is asked for by the id of one of them (`graph.md` §10). */
import { packageIdOf, sectionIdsOf } from './definition-ids.ts'
import { objectsOf } from './definition-package.ts'
import type { JsonObject } from './definitions.ts'

/** The answer of `GET /metainfo/{definition_id}`; what is not known is left out. */
export interface DefinitionSnapshot {
  /** Of the entry in whose archive the package stands; packages that all entries share have none. */
  readonly entry_id?: string
  readonly upload_id?: string
  /** Id of the package. */
  readonly snapshot_package_id?: string
  /** The id that was asked for, of a section or of the package. */
  readonly snapshot_section_id: string
  /** Ids of the package's sections. */
  readonly snapshot_section_ids: readonly string[]
  /** The package. */
  readonly data: JsonObject
}

/** The package in the archive of an entry. */
export function schemaSnapshot(
  definitionId: string,
  entry: { readonly entry_id: string; readonly upload_id: string },
  definitions: JsonObject
): DefinitionSnapshot {
  const packageId = packageIdOf(definitions)
  return {
    entry_id: entry.entry_id,
    upload_id: entry.upload_id,
    ...(packageId === undefined ? {} : { snapshot_package_id: packageId }),
    snapshot_section_id: definitionId,
    snapshot_section_ids: sectionIdsOf(definitions),
    data: definitions
  }
}

/**
 * A package that all entries share. Its definitions bring no ids: those that are known are added.
 * @param ids of sections, by their qualified names
 */
export function packageSnapshot(
  definitionId: string,
  raw: JsonObject,
  ids: ReadonlyMap<string, string>
): DefinitionSnapshot {
  const data = withIds(raw, `${raw.name}`, ids)
  return { snapshot_section_id: definitionId, snapshot_section_ids: sectionIdsOf(data), data }
}

/** Lists of sections. */
const SECTIONS = ['section_definitions', 'inner_section_definitions']

function withIds(raw: JsonObject, name: string, ids: ReadonlyMap<string, string>): JsonObject {
  const id = ids.get(name)
  const copy: Record<string, unknown> = { ...raw, ...(id === undefined ? {} : { definition_id: id }) }
  for (const key of SECTIONS) {
    if (!Array.isArray(raw[key])) continue
    copy[key] = objectsOf(raw[key]).map(inner => withIds(inner, `${name}.${inner.name}`, ids))
  }
  return copy
}
