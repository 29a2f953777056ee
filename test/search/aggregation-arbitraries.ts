/** Random aggregations over the quantities of `arbitraries.ts`, and documents for them. */
import fc from 'fast-check'
import type { Quantities, Quantity } from '../../src/query/quantities.ts'
import { ALL, and, type Query } from '../../src/query/tree.ts'
import type { Aggregation, Include, Metric } from '../../src/search/aggregation.ts'
import type { IndexDocument } from '../../src/search/entry-index.ts'
import { documents, KEYWORDS, queries } from './arbitraries.ts'

const TOPOLOGY = 'results.material.topology'
const COMPOSITION = `${TOPOLOGY}.elemental_composition`
const RATIO = 'optimade.elements_ratios'
const TEMPERATURE = 'results.properties.catalytic.reaction.reaction_conditions.temperature'

/** Quantities by the nested path that they stand in. */
const COUNTABLE: Readonly<Record<string, readonly string[]>> = {
  '': ['entry_id', 'domain', 'mainfile', 'files', 'published', 'authors.name', 'results.material.elements'],
  [TOPOLOGY]: [`${TOPOLOGY}.label`, `${TOPOLOGY}.elements`],
  [COMPOSITION]: [`${COMPOSITION}.element`],
  [RATIO]: [`${RATIO}.elements`]
}
const MEASURABLE: Readonly<Record<string, readonly string[]>> = {
  '': [
    'n_quantities',
    'upload_create_time',
    'results.material.n_elements',
    'results.method.simulation.dft.smearing_width',
    TEMPERATURE
  ],
  [TOPOLOGY]: [`${TOPOLOGY}.n_atoms`, `${TOPOLOGY}.mass_fraction`],
  [COMPOSITION]: [`${COMPOSITION}.mass_fraction`],
  [RATIO]: [`${RATIO}.elements_ratios`]
}
const PATHS = Object.keys(COUNTABLE)
const DATE = 'upload_create_time'

const TEMPERATURES = [-273.15, 0, 0.1, 0.30000000000000004, 2.5, 300, 1e9]
const INTERVALS = [0.1, 1 / 3, 1, 2, 7, 1000]
const DAY = 86_400_000

/** Documents, some with several values of a number. */
export function countedDocuments(): fc.Arbitrary<IndexDocument[]> {
  const temperatures = fc.option(fc.array(fc.constantFrom(...TEMPERATURES), { maxLength: 4 }), {
    nil: undefined
  })
  return documents().chain(all =>
    fc.tuple(...all.map(() => temperatures)).map(values =>
      all.map((document, i) => {
        const results = (document.results ?? {}) as object
        const temperature = values[i]
        if (!temperature) return document
        const properties = { catalytic: { reaction: { reaction_conditions: { temperature } } } }
        return { ...document, results: { ...results, properties } }
      })
    )
  )
}

/** A query for hits, and others that share parts with it. */
export function relatedQueries(quantities: Quantities): fc.Arbitrary<{ hits: Query; others: Query[] }> {
  // Most random queries match little.
  const one = fc.oneof(
    { weight: 3, arbitrary: fc.constant(ALL) },
    { weight: 1, arbitrary: queries(quantities, '', 2) },
    { weight: 1, arbitrary: queries(quantities, '', 2).map<Query>(of => ({ kind: 'not', of })) }
  )
  return fc.tuple(one, one, fc.array(one, { minLength: 1, maxLength: 2 })).map(([shared, own, others]) => {
    const hits = and(shared, own)
    return { hits, others: [hits, ...others.map(other => and(shared, other))] }
  })
}

/** An aggregation of any kind. */
export function aggregations(quantities: Quantities): fc.Arbitrary<Aggregation> {
  return fc.constantFrom(...PATHS).chain(path => {
    const countable = someOf(quantities, path, COUNTABLE)
    const measurable = someOf(quantities, path, MEASURABLE)
    return fc.oneof(
      { weight: 4, arbitrary: countable.chain(quantity => terms(quantities, quantity)) },
      {
        weight: 3,
        arbitrary: countable.chain(quantity => termsPage(quantities, quantity, path))
      },
      { weight: 3, arbitrary: measurable.chain(quantity => histogram(quantities, quantity)) },
      { weight: 1, arbitrary: ranges(quantities) },
      { weight: 1, arbitrary: calendar(quantities) },
      { weight: 1, arbitrary: measurable.map<Aggregation>(quantity => ({ kind: 'min_max', quantity })) },
      {
        weight: 1,
        arbitrary: metricsOf(quantities).map<Aggregation>(metrics => ({ kind: 'statistics', metrics }))
      },
      { weight: 2, arbitrary: measurable.chain(quantity => percentiles(quantities, quantity, path)) }
    )
  })
}

/** A quantity of a path; of nested objects sometimes only of some of them, like custom quantities. */
function someOf(
  quantities: Quantities,
  path: string,
  names: Readonly<Record<string, readonly string[]>>
): fc.Arbitrary<Quantity> {
  const quantity = fc.constantFrom(...(names[path] ?? [])).map(name => quantityOf(quantities, name))
  if (path === '') return quantity
  const within = fc.option(queries(quantities, path, 1), { nil: undefined, freq: 1 })
  return fc
    .tuple(quantity, within)
    .map(([q, restriction]) => (restriction ? { ...q, within: restriction } : q))
}

function quantityOf(quantities: Quantities, name: string): Quantity {
  return (quantities.get(name) ?? quantities.hidden.find(q => q.name === name)) as Quantity
}

