/**
 * Schemas of `aggregations` (`search.md` §5). They say what may be given; the rules are those of `query/aggregation`. No
 * defaults stand here, as they would be filled in.
 */
import Type, { type TSchema } from 'typebox'
import { METRIC_NAMES } from '../../query/aggregation/metrics.ts'
import { Nullable } from './common.ts'

const Whole = (description: string) =>
  Type.Optional(Type.Unsafe<unknown>({ type: ['integer', 'string', 'null'], description }))

const Decimal = (description: string) =>
  Type.Optional(Type.Unsafe<unknown>({ type: ['number', 'string', 'null'], description }))

const Text = (description: string) => Type.Optional(Nullable(Type.String({ description })))

const Members = (properties: Record<string, TSchema>, description: string) =>
  Type.Optional(Nullable(Type.Object(properties, { description })))

const quantity = (description: string) => Type.Optional(Type.String({ description }))

const exclude_from_search = Type.Optional(
  Type.Unsafe<unknown>({
    type: ['boolean', 'string', 'integer', 'null'],
    description:
      'Leaves out the criteria on this very quantity, so that the counts show what another choice would find (false if not given).'
  })
)

const metrics = Type.Optional(
  Nullable(
    Type.Array(Type.String({ examples: [...METRIC_NAMES] }), {
      description: `Numbers over the entries of each bucket: ${METRIC_NAMES.map(n => `\`${n}\``).join(', ')}.`
    })
  )
)

const bounds = Members(
  { min: Decimal('Buckets begin here at the latest.'), max: Decimal('Buckets go on to here at least.') },
  'The buckets span at least this range.'
)

const patterns = Type.Optional(Nullable(Type.Array(Type.String())))

const Terms = Members(
  {
    quantity: quantity('A text or boolean, such as `results.material.elements`.'),
    size: Whole('Number of values (if not given, what suits the quantity; mostly 10).'),
    include: Type.Optional(
      Type.Unsafe<unknown>({
        description:
          'Only values that contain this text (letters, digits, `_`, `-`, blanks), or a list of whole values.'
      })
    ),
    pagination: Members(
      {
        page_size: Whole('Number of values on a page (10 if not given).'),
        order_by: Text('`value`, or a quantity with one value an entry.'),
        order: Text('`asc` or `desc`.'),
        page_after_value: Text('`next_page_after_value` of the page before.')
      },
      'All values in their order, page by page, instead of those of most entries; not together with `size`.'
    ),
    entries: Members(
      {
        size: Whole('Number of entries in each bucket (1 if not given).'),
        required: Members({ include: patterns, exclude: patterns }, 'Which members of them.')
      },
      'Example entries of each bucket.'
    ),
    exclude_from_search,
    metrics
  },
  'The values of a quantity with the number of entries that have them, the most frequent first.'
)

const Histogram = Members(
  {
    quantity: quantity('A number or date.'),
    interval: Decimal('Width of a bucket; milliseconds for dates.'),
    buckets: Whole('Number of buckets, instead of their width.'),
    offset: Decimal('Where a bucket begins (0 if not given).'),
    extended_bounds: bounds,
    exclude_from_search,
    metrics
  },
  'Numbers of entries by equal steps of a quantity.'
)

const DateHistogram = Members(
  {
    quantity: quantity('A date.'),
    calendar_interval: Text(
      '`second`, `minute`, `hour`, `day`, `week`, `month` (if none is given), `quarter`, `year`, or `1s` … `1y`.'
    ),
    fixed_interval: Text('A multiple of `ms`, `s`, `m`, `h` or `d`, such as `45d`.'),
    interval: Text('One of the two; older clients use this.'),
    exclude_from_search,
    metrics
  },
  'Numbers of entries by time.'
)

const AutoDateHistogram = Members(
  {
    quantity: quantity('A date.'),
    buckets: Whole('Number of buckets at most (10 if not given).'),
    exclude_from_search,
    metrics
  },
  'Numbers of entries by time, in steps that suit the dates.'
)

const MinMax = Members(
  { quantity: quantity('A number or date.'), exclude_from_search },
  'The least and the greatest value.'
)

const Percentiles = Members(
  {
    quantity: quantity('A number or date.'),
    percents: Type.Optional(
      Nullable(Type.Array(Type.Unsafe<unknown>({ type: ['number', 'string'] }), { description: '0 to 100.' }))
    ),
    group_by: Text('A text or boolean: percentiles for each of its values.'),
    group_by_size: Whole('Number of groups (10 if not given).'),
    exclude_from_search
  },
  'Percentiles of a quantity.'
)

const Statistics = Members({ metrics }, 'Metrics over all entries that were found.')

/** `aggregations` of a search body. */
export const AggregationsBody = Type.Optional(
  Nullable(
    Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      description:
        'What to count over all entries that are found, by names of your choice; each is one of these types. ' +
        'With `"pagination": {"page_size": 0}` the answer has nothing else.',
      additionalProperties: Type.Object({
        terms: Terms,
        histogram: Histogram,
        date_histogram: DateHistogram,
        auto_date_histogram: AutoDateHistogram,
        min_max: MinMax,
        percentiles: Percentiles,
        statistics: Statistics
      }),
      examples: [{ codes: { terms: { quantity: 'results.method.simulation.program_name', size: 5 } } }]
    })
  )
)

/** `aggregations` of an answer. */
export const AggregationsAnswer = Type.Optional(
  Type.Object(
    {},
    {
      additionalProperties: true,
      description:
        'The aggregations by their names, with the defaults that applied, and the counts as `data`.'
    }
  )
)

/** A request with aggregations, for the docs page. */
export const AGGREGATIONS_EXAMPLE = {
  pagination: { page_size: 0 },
  aggregations: {
    elements: { terms: { quantity: 'results.material.elements', size: 5 } },
    months: { date_histogram: { quantity: 'upload_create_time', calendar_interval: 'month' } },
    sizes: { histogram: { quantity: 'results.material.n_elements', interval: 1 } },
    total: { statistics: { metrics: ['n_entries', 'n_materials'] } }
  }
}
