/** Whether an answer is what a recorded line asks for. */
import { type ComparisonRules, compareJson, type Difference } from './json-comparison.ts'

/** A recorded request with the answer of the reference. */
export interface RecordedLine {
  readonly id: string
  readonly title: string
  /** User id of the caller; null for an anonymous one. */
  readonly as: string | null
  readonly request: RecordedRequest
  readonly response: {
    readonly status: number
    readonly headers?: Record<string, string>
    readonly body?: unknown
  }
  /** What is asked where a decision says that the answer must differ from the reference's. */
  readonly expected?: {
    readonly status: number | readonly number[]
    readonly body?: unknown
    readonly partial?: boolean
    readonly suggestions?: Record<
      string,
      { must: string[]; may: string[]; forbidden: string[]; others?: boolean }
    >
  }
  readonly compare?: ComparisonRules & { readonly expect?: 'same' | 'decision'; readonly decision?: string }
}

/** The request of a line. */
export interface RecordedRequest {
  readonly method: string
  readonly path: string
  readonly query?: Record<string, string | number | boolean | readonly (string | number)[]>
  readonly headers?: Record<string, string>
  readonly body?: unknown
  readonly text?: string
  readonly form?: Record<string, string>
  readonly token?: {
    readonly raw?: string
    readonly user?: string
    readonly secret?: string
    readonly expires_in?: number
    readonly claims?: Record<string, unknown>
    readonly in?: 'header' | 'cookie' | 'query'
    readonly name?: string
  }
  /** Follow `next_page_after_value` to the end; the answer is the ids and the number of pages. */
  readonly walk?: { readonly id: string; readonly max?: number }
}

/** An answer in the form of the recordings. */
export interface Answer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: unknown
}

type Item = { readonly msg?: unknown; readonly loc?: unknown }

const detailOf = (body: unknown): unknown => (body as { detail?: unknown } | null | undefined)?.detail

/** Error bodies: the form counts, words and places are differences of form. */
function compareError(want: unknown, got: unknown): Difference[] {
  const a = detailOf(want)
  const b = detailOf(got)
  if (a === undefined) return []
  if (b === undefined) return [{ path: '$.detail', want: a, got: b }]
  if (typeof a === 'string') return typeof b === 'string' ? [] : [{ path: '$.detail', want: a, got: b }]
  if (!Array.isArray(a)) return []
  if (!Array.isArray(b) || b.length === 0) return [{ path: '$.detail', want: a, got: b }]
  return (b as Item[]).flatMap((item, i) =>
    typeof item?.msg === 'string' && Array.isArray(item.loc)
      ? []
      : [{ path: `$.detail[${i}]`, want: '{msg, loc}', got: item }]
  )
}

/** Suggestions that must, may, must not be there. */
function compareSuggestions(
  want: NonNullable<NonNullable<RecordedLine['expected']>['suggestions']>,
  got: unknown
): Difference[] {
  return Object.entries(want).flatMap(([name, lists]) => {
    const given = ((got as Record<string, { value: string }[]>)?.[name] ?? []).map(x => x.value)
    const known = new Set([...lists.must, ...lists.may, ...lists.forbidden])
    const path = `$.${name}`
    return [
      ...lists.must.filter(v => !given.includes(v)).map(v => ({ path, want: v, got: '(missing)' })),
      ...lists.forbidden.filter(v => given.includes(v)).map(v => ({ path, want: '(not visible)', got: v })),
      ...(lists.others
        ? []
        : given.filter(v => !known.has(v)).map(v => ({ path, want: '(nothing else)', got: v })))
    ]
  })
}

const mediaType = (header: string | undefined) => (header ?? '').split(';')[0]?.trim().toLowerCase() ?? ''

function fileName(header: string | undefined): string | undefined {
  const extended = /filename\*=UTF-8''([^;]+)/i.exec(header ?? '')?.[1]
  if (extended) return decodeURIComponent(extended)
  return /filename="((?:[^"\\]|\\.)*)"/.exec(header ?? '')?.[1] ?? /filename=([^;]+)/.exec(header ?? '')?.[1]
}

function compareHeaders(want: Record<string, string>, got: Record<string, string>): Difference[] {
  const found: Difference[] = []
  const type = mediaType(want['content-type'])
  if (type && type !== mediaType(got['content-type'])) {
    const hard = type === 'application/json' || type === 'application/zip'
    found.push({ path: 'header content-type', want: type, got: got['content-type'], soft: !hard })
  }
  if (
    want['content-disposition'] &&
    fileName(want['content-disposition']) !== fileName(got['content-disposition'])
  ) {
    found.push({
      path: 'header content-disposition',
      want: want['content-disposition'],
      got: got['content-disposition']
    })
  }
  if (want['www-authenticate'] && !got['www-authenticate']) {
    found.push({ path: 'header www-authenticate', want: want['www-authenticate'], got: undefined })
  }
  return found
}

/** Everything in which an answer is not what the line asks for. */
export function judge(line: RecordedLine, answer: Answer): Difference[] {
  const { response, expected } = line
  const wrongStatus = (want: unknown) => [
    { path: 'status', want, got: `${answer.status} ${JSON.stringify(detailOf(answer.body))}` }
  ]
  if (expected) {
    const statuses = [expected.status].flat()
    if (!statuses.includes(answer.status)) return wrongStatus(statuses)
    if (expected.suggestions) return compareSuggestions(expected.suggestions, answer.body)
    if (expected.body !== undefined && (answer.status < 400 || typeof expected.status === 'number')) {
      return answer.status >= 400
        ? compareError(expected.body, answer.body)
        : compareJson(expected.body, answer.body, line.compare, expected.partial)
    }
    if (answer.status >= 400 && answer.status !== 401 && detailOf(answer.body) === undefined) {
      return [{ path: '$.detail', want: '(an error text)', got: undefined }]
    }
    return []
  }
  if (response.status !== answer.status) return wrongStatus(response.status)
  const headers = compareHeaders(response.headers ?? {}, answer.headers)
  if (response.status >= 400) return [...headers, ...compareError(response.body, answer.body)]
  if (response.status >= 300) return headers
  return [...headers, ...compareJson(response.body, answer.body, line.compare)]
}
