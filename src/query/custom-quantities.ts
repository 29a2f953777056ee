/**
 * Quantities of custom schemas (`search.md` §1.6). Their values are nested objects of `search_quantities`, one for each
 * value; which of them belong to a quantity is a query of its own. Names of packages are looked up in the definitions
 * when they are asked for: packages may be added at any time, and there are too many names for a list.
 */
import type { QuantityDefinition, SectionDefinition, ValueKind } from '../archive/definitions.ts'
import { type CustomName, type CustomType, customName } from './custom-names.ts'
import type { Quantity } from './quantities.ts'
import type { Query } from './tree.ts'

/** The definitions of packages, as far as names of custom quantities need them. */
export interface CustomDefinitions {
  /** The section definition with a name; undefined when there is none. */
  section(name: string): SectionDefinition | undefined
  /** All section definitions; the same list until packages are added. */
  sections(): readonly SectionDefinition[]
}

/** Most parts of a path that are compared one by one; longer paths are found by the whole name alone. */
export const SEGMENTS_MAX = 32

const HOLDER = 'search_quantities'
const ENTRY_DATA = 'nomad.datamodel.data.EntryData'

/** Where the values of a type stand. */
const VALUES: Readonly<Record<CustomType, string>> = {
  str: `${HOLDER}.str_value.keyword`,
  int: `${HOLDER}.int_value`,
  float: `${HOLDER}.float_value`,
  bool: `${HOLDER}.bool_value`,
  datetime: `${HOLDER}.datetime_value`
}

const TYPES: Readonly<Partial<Record<ValueKind, CustomType>>> = {
  string: 'str',
  enum: 'str',
  int: 'int',
  float: 'float',
  bool: 'bool',
  datetime: 'datetime'
}

/**
 * Gives the custom quantity of a name, undefined when there is none. Its `name` is that of answers, which lacks the
 * type (`search.md` §3).
 * @param indexed what the index holds, by name
 */
export function customQuantities(
  indexed: ReadonlyMap<string, Quantity>,
  definitions: CustomDefinitions | undefined
): (name: string) => Quantity | undefined {
  const schemas = definitions && dataSchemas(definitions)
  const base = (name: string) => {
    const quantity = indexed.get(name)
    if (!quantity) throw new Error(`the quantities lack ${name}`)
    return quantity
  }
  const make = (custom: CustomName, type: CustomType, rest: Partial<Quantity>): Quantity => {
    const name = `${custom.path.join('.')}#${custom.schema}`
    return { ...base(VALUES[type]), ...rest, name, within: holders(name, custom, base) }
  }
  return name => {
    const custom = customName(name)
    if (!custom) return undefined
    if (custom.uploaded) return custom.type && make(custom, custom.type, {})
    if (custom.type) return undefined
    const found = schemas && definedQuantity(custom, schemas)
    return found && make(custom, found.type, { repeats: found.repeats, definition: found.qualifiedName })
  }
}

/**
 * The nested objects that hold the values: those of this very name, and those at this path of a section that is based
 * on the one of the name. The rarest is asked for first.
 */
function holders(name: string, { path, schema }: CustomName, base: (name: string) => Quantity): Query {
  const is = (quantity: string, value: string): Query => ({
    kind: 'terms',
    quantity: base(`${HOLDER}.${quantity}`),
    values: [value]
  })
  const own = is('id', name)
  if (path.length > SEGMENTS_MAX) return own
  const segments = path.slice(1).map((segment, i) => is(`segments.${i + 2}.path`, segment))
  return {
    kind: 'or',
    of: [own, { kind: 'and', of: [is('segments.1.definitions', schema), ...segments.reverse()] }]
  }
}

/** Tells whether a section can stand as `data`, or is what such sections are based on. */
interface DataSchemas {
  section(name: string): SectionDefinition | undefined
  isBase(section: SectionDefinition): boolean
}

function dataSchemas(definitions: CustomDefinitions): DataSchemas {
  let known: { readonly sections: unknown; readonly bases: ReadonlySet<string> } | undefined
  return {
    section: name => definitions.section(name),
    isBase: ({ name }) => {
      const sections = definitions.sections()
      if (known?.sections !== sections) {
        const lineages = sections.map(section => section.lineage().map(base => base.name))
        known = { sections, bases: new Set(lineages.filter(names => names.includes(ENTRY_DATA)).flat()) }
      }
      return known.bases.has(name)
    }
  }
}

/** A scalar quantity of a section that can stand as `data`, or a quantity of its own of what such a section is based on. */
function definedQuantity(
  { path, schema }: CustomName,
  schemas: DataSchemas
): { type: CustomType; repeats: boolean; qualifiedName: string } | undefined {
  const root = schemas.section(schema)
  // Other names of the section, such as re-exported ones, are not those of the values.
  if (root?.name !== schema) return undefined
  const names = path.slice(1)
  const isData = root.lineage().some(section => section.name === ENTRY_DATA)
  if (
    !isData &&
    !(names.length === 1 && root.ownProperties().has(names[0] as string) && schemas.isBase(root))
  )
    return undefined

  const last = names.pop() as string
  let section: SectionDefinition = root
  let repeats = false
  for (const name of names) {
    const property = section.property(name)
    const inner = property?.kind === 'sub_section' ? property.section() : undefined
    if (property?.kind !== 'sub_section' || !inner) return undefined
    repeats ||= property.repeats
    section = inner
  }
  const quantity = section.property(last)
  const type = quantity?.kind === 'quantity' ? typeOf(quantity) : undefined
  return type && { type, repeats, qualifiedName: (quantity as QuantityDefinition).qualifiedName }
}

function typeOf({ scalar, reference, valueKind }: QuantityDefinition): CustomType | undefined {
  return scalar && !reference ? TYPES[valueKind] : undefined
}
