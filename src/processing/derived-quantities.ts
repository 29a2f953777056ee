/**
 * Quantities that follow from others and that archives do not hold (`search.md` §10.1).
 */
import type { JsonObject, SectionDefinition } from '../archive/definitions.ts'

type Derivation = (section: JsonObject) => unknown

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function listOf(value: unknown): unknown[] | undefined {
  return Array.isArray(value) ? value : undefined
}

const elementCount: Derivation = ({ elements = [] }) => listOf(elements)?.length
const elementsTogether: Derivation = ({ elements = [] }) => listOf(elements)?.toSorted().join(' ')
const periodicDimensions: Derivation = ({ dimension_types: types }) =>
  listOf(types)?.reduce<number>((sum, type) => sum + Number(type), 0)
const siteCount: Derivation = ({ species_at_sites: species }) => listOf(species)?.length

const composition: Readonly<Record<string, Derivation>> = {
  n_elements: elementCount,
  elements_exclusive: elementsTogether
}

const structure: Readonly<Record<string, Derivation>> = {
  n_sites: siteCount,
  nperiodic_dimensions: periodicDimensions
}

/** How quantities are derived, by the path of the section that has them. */
const DERIVATIONS: Readonly<Record<string, Readonly<Record<string, Derivation>>>> = {
  optimade: { nperiodic_dimensions: periodicDimensions },
  'results.material': composition,
  'results.material.topology': composition,
  'results.properties.structures.structure_original': structure,
  'results.properties.structures.structure_conventional': structure,
  'results.properties.structures.structure_primitive': structure
}

function withDerived(
  node: unknown,
  names: readonly string[],
  rules: Readonly<Record<string, Derivation>>
): unknown {
  if (Array.isArray(node)) return node.map(item => withDerived(item, names, rules))
  if (!isObject(node)) return node
  const [name, ...rest] = names
  if (name !== undefined) {
    return name in node ? { ...node, [name]: withDerived(node[name], rest, rules) } : node
  }
  const derived: Record<string, unknown> = { ...node }
  for (const [quantity, derive] of Object.entries(rules)) derived[quantity] ??= derive(node)
  return derived
}

/**
 * Adds the derived quantities that the document does not have yet.
 * @param document members as in the index document, not yet reduced
 */
export function addDerivedQuantities(document: JsonObject): JsonObject {
  let result: unknown = document
  for (const [path, rules] of Object.entries(DERIVATIONS)) {
    result = withDerived(result, path.split('.'), rules)
  }
  return result as JsonObject
}

/**
 * Adds to a material what its processing would have written: `Ti3O4` gives the fragments `Ti3` and `O4`, by which
 * materials are found from parts of their formula.
 * @param results JSON of `results`
 */
export function withFormulaFragments(results: unknown): unknown {
  const rules: Readonly<Record<string, Derivation>> = {
    chemical_formula_reduced_fragments: ({ chemical_formula_reduced: formula }) =>
      typeof formula === 'string' ? (formula.match(/[A-Z][a-z]*\d*/g) ?? undefined) : undefined
  }
  return withDerived(results, ['material'], rules)
}

/** The one property that counts although it is part of another. */
const PART = ['electronic', 'band_structure_electronic', 'band_gap'] as const

function isPresent(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : isObject(value)
}

/**
 * The property sections present in `results.properties`, sorted: sections directly below it that hold quantities
 * themselves, and sections below those that only group others. Original, conventional and primitive structures are
 * no properties, neither are band gaps, except as part of a band structure.
 * @param properties JSON of `results.properties`
 * @param definition its definition
 */
export function availableProperties(properties: JsonObject, definition: SectionDefinition): string[] {
  const found = new Set<string>()
  for (const [name, value] of Object.entries(properties)) {
    const group = definition.property(name)
    if (group?.kind !== 'sub_section' || !isPresent(value) || name === 'structures') continue
    const isGroup = ![...(group.section()?.ownProperties().values() ?? [])].some(p => p.kind === 'quantity')
    if (!isGroup) found.add(name)
    else if (isObject(value)) {
      for (const [property, inner] of Object.entries(value)) {
        if (isPresent(inner) && property !== PART[2]) found.add(property)
      }
    }
  }
  const [electronic, structure, gap] = PART
  const structures = (properties[electronic] as JsonObject | undefined)?.[structure]
  if ([structures].flat().some(item => isObject(item) && isPresent(item[gap]))) found.add(PART.join('.'))
  return [...found].sort()
}
