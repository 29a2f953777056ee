/**
 * Types of quantities as packages write them (`archive.md` §5.3): `{type_kind, type_data}`, or a word as shorthand.
 */
import type { JsonObject, ValueKind } from './definitions.ts'

/** What a type says about the values. */
export interface QuantityType {
  readonly valueKind: ValueKind
  readonly reference?: 'section' | 'quantity' | 'person'
  /** Where a reference leads: reference to a section definition, or to a quantity of one. */
  readonly target?: string
}

/** Persons and datasets stand in archives as ids, which nobody resolves (`archive.md` §5.2). */
const ID_TYPES = new Set([
  'User',
  'Author',
  'nomad.datamodel.data.User',
  'nomad.datamodel.data.Author',
  'nomad.datamodel.datamodel.Dataset'
])

const WORDS: ReadonlyMap<string, ValueKind> = new Map([
  ['str', 'string'],
  ['string', 'string'],
  ['str_', 'string'],
  ['Capitalized', 'string'],
  ['int', 'int'],
  ['integer', 'int'],
  ['float', 'float'],
  ['double', 'float'],
  ['bool', 'bool'],
  ['boolean', 'bool'],
  ['bool_', 'bool'],
  ['complex', 'complex'],
  ['Datetime', 'datetime'],
  ['datetime', 'datetime'],
  ['JSON', 'json']
])

/** Types that are known and are none of the above, for example files, units and values kept in HDF5 files. */
const OTHER_WORDS = new Set([
  'Any',
  'Bytes',
  'Callable',
  'Dimension',
  'Enum',
  'File',
  'HDF5Dataset',
  'HDF5Reference',
  'Query',
  'QuantityType',
  'URL',
  'Unit',
  'bytes',
  'void'
])

/** The kind of a type's name, whatever module it is written with; undefined when it is not a type's name. */
function kindOfWord(word: string): ValueKind | undefined {
  const name = word.slice(word.lastIndexOf('.') + 1)
  const known = WORDS.get(name)
  if (known) return known
  if (/^u?int\d+$/.test(name)) return 'int'
  if (/^float\d+$/.test(name)) return 'float'
  if (/^complex\d+$/.test(name)) return 'complex'
  return OTHER_WORDS.has(name) ? 'other' : undefined
}

function sectionType(target: string): QuantityType {
  return { valueKind: 'other', reference: ID_TYPES.has(target) ? 'person' : 'section', target }
}

/** Reads the `type` of a quantity. A type that nothing is known about is of the kind `other`. */
export function quantityType(type: unknown): QuantityType {
  if (typeof type === 'string') {
    if (ID_TYPES.has(type)) return sectionType(type)
    const kind = kindOfWord(type)
    return kind ? { valueKind: kind } : sectionType(type)
  }
  if (typeof type !== 'object' || type === null) return { valueKind: 'other' }
  const { type_kind: kind, type_data: data } = type as JsonObject
  if (typeof kind !== 'string') return { valueKind: 'other' }
  if (kind.toLowerCase() === 'enum') return { valueKind: 'enum' }
  if (kind === 'User' || kind === 'Author') return sectionType(kind)
  if (typeof data !== 'string') return { valueKind: 'other' }
  if (kind === 'reference') return sectionType(data)
  if (kind === 'quantity_reference') return { valueKind: 'other', reference: 'quantity', target: data }
  return { valueKind: kindOfWord(data) ?? 'other' }
}
