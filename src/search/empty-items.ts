/** Lists of documents come back without items that are empty, as the reference gives them; other empty members stay. */

/** An empty object or list as the item of a list. */
const EMPTY_ITEM = /[[,](?:\{\}|\[\])/

/** Whether a JSON text may hold such items; there is no white space between its parts. */
export function mayHaveEmptyItems(text: string): boolean {
  return EMPTY_ITEM.test(text)
}

/** A value without the items of lists that are empty objects or lists, or become empty lists by that. */
export function withoutEmptyItems(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmptyItems).filter(item => !isEmpty(item))
  if (typeof value !== 'object' || value === null) return value
  const result: Record<string, unknown> = {}
  for (const name of Object.keys(value))
    setMember(result, name, withoutEmptyItems((value as Record<string, unknown>)[name]))
  return result
}

/** Sets a member of any name, `__proto__` too. */
export function setMember(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(object, name, { value, enumerable: true })
  else object[name] = value
}

/** Whether a value is an empty object or list, or undefined. */
export function isEmpty(item: unknown): boolean {
  if (item === undefined) return true
  if (typeof item !== 'object' || item === null) return false
  for (const _ in item) return false
  return true
}
