/**
 * Walks over an archive with the definitions of its sections (`archive.md` §5).
 */
import type {
  DefinitionScope,
  JsonObject,
  QuantityDefinition,
  SectionDefinition
} from '../archive/definitions.ts'

/** A section of the archive that is being visited. */
export interface VisitedSection {
  readonly node: JsonObject
  readonly definition: SectionDefinition
  /** Names from the root, without indices; `''` is the root. */
  readonly path: string
  /** Names and indices from the root, with dots, for example `data.steps.0`. */
  readonly place: string
  /** Name by which it stands in its parent; `''` for the root. */
  readonly name: string
  /** Absent for the root. */
  readonly parent?: VisitedSection
}

/** What is done with what is found. */
export interface Visitor {
  /** Called before what the section contains. Gives `false` to leave its contents out. */
  section?(section: VisitedSection): boolean | undefined
  /** A quantity with a value; the value may be a list, or hold variants (`m_value`). */
  quantity?(value: unknown, definition: QuantityDefinition, section: VisitedSection): void
}

/** Joins dot paths; the root's is empty. */
export function dotPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Visits all sections and quantities that are present and defined, in the order of the archive. Sections take the
 * definition their `m_def` names, if it can be found, else the one declared by their parent.
 */
export function walkArchive(
  archive: JsonObject,
  root: SectionDefinition,
  scope: DefinitionScope,
  visitor: Visitor
): void {
  const visit = (section: VisitedSection): void => {
    if (visitor.section?.(section) === false) return
    for (const name in section.node) {
      const value = section.node[name]
      if (value === null || value === undefined) continue
      const property = section.definition.property(name)
      if (property?.kind === 'quantity') visitor.quantity?.(value, property, section)
      if (property?.kind !== 'sub_section') continue
      const place = dotPath(section.place, name)
      const enter = (node: unknown, at: string): void => {
        if (!isObject(node)) return
        const named = typeof node.m_def === 'string' ? scope.section(node.m_def) : undefined
        const definition = named ?? property.section()
        if (!definition) return
        visit({ node, definition, path: dotPath(section.path, name), place: at, name, parent: section })
      }
      if (Array.isArray(value)) for (const [i, node] of value.entries()) enter(node, `${place}.${i}`)
      else enter(value, place)
    }
  }
  visit({ node: archive, definition: root, path: '', place: '', name: '' })
}
