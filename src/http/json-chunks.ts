/** JSON in parts: large answers are written piece by piece, so that neither memory nor the event loop is held by one of them. */

/** Values that are written in one go. */
const VALUES_AT_ONCE = 4000

/** Characters of a part, about. */
const PART = 64 * 1024

/**
 * The JSON text of a value in parts; together they are what `JSON.stringify` gives.
 * @param indent blanks by which each level is indented; 0: everything on one line
 * @param level levels above the value
 */
export function* jsonChunks(value: unknown, indent = 0, level = 0): Generator<string> {
  let part = ''
  for (const text of texts(value, layoutAt(level, indent))) {
    part += text
    if (part.length < PART) continue
    yield part
    part = ''
  }
  if (part) yield part
}

/** How a value is laid out. */
interface Layout {
  readonly indent: number
  /** Blanks before the lines of the value. */
  readonly pad: string
}

/** The layout of a value below so many levels. */
function layoutAt(level: number, indent: number): Layout {
  return { indent, pad: ' '.repeat(level * indent) }
}

/** The items of a list or the members of a map, without brackets; not for empty ones. */
function writtenInside(container: object, layout: Layout): string {
  const text = written(container, layout)
  return text.slice(1, layout.indent > 0 ? text.lastIndexOf('\n') : -1)
}

function* texts(value: unknown, layout: Layout): Generator<string> {
  if (typeof value !== 'object' || value === null || !isMoreThan(value, VALUES_AT_ONCE)) {
    yield written(value, layout)
    return
  }
  const { indent, pad } = layout
  const inner = { indent, pad: pad + ' '.repeat(indent) }
  const line = indent > 0 ? `\n${inner.pad}` : ''
  const end = indent > 0 ? `\n${pad}` : ''
  if (Array.isArray(value)) {
    yield '['
    yield* listTexts(value, layout, inner, line)
    yield `${end}]`
    return
  }
  const colon = indent > 0 ? ': ' : ':'
  let separator = '{'
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue
    yield `${separator}${line}${JSON.stringify(key)}${colon}`
    yield* texts(member, inner)
    separator = ','
  }
  yield separator === '{' ? '{}' : `${end}}`
}

/** A value in one go. Line breaks in JSON text are layout: those in strings are escaped. */
function written(value: unknown, { indent, pad }: Layout): string {
  const text = JSON.stringify(value, null, indent) ?? 'null'
  return pad && typeof value === 'object' ? text.replaceAll('\n', `\n${pad}`) : text
}

/** Items without brackets; short runs of plain values together. */
function* listTexts(
  list: readonly unknown[],
  layout: Layout,
  inner: Layout,
  line: string
): Generator<string> {
  let plain: unknown[] = []
  let separator = ''
  for (const [i, item] of list.entries()) {
    if (typeof item !== 'object' || item === null) {
      plain.push(item)
      if (plain.length < VALUES_AT_ONCE && i < list.length - 1) continue
    }
    if (plain.length > 0) {
      yield separator + writtenInside(plain, layout)
      separator = ','
      plain = []
    }
    if (typeof item !== 'object' || item === null) continue
    yield separator + line
    yield* texts(item, inner)
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