function metricsOf(quantities: Quantities): fc.Arbitrary<Metric[]> {
  const metric = (name: string, kind: 'cardinality' | 'sum'): Metric => ({
    name: `${kind} ${name}`,
    kind,
    quantity: quantityOf(quantities, name)
  })
  const all: Metric[] = [
    { name: 'entries', kind: 'entries' },
    metric('domain', 'cardinality'),
    metric('authors.name', 'cardinality'),
    metric('n_quantities', 'sum')
  ]
  return fc.subarray(all)
}

/** The members of buckets: metrics only of entries. */
function bucketsOf(
  quantities: Quantities,
  quantity: Quantity
): fc.Arbitrary<{ quantity: Quantity; metrics?: Metric[] }> {
  if (quantity.nestedPath !== undefined) return fc.constant({ quantity })
  return fc
    .option(metricsOf(quantities), { nil: undefined })
    .map(metrics => (metrics ? { quantity, metrics } : { quantity }))
}

const size = fc.constantFrom(1, 2, 3, 100)

const examples = fc.option(fc.constantFrom({ size: 1 }, { size: 3 }), { nil: undefined })

function terms(quantities: Quantities, quantity: Quantity): fc.Arbitrary<Aggregation> {
  const include: fc.Arbitrary<Include | undefined> =
    quantity.kind === 'boolean'
      ? fc.option(
          fc.subarray([true, false]).map(values => ({ kind: 'values' as const, values })),
          { nil: undefined }
        )
      : fc.option(
          fc.oneof(
            fc
              .constantFrom('a', 'b', ' ', '/', 'xml', 'O')
              .map(text => ({ kind: 'contains' as const, text })),
            fc.subarray(KEYWORDS).map(values => ({ kind: 'values' as const, values }))
          ),
          { nil: undefined }
        )
  return fc
    .tuple(bucketsOf(quantities, quantity), size, include, examples)
    .map(([buckets, size, include, examples]) => ({
      kind: 'terms',
      ...buckets,
      size,
      ...(include ? { include } : {}),
      ...(examples ? { examples } : {})
    }))
}

function termsPage(quantities: Quantities, quantity: Quantity, path: string): fc.Arbitrary<Aggregation> {
  const orders = path === '' ? ['domain', 'published', ...(MEASURABLE[path] ?? [])] : (MEASURABLE[path] ?? [])
  const orderBy = fc.option(
    fc
      .constantFrom(...orders)
      .map(name => quantityOf(quantities, name))
      .map(q => (quantity.within ? { ...q, within: quantity.within } : q)),
    { nil: undefined }
  )
  const value = (q: Quantity) => {
    if (q.kind === 'boolean') return fc.boolean()
    if (q.kind === 'keyword') return fc.constantFrom(...KEYWORDS, 'M')
    return q.kind === 'date' ? fc.constantFrom(0, 1704067200000) : fc.constantFrom(-1, 0, 2)
  }
  return orderBy.chain(order =>
    fc
      .tuple(
        bucketsOf(quantities, quantity),
        size,
        fc.constantFrom('asc' as const, 'desc' as const),
        fc.boolean(),
        value(quantity),
        order ? value(order) : fc.constant(undefined),
        examples
      )
      .map(([buckets, size, direction, continued, last, orderValue, examples]) => ({
        kind: 'terms_page',
        ...buckets,
        size,
        order: direction,
        ...(order ? { orderBy: order } : {}),
        ...(continued ? { after: { value: last, ...(orderValue === undefined ? {} : { orderValue }) } } : {}),
        ...(examples ? { examples } : {})
      }))
  )
}

function histogram(quantities: Quantities, quantity: Quantity): fc.Arbitrary<Aggregation> {
  const unit = quantity.kind === 'date' ? DAY : 1
  return fc
    .tuple(bucketsOf(quantities, quantity), fc.constantFrom(...INTERVALS), fc.constantFrom(0, 0.5, 4, -10))
    .map(([buckets, interval, offset]) => ({
      kind: 'histogram',
      ...buckets,
      interval: unit === 1 ? interval : Math.ceil(interval) * unit,
      offset: offset * unit
    }))
}

function ranges(quantities: Quantities): fc.Arbitrary<Aggregation> {
  const edges = [-1e12, -1000, 0, ...['2024-01-01', '2024-02-01', '2026-01-01'].map(day => Date.parse(day))]
  return fc
    .tuple(bucketsOf(quantities, quantityOf(quantities, DATE)), fc.subarray(edges, { minLength: 2 }))
    .map(([buckets, edges]) => ({ kind: 'ranges', ...buckets, edges }))
}

function calendar(quantities: Quantities): fc.Arbitrary<Aggregation> {
  return fc
    .tuple(
      bucketsOf(quantities, quantityOf(quantities, DATE)),
      fc.constantFrom('month' as const, 'quarter' as const, 'year' as const)
    )
    .map(([buckets, unit]) => ({ kind: 'calendar', ...buckets, unit }))
}

function percentiles(quantities: Quantities, quantity: Quantity, path: string): fc.Arbitrary<Aggregation> {
  const groups = fc
    .constantFrom(...(COUNTABLE[path] ?? []))
    .map(name => quantityOf(quantities, name))
    .map(q => (quantity.within ? { ...q, within: quantity.within } : q))
  return fc
    .tuple(
      fc.subarray([0, 10, 25, 50, 99.5, 100], { minLength: 1 }),
      fc.option(fc.tuple(groups, size), { nil: undefined })
    )
    .map(([percents, group]) => ({
      kind: 'percentiles',
      quantity,
      percents,
      ...(group ? { groupBy: { quantity: group[0], size: group[1] } } : {})
    }))
}
