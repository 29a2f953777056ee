/** The documents that are kept with the index, as JSON. */

const COMPLETION = '__suggestion'

/** JSON of a document without the members `*__suggestion`, which never come back and are made from other values. */
export function documentText(document: object): string {
  return JSON.stringify(withoutCompletion(document))
}

function withoutCompletion(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    return value.some(item => typeof item === 'object') ? value.map(withoutCompletion) : value
  }
  const result: Record<string, unknown> = {}
  for (const name of Object.keys(value)) {
    if (!name.endsWith(COMPLETION)) result[name] = withoutCompletion((value as Record<string, unknown>)[name])
  }
  return result
}
