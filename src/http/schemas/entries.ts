/** Schemas of the metadata routes of entries (`search.md` §4, §6, §7.9). */
import Type from 'typebox'
import { AGGREGATIONS_EXAMPLE, AggregationsAnswer, AggregationsBody } from './aggregations.ts'
import {
  Nullable,
  OwnerSchema,
  PaginationBody,
  PaginationUrl,
  QueryBody,
  QueryUrl,
  SEARCH_ECHO_EXAMPLE,
  SearchEcho
} from './common.ts'

const PATTERNS =
  'Names of quantities, or patterns such as `results.material*`; `entry_id` and what is ordered by are always there.'

/** `include` and `exclude` as URL parameters. */
export const RequiredUrl = {
  include: Type.Optional(
    Type.Array(Type.String(), {
      description: `Only these members of the entry. ${PATTERNS}`,
      examples: [['upload_id', 'results.material*']]
    })
  ),
  exclude: Type.Optional(
    Type.Array(Type.String(), { description: `Not these members of the entry. ${PATTERNS}` })
  )
}

/** `required` of a body. */
const RequiredBody = Type.Object(
  {
    include: Type.Optional(Nullable(Type.Array(Type.String(), { description: `Only these. ${PATTERNS}` }))),
    exclude: Type.Optional(Nullable(Type.Array(Type.String(), { description: `Not these. ${PATTERNS}` })))
  },
  { description: 'Which members of the entries come back.', examples: [{ include: ['entry_id'] }] }
)

/** The first request of the guide. */
const GUIDE_QUERY = { 'results.material.elements': { all: ['Ti', 'O'] } }

/** Body of `POST /entries/query`. */
export const SearchBody = Type.Object(
  {
    owner: Type.Optional(Nullable(OwnerSchema)),
    query: Type.Optional(QueryBody),
    pagination: Type.Optional(Nullable(PaginationBody)),
    required: Type.Optional(Nullable(RequiredBody)),
    aggregations: AggregationsBody
  },
  {
    examples: [
      { query: GUIDE_QUERY, pagination: { page_size: 1 }, required: { include: ['entry_id'] } },
      {
        query: {
          and: [
            {
              or: [{ 'results.material.elements': ['Cl', 'Na'] }, { 'results.material.elements': ['H', 'O'] }]
            },
            { not: { 'results.material.symmetry.crystal_system': 'cubic' } }
          ]
        }
      },
      {
        query: { 'upload_create_time:gt': '2020-01-01', 'upload_create_time:lt': '2030-08-01' },
        pagination: { page_size: 10, order_by: 'upload_create_time', order: 'desc' }
      },
      AGGREGATIONS_EXAMPLE
    ]
  }
)

/** URL parameters of `GET /entries`. */
export const SearchUrl = Type.Object({ ...QueryUrl, ...PaginationUrl, ...RequiredUrl })

const Metadata = Type.Object({ entry_id: Type.String() }, { additionalProperties: true })

const RequiredAnswer = Type.Object({
  include: Type.Optional(Type.Array(Type.String())),
  exclude: Type.Optional(Type.Array(Type.String()))
})

/** Answer of a search. */
export const SearchAnswer = Type.Object(
  {
    ...SearchEcho,
    required: Type.Optional(RequiredAnswer),
    aggregations: AggregationsAnswer,
    data: Type.Array(Metadata, { description: 'The metadata of the entries of this page.' })
  },
  {
    examples: [
      {
        ...SEARCH_ECHO_EXAMPLE,
        required: { include: ['entry_id'] },
        data: [{ entry_id: '--SZVYOxA2jTu_L-mSxefSQFmeyF' }]
      }
    ]
  }
)

/** Answer of `GET /entries/{entry_id}`. */
export const EntryAnswer = Type.Object(
  { entry_id: Type.String(), required: RequiredAnswer, data: Metadata },
  {
    examples: [
      {
        entry_id: '--SZVYOxA2jTu_L-mSxefSQFmeyF',
        required: { include: ['upload_id', 'entry_id'] },
        data: { upload_id: 'YXUIZpw5RJyV3LAsFI2MmQ', entry_id: '--SZVYOxA2jTu_L-mSxefSQFmeyF' }
      }
    ]
  }
)
