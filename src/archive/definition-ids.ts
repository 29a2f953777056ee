/** Ids of what the `definitions` section of an archive defines (`archive.md` §5.3, `graph.md` §10). */
import { objectsOf } from './definition-package.ts'
import type { JsonObject } from './definitions.ts'

/** Id of the package; undefined where it tells none. */
export function packageIdOf(definitions: JsonObject): string | undefined {
  return idOf(definitions)
}

/** Ids of the sections on the uppermost level. */
export function sectionIdsOf(definitions: JsonObject): string[] {
  return objectsOf(definitions.section_definitions).flatMap(raw => idOf(raw) ?? [])
}

/** Ids by which the package can be asked for: its own and those of all its sections, inner ones included; each once. */
export function definitionIdsOf(definitions: JsonObject): string[] {
  const ids = new Set<string>()
  const collect = (raw: JsonObject): void => {
    const id = idOf(raw)
    if (id !== undefined) ids.add(id)
    for (const inner of objectsOf(raw.section_definitions)) collect(inner)
    for (const inner of objectsOf(raw.inner_section_definitions)) collect(inner)
  }
  collect(definitions)
  return [...ids]
}

function idOf(raw: JsonObject): string | undefined {
  return typeof raw.definition_id === 'string' ? raw.definition_id : undefined
}
