/** Schemas of the archive routes (`archive.md` §6, §7). */
import Type from 'typebox'
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
import { FilesBody } from './files.ts'

/** The `required` of the guide. */
const GUIDE_REQUIRED = {
  workflow: {
    calculation_result_ref: { energy: '*', system_ref: { chemical_composition: '*' } }
  }
}

/** `required` of a body; its rules are checked by `archive/required`. */
const RequiredBody = Type.Unsafe<unknown>({
  description:
    'Which parts of the archive come back: text or an object. `"*"` is everything. An object names sections and quantities, with `"*"` or an ' +
    'object for each: `{"run": {"calculation[-1]": {"energy": "*"}}}`. `[i]` and `[i:j]` pick items of a list, negative ones from its end. ' +
    'The key `"*"` stands for all others, `"exclude"` leaves one out. An object for a reference follows it: what it leads to comes at its own ' +
    'place, or instead of the reference with `"resolve-inplace": true` beside the other keys. `"include-resolved"` copies a section and follows every reference in it.',
  examples: ['*', GUIDE_REQUIRED, { metadata: '*' }]
})

/** Body of `POST /entries/{entry_id}/archive/query`. */
export const ArchiveBody = Type.Object(
  { required: Type.Optional(RequiredBody) },
  {
    examples: [
      { required: GUIDE_REQUIRED },
      { required: { metadata: { entry_name: '*' }, results: { material: '*' } } },
      {
        required: {
          'resolve-inplace': true,
          workflow2: { results: { calculation_result_ref: { energy: { total: '*' } } } }
        }
      }
    ]
  }
)

/** Body of `POST /entries/archive/query`. */
export const ArchivesBody = Type.Object(
  {
    owner: Type.Optional(Nullable(OwnerSchema)),
    query: Type.Optional(QueryBody),
    pagination: Type.Optional(Nullable(PaginationBody)),
    required: Type.Optional(RequiredBody)
  },
  {
    examples: [
      {
        query: { 'results.material.elements': { all: ['Ti', 'O'] } },
        pagination: { page_size: 5 },
        required: {
          results: { material: { chemical_formula_hill: '*' } },
          run: { 'calculation[-1]': { energy: '*' } }
        }
      },
      { owner: 'visible', pagination: { page_size: 10 }, required: { metadata: '*' } }
    ]
  }
)

/** Body of `POST /entries/archive/download/query`. */
export const ArchivesDownloadBody = Type.Object(
  {
    owner: Type.Optional(Nullable(OwnerSchema)),
    query: Type.Optional(QueryBody),
    required: Type.Optional(RequiredBody),
    files: Type.Optional(Nullable(Type.Pick(FilesBody, ['compress'])))
  },
  {
    examples: [
      {
        query: { 'results.material.elements': { all: ['Ti', 'O'] } },
        required: { metadata: '*', results: '*' },
        files: { compress: true }
      }
    ]
  }
)

/** URL parameters of `GET /entries/archive`. */
export const ArchivesUrl = Type.Object({ ...QueryUrl, ...PaginationUrl })

/** The entry of a path. */
export const EntryParams = Type.Object({ entry_id: Type.String({ description: 'The id of the entry.' }) })

const EntryArchive = Type.Object({
  entry_id: Type.String(),
  upload_id: Type.String(),
  parser_name: Type.String({ description: 'What the entry was read by.' }),
  archive: Type.Object(
    {
      m_ref_archives: Type.Object(
        {},
        { additionalProperties: true, description: 'What references lead to in archives of other entries.' }
      )
    },
    { additionalProperties: true, description: 'The archive, or the parts of it that were asked for.' }
  )
})

const RequiredAnswer = Type.Unsafe<unknown>({ description: '`required` as it was sent.' })

const EXAMPLE = {
  entry_id: '--SZVYOxA2jTu_L-mSxefSQFmeyF',
  upload_id: 'YXUIZpw5RJyV3LAsFI2MmQ',
  parser_name: 'parsers/fhi-aims',
  archive: {
    run: [
      {
        system: [{ chemical_composition: 'OOSrTiOOOSrTiOOOSrTiOFF' }],
        calculation: [
          {
            energy: { fermi: -1.1363378335891879e-18, total: { value: -5.697771591896252e-14 } },
            system_ref: '/run/0/system/0'
          }
        ]
      }
    ],
    workflow: [{ calculation_result_ref: '/run/0/calculation/0' }],
    m_ref_archives: {}
  }
}

/** Answer with the archive of one entry. */
export const ArchiveAnswer = Type.Object(
  { entry_id: Type.String(), required: RequiredAnswer, data: EntryArchive },
  { examples: [{ entry_id: EXAMPLE.entry_id, required: GUIDE_REQUIRED, data: EXAMPLE }] }
)

/** Answer with the archives of a page of entries. */
export const ArchivesAnswer = Type.Object(
  {
    ...SearchEcho,
    required: RequiredAnswer,
    data: Type.Array(EntryArchive, {
      description: 'The archives of the entries of this page; entries without an archive are left out.'
    })
  },
  {
    examples: [
      {
        ...SEARCH_ECHO_EXAMPLE,
        required: GUIDE_REQUIRED,
        data: [EXAMPLE]
      }
    ]
  }
)

/** Answer of a stream of archives, by example. */
const LINES = [
  JSON.stringify(EXAMPLE),
  '{"pagination":{"order_by":"entry_id","order":"asc","total":1}}',
  ''
].join('\n')

/** One page, or everything line by line. */
export const LinesOrArchives = {
  description: 'The archives of one page of entries; as lines those of all entries.',
  content: {
    'application/json': { schema: ArchivesAnswer },
    'application/x-ndjson': {
      schema: Type.String({
        description:
          'A line for each entry that has an archive, with `error` instead of `archive` where that one cannot be read. The last line is ' +
          '`{"pagination": …}`, or `{"error": …}` if the answer is not complete.',
        examples: [LINES]
      })
    }
  }
}

/** Answer with an archive and nothing around it. */
export const BareArchive = Type.Object({}, { additionalProperties: true, examples: [EXAMPLE.archive] })

/** Answer to who has the same already. */
export const NotModified = Type.Unsafe<unknown>({
  description: 'The archive is still the one whose ETag was sent in `If-None-Match`.'
})
