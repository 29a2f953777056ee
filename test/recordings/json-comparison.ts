/** How recorded JSON is compared with an answer: what has no order, what may differ in form, what is never looked at. */
import { createHash } from 'node:crypto'

/** One place where two values differ; `soft` ones are differences of form. */
export interface Difference {
  readonly path: string
  readonly want: unknown
  readonly got: unknown
  soft?: boolean
}

/** Rules of one recorded line; paths are like `$.a[*].b` and `$..b`. */
export interface ComparisonRules {
  readonly sets?: readonly string[]
  readonly ignore?: readonly string[]
  readonly soft?: readonly string[]
  readonly float_tolerance?: number
}

type JsonObject = Record<string, unknown>

/** Lists under these keys have no order. */
const SET_KEYS = new Set([
  'viewers',
  'writers',
  'viewer_groups',
  'writer_groups',
  'quantities',
  'sections',
  'section_defs',
  'text_search_contents',
  'search_quantities',
  'zip'
])
const IGNORED_KEYS = new Set(['upload_files_server_path', 'm_annotations'])
const SOFT_KEYS = new Set(['elements_ratios'])
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?$/

const isIgnored = (key: string) => IGNORED_KEYS.has(key) || key.endsWith('__suggestion')
const isObject = (v: unknown): v is JsonObject => typeof v === 'object' && v !== null && !Array.isArray(v)
const typeOf = (v: unknown) => (v === null ? 'null' : Array.isArray(v) ? 'array' : typeof v)

/** Canonical text of a JSON value: sorted keys, nine significant digits. */
function canonical(v: unknown): string {
  if (Array.isArray(v)) return `[${v.map(canonical).join(',')}]`
  if (isObject(v)) {
    const members = Object.keys(v).sort()
    return `{${members.map(k => `${JSON.stringify(k)}:${canonical(v[k])}`).join(',')}}`
  }
  if (typeof v === 'number') return Number.isInteger(v) ? String(v) : Number(v.toPrecision(9)).toString()
  return JSON.stringify(v ?? null)
}

/** A value without what is never compared. */
function strip(v: unknown): unknown {
  if (Array.isArray(v)) return v.map(strip)
  if (!isObject(v)) return v
  return Object.fromEntries(Object.entries(v).flatMap(([k, x]) => (isIgnored(k) ? [] : [[k, strip(x)]])))
}

const digest = (v: unknown) =>
  createHash('sha256')
    .update(canonical(strip(v)))
    .digest('hex')

/** Milliseconds of a time; without zone it is UTC. */
function instant(text: string): number | undefined {
  if (!INSTANT.test(text)) return undefined
  const short = text.replace(/(\.\d{3})\d+/, '$1')
  return Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(short) ? short : `${short}Z`)
}

/** Two URLs of the API with the same path and parameters, however they are encoded. */
function sameUrl(a: string, b: string): boolean {
  if (!a.startsWith('{base}') || !b.startsWith('{base}')) return false
  const form = (text: string) => {
    const url = new URL(text.replace('{base}', 'http://x'))
    return `${decodeURI(url.pathname)}?${[...url.searchParams]
      .map(p => p.join('='))
      .sort()
      .join('&')}`
  }
  return form(a) === form(b)
}

function pathRule(text: string): { exact: RegExp; below: RegExp } {
  const parts = text.replace(/^\$/, '').match(/\.\.[^.[\]]+|\.[^.[\]]+|\[[^\]]*\]/g) ?? []
  const quoted = (s: string) => s.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const source = parts
    .map(p => {
      if (p.startsWith('..')) return `(?:[.\\[].*)?\\.${quoted(p.slice(2))}`
      if (p === '.*') return '\\.[^.\\[]+'
      if (p.startsWith('.')) return `\\.${quoted(p.slice(1))}`
      return p === '[*]' ? '\\[\\d+\\]' : quoted(p)
    })
    .join('')
  return { exact: new RegExp(`^\\$${source}$`), below: new RegExp(`^\\$${source}(?:$|[.\\[])`) }
}

/**
 * Differences of two JSON values; none if they agree.
 * @param partial only the wanted members of objects count
 */
export function compareJson(
  want: unknown,
  got: unknown,
  rules: ComparisonRules = {},
  partial = false
): Difference[] {
  const sets = (rules.sets ?? []).map(pathRule)
  const ignored = (rules.ignore ?? []).map(pathRule)
  const softened = (rules.soft ?? []).map(pathRule)
  const tolerance = rules.float_tolerance ?? 1e-9
  const isSoft = (path: string, key: string | undefined) =>
    (key !== undefined && SOFT_KEYS.has(key)) || softened.some(r => r.below.test(path))

  function walk(a: unknown, b: unknown, path: string, key?: string): Difference[] {
    if (ignored.some(r => r.below.test(path))) return []
    const found = inner(a, b, path, key)
    if (found.length > 0 && isSoft(path, key)) for (const d of found) d.soft = true
    return found
  }

  function inner(a: unknown, b: unknown, path: string, key?: string): Difference[] {
    const differs = [{ path, want: a, got: b }]
    if (isObject(a) && typeof a.$digest === 'string') {
      return typeof b === 'object' && b !== null && digest(b) === a.$digest ? [] : differs
    }
    if (typeof a === 'number' && typeof b === 'number') {
      return a === b || Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b)) ? [] : differs
    }
    if (typeOf(a) !== typeOf(b)) return differs
    if (isObject(a) && isObject(b)) return members(a, b, path)
    if (Array.isArray(a) && Array.isArray(b)) return items(a, b, path, key)
    if (a === b) return []
    if (typeof a === 'string' && typeof b === 'string') {
      const time = instant(a)
      if (sameUrl(a, b) || (time !== undefined && time === instant(b)))
        return [{ path, want: a, got: b, soft: true }]
    }
    return differs
  }

  function members(a: JsonObject, b: JsonObject, path: string): Difference[] {
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key): Difference[] => {
      const below = `${path}.${key}`
      if (isIgnored(key) || (partial && !(key in a)) || ignored.some(r => r.below.test(below))) return []
      if (key in a && key in b) return walk(a[key], b[key], below, key)
      return [{ path: below, want: a[key], got: b[key], soft: isSoft(below, key) }]
    })
  }

  function items(a: unknown[], b: unknown[], path: string, key?: string): Difference[] {
    if (a.length !== b.length) return [{ path: `${path}.length`, want: a.length, got: b.length }]
    const unordered = (key !== undefined && SET_KEYS.has(key)) || sets.some(r => r.exact.test(path))
    if (!unordered) return a.flatMap((x, i) => walk(x, b[i], `${path}[${i}]`))
    const left = [...b]
    return a.flatMap((x, i): Difference[] => {
      const at = left.findIndex(y => walk(x, y, `${path}[${i}]`).every(d => d.soft))
      if (at < 0) return [{ path: `${path}[${i}]`, want: x, got: undefined }]
      left.splice(at, 1)
      return []
    })
  }

  return walk(want, got, '$')
}
