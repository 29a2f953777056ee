/**
 * Names of quantities that custom schemas define (`search.md` §1.6): `data.<path>#<schema>`, for schemas of uploads
 * with the type behind, `data.<path>#entry_id:<entry>.<Section>#<type>`.
 */
import { invalid, type SeraiError } from '../errors.ts'
import type { Quantities } from './quantities.ts'

const UPLOADED_SCHEMA = /^data\.[^#]+#(?:entry_id:|pynxtools\.nomad\.schema)[^#]*/
const TYPED = /#(?:str|int|float|bool|datetime)$/

/** Whether the name is that of a custom quantity, known or of an uploaded schema, and complete. */
export function isCustomName(name: string, quantities: Quantities): boolean {
  if (!name.startsWith('data.') || !name.includes('#')) return false
  return quantities.get(name) !== undefined || (UPLOADED_SCHEMA.test(name) && TYPED.test(name))
}

/** The 422 for a name of an uploaded schema that lacks its type; undefined for other names. */
export function unresolvedType(name: string, loc: readonly string[]): SeraiError | undefined {
  if (!UPLOADED_SCHEMA.test(name) || TYPED.test(name)) return undefined
  return invalid(
    loc,
    `Could not resolve the data type for quantity ${name}. Please include the data type in the quantity name using the "#<type>" postfix.`
  )
}

/** The path of a name or pattern without its schema: `data.symbol` of `data.symbol#entry_id:x.Element#str`. */
export function withoutSchema(name: string): string {
  const hash = name.indexOf('#')
  return hash < 0 ? name : name.slice(0, hash)
}
