/** JSON in parts: large answers are written piece by piece, so that neither memory nor the event loop is held by one of them. */

/** Values that are written in one go. */
const VALUES_AT_ONCE = 4000

/** Characters of a part, about. */
const PART = 64 * 1024

/** The JSON text of a value in parts; together they are what `JSON.stringify` gives. */
export function* jsonChunks(value: unknown): Generator<string> {
  let part = ''
  for (const text of texts(value)) {
    part += text
    if (part.length < PART) continue
    yield part
    part = ''
  }
  if (part) yield part
}

function* texts(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null || !isMoreThan(value, VALUES_AT_ONCE)) {
    yield JSON.stringify(value) ?? 'null'
  } else if (Array.isArray(value)) {
    yield '['
    yield* listTexts(value)
    yield ']'
  } else {
    let separator = '{'
    for (const [key, member] of Object.entries(value)) {
      if (member === undefined) continue
      yield `${separator}${JSON.stringify(key)}:`
      yield* texts(member)
      separator = ','
    }
    yield separator === '{' ? '{}' : '}'
  }
}

/** Items without brackets; short runs of plain values together. */
function* listTexts(list: readonly unknown[]): Generator<string> {
  let plain: unknown[] = []
  let separator = ''
  for (const [i, item] of list.entries()) {
    if (typeof item !== 'object' || item === null) {
      plain.push(item)
      if (plain.length < VALUES_AT_ONCE && i < list.length - 1) continue
    }
    if (plain.length > 0) {
      yield separator + JSON.stringify(plain).slice(1, -1)
      separator = ','
      plain = []
    }
    if (typeof item !== 'object' || item === null) continue
    yield separator
    yield* texts(item)
    separator = ','
  }
}

/** Whether there are more than `limit` values in a container; long texts count for more. */
function isMoreThan(container: object, limit: number): boolean {
  let left = limit
  const open: unknown[] = [container]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === 'string') left -= next.length >> 5
    else if (Array.isArray(next)) {
      left -= next.length
      if (left < 0) return true
      if (typeof next[0] === 'object' || typeof next[0] === 'string') open.push(...next)
    } else if (typeof next === 'object' && next !== null) {
      const members = Object.values(next)
      left -= members.length
      open.push(...members)
    }
    if (left < 0) return true
  }
  return false
}
