/** `terms` (`search.md` §5.1): the values of a quantity, by count or page by page. */
import { invalid } from '../../errors.ts'
import {
  type Examples,
  type Include,
  MAX_BUCKETS,
  MAX_EXAMPLES,
  requireBuckets,
  type TermsBucket
} from '../../search/aggregation.ts'
import type { FieldPatterns } from '../required-fields.ts'
import { type Scalar, SUBSTRING_MAX } from '../tree.ts'
import {
  type BucketAnswer,
  BucketMetrics,
  COUNTABLE,
  type Common,
  type Given,
  readCommon
} from './buckets.ts'
import { type Members, text } from './members.ts'
import { type AggregationPlan, resultOf } from './plan.ts'
import { encodeAfter, readTermsPage, type TermsPage } from './terms-page.ts'

const DEFAULT_SIZE = 10
const DEFAULT_EXAMPLES = 1

/** Most patterns in one list of `entries.required`. */
const MAX_PATTERNS = 1000

const INCLUDE = /^[a-zA-Z0-9_\-\s]+$/

/** What a terms aggregation is made of. */
interface Parts extends Common {
  readonly metrics: BucketMetrics
  readonly include?: { readonly echo: unknown; readonly asked: Include }
  readonly entries?: { readonly echo: unknown; readonly asked: Examples }
}

/** @throws SeraiError INVALID (422) */
export function readTerms(given: Given): AggregationPlan {
  const { members, name, quantities } = given
  const size = members.positiveWhole('size')
  const text = readInclude(members)
  const entries = readEntries(members)
  const pagination = members.object('pagination')
  const refusal = 'The aggregation quantity cannot be used in a terms aggregation.'
  const common = readCommon(given, COUNTABLE, {
    loc: ['aggregation', name, 'terms', 'quantity'],
    msg: () => refusal
  })
  const { quantity } = common
  const parts: Parts = {
    ...common,
    metrics: new BucketMetrics(given, quantity),
    ...(text === undefined
      ? {}
      : { include: { echo: text, asked: included(text, quantity.kind === 'boolean') } }),
    ...(entries ? { entries } : {})
  }
  if (!pagination)
    return topTerms(parts, size ?? quantity.defaultSize ?? quantity.values?.length ?? DEFAULT_SIZE)
  const page = readTermsPage(pagination, quantity, name, quantities)
  if (size !== undefined) {
    const msg = 'You cannot paginate and provide an extra size parameter.'
    throw invalid(['aggregations', name, 'terms', 'pagination'], msg)
  }
  if (parts.include) {
    const msg = 'You cannot paginate and include some values only.'
    throw invalid(['aggregations', name, 'terms', 'pagination'], msg)
  }
  return termsPage(parts, page)
}

/** The most frequent values, and those of a fixed list that do not occur. */
function topTerms(parts: Parts, size: number): AggregationPlan {
  const { quantity, excluded, echo, metrics, include, entries } = parts
  const asked = Math.min(size, MAX_BUCKETS)
  return {
    type: 'terms',
    ...excluded,
    request: () => ({
      kind: 'terms',
      quantity,
      size: asked,
      ...metrics.asked,
      ...(include ? { include: include.asked } : {}),
      ...(entries ? { examples: entries.asked } : {})
    }),
    answer(result) {
      const { buckets } = resultOf(result, 'terms')
      if (size > asked && buckets.length === asked) requireBuckets(size)
      const found = new Set(buckets.map(bucket => bucket.value))
      const missing = (quantity.values ?? []).filter(value => !found.has(value))
      return {
        ...echo,
        metrics: metrics.echo,
        size,
        ...(include ? { include: include.echo } : {}),
        ...(entries ? { entries: entries.echo } : {}),
        data: [
          ...buckets.map(bucket => bucketAnswer(parts, bucket)),
          ...missing.map(value => ({ count: 0, ...metrics.of(undefined), value }))
        ]
      }
    }
  }
}

/** One page of the values. */
function termsPage(parts: Parts, page: TermsPage): AggregationPlan {
  const { quantity, excluded, echo, metrics, entries } = parts
  return {
    type: 'terms',
    ...excluded,
    isPage: true,
    request: () => ({
      kind: 'terms_page',
      quantity,
      ...page.asked,
      ...metrics.asked,
      ...(entries ? { examples: entries.asked } : {})
    }),
    answer(result) {
      const { buckets, distinct } = resultOf(result, 'terms_page')
      const last = buckets.at(-1)
      return {
        ...echo,
        metrics: metrics.echo,
        pagination: {
          ...page.echo,
          total: distinct,
          ...(last ? { next_page_after_value: encodeAfter(last) } : {})
        },
        ...(entries ? { entries: entries.echo } : {}),
        data: buckets.map(bucket => bucketAnswer(parts, bucket))
      }
    }
  }
}

function bucketAnswer({ quantity, metrics }: Parts, bucket: TermsBucket): BucketAnswer {
  const { nestedPath } = quantity
  const examples = bucket.examples?.map(example => (nestedPath ? { [nestedPath]: example } : example))
  return {
    ...(examples ? { entries: examples } : {}),
    count: bucket.entries,
    nested_count: bucket.objects,
    ...metrics.of(bucket),
    value: bucket.value
  }
}

/** A part of the values, or a list of whole ones. */
function readInclude(members: Members): string | readonly Scalar[] | undefined {
  const value = members.get('include')
  if (value === undefined) return undefined
  if (Array.isArray(value)) {
    return members.list('include', (item, loc) => (typeof item === 'boolean' ? item : text(item, loc)))
  }
  if (typeof value !== 'string') {
    throw members.error('include', 'list_type', 'Input should be a valid string or list')
  }
  if (!INCLUDE.test(value)) {
    const msg = `String should match pattern '${INCLUDE.source}'`
    throw members.error('include', 'string_pattern_mismatch', msg, { pattern: INCLUDE.source })
  }
  if (value.length > SUBSTRING_MAX) {
    const msg = `String should have at most ${SUBSTRING_MAX} characters`
    throw members.error('include', 'string_too_long', msg, { max_length: SUBSTRING_MAX })
  }
  return value
}

function included(include: string | readonly Scalar[], isBoolean: boolean): Include {
  if (isBoolean) {
    const isIn = (word: string) =>
      typeof include === 'string' ? word.includes(include) : include.map(String).includes(word)
    return { kind: 'values', values: [true, false].filter(value => isIn(String(value))) }
  }
  if (typeof include === 'string') return { kind: 'contains', text: include }
  return { kind: 'values', values: [...new Set(include.map(String))] }
}

function readEntries(members: Members): Parts['entries'] {
  const entries = members.object('entries')
  if (!entries) return undefined
  const size = entries.positiveWhole('size') ?? DEFAULT_EXAMPLES
  if (size > MAX_EXAMPLES) {
    const msg = `Input should be less than or equal to ${MAX_EXAMPLES}`
    throw entries.error('size', 'less_than_equal', msg, { le: MAX_EXAMPLES })
  }
  const required = entries.object('required')
  const patterns = (list: string) => {
    const given = required?.list(list, text)
    if (!given || given.length <= MAX_PATTERNS) return given
    throw required?.error(list, 'too_long', `List should have at most ${MAX_PATTERNS} items`)
  }
  const [include, exclude] = [patterns('include'), patterns('exclude')]
  const echo: FieldPatterns = { ...(include ? { include } : {}), ...(exclude ? { exclude } : {}) }
  return {
    echo: { size, ...(required ? { required: echo } : {}) },
    // What is named comes back, whatever else is left out.
    asked: { size, source: include ? { include } : echo }
  }
}
