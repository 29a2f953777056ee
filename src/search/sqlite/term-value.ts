/** Terms of keywords and booleans, and the values that they stand for. */
import type { Scalar } from '../../query/tree.ts'
import { isNumeric } from './fields.ts'
import type { FieldName } from './wire.ts'

/** A term as the value that it stands for. */
export function scalarOf({ kind }: FieldName, term: string): Scalar {
  return kind === 'boolean' ? term === '1' : term
}

/** A value of a keyword or boolean as a term. */
export function termText({ kind }: FieldName, value: Scalar): string {
  if (kind === 'boolean')
    return value === true || value === 1 || value === '1' || value === 'true' ? '1' : '0'
  return String(value).toWellFormed()
}

/** A value that something is ordered by, as numbers and terms are compared. */
export function orderKey(field: FieldName, value: Scalar): string | number {
  return isNumeric(field.kind) ? Number(value) : termText(field, value)
}
