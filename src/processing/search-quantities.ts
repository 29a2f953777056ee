/**
 * `search_quantities` of the index document: the values of custom schemas below `data` (`search.md` §10.3).
 */
import type { JsonObject, QuantityDefinition, ValueKind } from '../archive/definitions.ts'
import { dotPath, type VisitedSection } from './archive-walk.ts'
import { utcTime } from './indexed-members.ts'

/** One value of a custom schema. */
export interface SearchQuantity {
  /** Path without indices, `#`, qualified name of the section `data`. */
  readonly id: string
  /** Qualified name of the quantity. */
  readonly definition: string
  /** Path with indices. */
  readonly path_archive: string
  /** By their number from 1 on: the sections of the path, then the quantity. */
  readonly segments: Readonly<Record<string, { path: string; definitions: readonly string[] }>>
  readonly str_value?: string
  readonly int_value?: number
  readonly float_value?: number
  readonly bool_value?: boolean
  readonly datetime_value?: string
}

type ValueMember = 'str_value' | 'int_value' | 'float_value' | 'bool_value' | 'datetime_value'

const MEMBERS: Partial<Record<ValueKind, ValueMember>> = {
  string: 'str_value',
  enum: 'str_value',
  int: 'int_value',
  float: 'float_value',
  bool: 'bool_value',
  datetime: 'datetime_value'
}

/** Classes that every schema is based on tell nothing. */
const GENERIC = new Set(['nomad.datamodel.data.ArchiveSection', 'nomad.datamodel.data.EntryData'])

/** The value itself, where the archive holds it with unit and attributes, or holds variants of it: the first usable one. */
export function plainValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  for (const variant of Object.values(value as JsonObject)) {
    const inner =
      typeof variant === 'object' && variant !== null && 'm_value' in variant ? variant.m_value : variant
    if (typeof inner !== 'object' && inner !== undefined) return inner
  }
  return undefined
}

function accepted(value: unknown, member: ValueMember): unknown {
  switch (member) {
    case 'str_value':
      return typeof value === 'string' ? value : undefined
    case 'int_value':
      return Number.isSafeInteger(value) ? value : undefined
    case 'float_value':
      return Number.isFinite(value) ? value : undefined
    case 'bool_value':
      return typeof value === 'boolean' ? value : undefined
    case 'datetime_value':
      return utcTime(value)
  }
}

function definitionsOf(section: VisitedSection): string[] {
  return section.definition
    .lineage()
    .map(definition => definition.name)
    .filter(name => !GENERIC.has(name))
}

/** The section and those around it, from `data` on. */
function sectionsTo(section: VisitedSection): VisitedSection[] {
  const around: VisitedSection[] = []
  for (let at: VisitedSection | undefined = section; at?.parent; at = at.parent) around.unshift(at)
  return around
}

/**
 * One quantity as a search quantity; undefined when it is none: lists, references, complex values, values that its
 * type does not allow.
 * @param section a section at or below `data`
 */
export function searchQuantity(
  value: unknown,
  definition: QuantityDefinition,
  section: VisitedSection
): SearchQuantity | undefined {
  const member = definition.scalar && !definition.reference ? MEMBERS[definition.valueKind] : undefined
  if (!member) return undefined
  const indexed = accepted(plainValue(value), member)
  if (indexed === undefined) return undefined
  const sections = sectionsTo(section)
  const segments = Object.fromEntries(
    sections.map((at, i) => [String(i + 1), { path: at.name, definitions: definitionsOf(at) }])
  )
  const owner = definition.qualifiedName.slice(0, -definition.name.length - 1)
  segments[String(sections.length + 1)] = { path: definition.name, definitions: [owner] }
  return {
    id: `${dotPath(section.path, definition.name)}#${sections[0]!.definition.name}`,
    definition: definition.qualifiedName,
    path_archive: dotPath(section.place, definition.name),
    segments,
    [member]: indexed
  }
}
