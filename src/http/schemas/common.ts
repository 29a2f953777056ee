/** Atoms shared by the schemas of several routes. */
import Type, { type TSchema } from 'typebox'
import { OWNERS } from '../../access/owner.ts'

/** A value that may also be null. */
export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** Text out of a list, as one `enum` (a union of constants makes poor messages). */
export const OneOf = <const T extends readonly string[]>(values: T, options: Record<string, unknown> = {}) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...options })

/** `owner` (`search.md` §2). */
export const OwnerSchema = OneOf(OWNERS, {
  description:
    'Which entries are looked at. `public`: published without embargo. `visible`: those and what is shared with you. ' +
    '`all`: all published ones, also under embargo, and what is shared with you. `shared`: yours or shared with you. ' +
    '`user`: yours. `staging`: yours or shared with you and not published. `admin`: everything, for the administrator.'
})

/** A whole number, in bodies also as text (`search.md` §3). */
const NumberLike = (description: string, extra: Record<string, unknown> = {}) =>
  Type.Unsafe<number | string>({ type: ['integer', 'string'], description, ...extra })

/** `pagination` of a search body (`search.md` §3); its rules are checked by `query/pagination`. */
export const PaginationBody = Type.Object(
  {
    page_size: Type.Optional(
      NumberLike('Number of entries on a page; 0 gives the total alone.', { default: 10, minimum: 0 })
    ),
    order_by: Type.Optional(
      Nullable(
        Type.String({
          description: 'A quantity with one value an entry; ties are ordered by `entry_id`.',
          default: 'entry_id'
        })
      )
    ),
    order: Type.Optional(OneOf(['asc', 'desc'], { default: 'asc' })),
    page: Type.Optional(
      Nullable(NumberLike('Number of the page, from 1 on; reaches the first 10,000 entries.'))
    ),
    page_offset: Type.Optional(
      Nullable(NumberLike('Number of entries to skip; reaches the first 10,000 entries.'))
    ),
    page_after_value: Type.Optional(
      Nullable(
        Type.String({ description: '`next_page_after_value` of the page before; reaches every entry.' })
      )
    )
  },
  {
    description:
      'Which part of the result comes back. Use one of `page`, `page_offset` and `page_after_value`.',
    examples: [{ page_size: 10 }]
  }
)

/** The same as URL parameters. */
export const PaginationUrl = {
  page_size: Type.Optional(
    Type.String({ description: 'Number of entries on a page (default 10).', examples: ['5'] })
  ),
  order_by: Type.Optional(
    Type.String({ description: 'A quantity with one value an entry (default `entry_id`).' })
  ),
  order: Type.Optional(OneOf(['asc', 'desc'], { description: 'Direction (default `asc`).' })),
  page: Type.Optional(Type.String({ description: 'Number of the page, from 1 on.' })),
  page_offset: Type.Optional(Type.String({ description: 'Number of entries to skip.' })),
  page_after_value: Type.Optional(Type.String({ description: '`next_page_after_value` of the page before.' }))
}

/** The pagination part of an answer. */
export const PaginationAnswer = Type.Object({
  page_size: Type.Integer(),
  order_by: Type.String(),
  order: OneOf(['asc', 'desc']),
  page: Type.Optional(Type.Integer()),
  page_offset: Type.Optional(Type.Integer()),
  page_after_value: Type.Optional(Type.String()),
  total: Type.Integer({ description: 'Number of all matching entries, exact.' }),
  next_page_after_value: Type.Optional(
    Type.String({ description: 'Where the next page begins; absent on the last one.' })
  ),
  page_url: Type.Optional(Type.String()),
  first_page_url: Type.Optional(Type.String()),
  next_page_url: Type.Optional(Type.String()),
  prev_page_url: Type.Optional(Type.String())
})

/** What the answer to a search repeats of it, with its page. */
export const SearchEcho = {
  owner: OwnerSchema,
  query: Type.Object(
    {},
    { additionalProperties: true, description: 'The criteria, every shortcut written out.' }
  ),
  pagination: PaginationAnswer
}

/** An example of {@link SearchEcho}. */
export const SEARCH_ECHO_EXAMPLE = {
  owner: 'public',
  query: { name: 'results.material.elements', value: { all: ['Ti', 'O'] } },
  pagination: {
    page_size: 1,
    order_by: 'entry_id',
    order: 'asc',
    total: 17957,
    next_page_after_value: '--SZVYOxA2jTu_L-mSxefSQFmeyF'
  }
}

/** `query` of a body (`search.md` §1); its rules are checked by `query/criteria-reader`. */
export const QueryBody = Nullable(
  Type.Unsafe<Record<string, unknown>>({
    type: 'object',
    additionalProperties: true,
    description:
      'Criteria by quantity, AND-ed: `{"results.material.elements": ["Ti", "O"]}`. A list means all of its values; `:any` and `:none` after ' +
      'the name change that, `:gt`, `:gte`, `:lt`, `:lte` compare. `and`, `or`, `not` combine. See docs/users-guide.md.',
    examples: [{ 'results.material.elements': { all: ['Ti', 'O'] } }]
  })
)

/** Criteria as URL parameters (`search.md` §1.9): any quantity by its name, and these. */
export const QueryUrl = {
  owner: Type.Optional(OwnerSchema),
  q: Type.Optional(
    Type.Array(Type.String(), {
      description:
        'A criterion as `quantity__value` or `quantity__operator__value`, for example ' +
        '`results.method.simulation.program_name__VASP`.'
    })
  ),
  json_query: Type.Optional(
    Type.String({
      description:
        'Criteria as a JSON object, as in the body of `POST /entries/query`, for example ' +
        '`{"results.material.n_elements": {"gte": 3}}`.'
    })
  ),
  elements: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Short for `results.material.elements`: chemical elements that must all be there.',
      examples: [['Ti', 'O']]
    })
  ),
  'results.material.elements': Type.Optional(
    Type.Array(Type.String(), {
      description:
        'One of the quantities that can be searched; all others can be given by their names in the same way, also with an ' +
        'operator as in `upload_create_time__gt`.'
    })
  )
}

/** Every error but those of validation. */
export const ErrorAnswer = Type.Object(
  { detail: Type.String() },
  {
    description: 'What went wrong.',
    examples: [{ detail: 'The entry does not exist or is not visible to you.' }]
  }
)

/** Errors that say where the input is wrong. */
export const ValidationAnswer = Type.Object(
  {
    detail: Type.Array(
      Type.Object({
        type: Type.String(),
        loc: Type.Array(Type.Unsafe<string | number>({ type: ['string', 'integer'] })),
        msg: Type.String()
      })
    )
  },
  {
    description: 'What is wrong with the request, and where.',
    examples: [
      { detail: [{ type: 'value_error', loc: ['mispelled'], msg: 'mispelled is not a doc quantity' }] }
    ]
  }
)
