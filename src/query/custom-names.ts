/**
 * Names of quantities that custom schemas define (`search.md` §1.6): `data.<path>#<schema>`, for schemas of uploads
 * with the type behind, `data.<path>#entry_id:<entry>.<Section>#<type>`.
 */
import { invalid, type SeraiError } from '../errors.ts'
import type { Quantities, Quantity } from './quantities.ts'

/** Word for the type of the values. */
export type CustomType = 'str' | 'int' | 'float' | 'bool' | 'datetime'

/** A name in its parts. */
export interface CustomName {
  /** `data` and the names below it. */
  readonly path: readonly string[]
  /** Qualified name of the section that stands as `data`. */
  readonly schema: string
  /** Part of an uploaded schema: no definition is looked up, and the name says the type. */
  readonly uploaded: boolean
  readonly type?: CustomType
}

const NAME = /^data\.([^#]+)#([^#].*?)(?:#(str|int|float|bool|datetime))?$/s
const UPLOADED = /^(?:entry_id:|pynxtools\.nomad\.schema)/

/** The parts of a name; undefined when it has not the form of one. */
export function customName(name: string): CustomName | undefined {
  if (!name.startsWith('data.')) return undefined
  const [, path, schema, type] = NAME.exec(name) ?? []
  if (path === undefined || schema === undefined) return undefined
  return {
    path: ['data', ...path.split('.')],
    schema,
    uploaded: UPLOADED.test(schema),
    ...(type ? { type: type as CustomType } : {})
  }
}

/**
 * The quantity with this name, a fixed or a custom one.
 * @throws SeraiError INVALID (422) when there is none, or the name lacks its type
 */
export function findQuantity(name: string, quantities: Quantities, loc: readonly string[]): Quantity {
  const found = quantities.get(name) ?? quantities.custom(name)
  if (found) return found
  const custom = customName(name)
  if (custom?.uploaded && !custom.type) {
    throw invalid(
      loc,
      `Could not resolve the data type for quantity ${name}. Please include the data type in the quantity name using the "#<type>" postfix.`
    )
  }
  throw unknownQuantity(name, quantities, loc)
}

/** The 422 for a name that is no quantity (`search.md` §1.8). */
export function unknownQuantity(name: string, quantities: Quantities, loc: readonly string[]): SeraiError {
  return invalid(loc, `${name} is not a ${quantities.document} quantity`)
}

/** The path of a name or pattern without its schema: `data.symbol` of `data.symbol#entry_id:x.Element#str`. */
export function withoutSchema(name: string): string {
  const hash = name.indexOf('#')
  return hash < 0 ? name : name.slice(0, hash)
}
