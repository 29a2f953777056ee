/** Schemas of `GET /entries/export` and of streamed searches (`search.md` §7.5). */
import Type from 'typebox'
import { OneOf, QueryUrl } from './common.ts'
import { RequiredUrl } from './entries.ts'

/** URL parameters of the export. */
export const ExportUrl = Type.Object({
  ...QueryUrl,
  ...RequiredUrl,
  order_by: Type.Optional(
    Type.String({ description: 'A quantity with one value an entry (default `entry_id`).' })
  ),
  order: Type.Optional(OneOf(['asc', 'desc'], { description: 'Direction (default `asc`).' })),
  page_size: Type.Optional(
    Type.Integer({
      exclusiveMinimum: 0,
      description: 'How many entries the server reads at once, at most; the file always holds all.'
    })
  )
})

const Entry = Type.Object({ entry_id: Type.String() }, { additionalProperties: true })

/** Lines and rows by example. */
const LINES = [
  '{"entry_id":"--SZVYOxA2jTu_L-mSxefSQFmeyF","mainfile":"vasp/vasprun.xml"}',
  '{"pagination":{"order_by":"entry_id","order":"asc","total":1}}',
  ''
].join('\n')
const ROWS = 'entry_id,mainfile\r\n--SZVYOxA2jTu_L-mSxefSQFmeyF,vasp/vasprun.xml\r\n'

/** The forms beside JSON. */
export const STREAMED = {
  'application/x-ndjson': {
    schema: Type.String({
      description:
        'An entry a line. The last line is `{"pagination": …}`, or `{"error": …}` if the answer is not complete.',
      examples: [LINES]
    })
  },
  'text/csv': {
    schema: Type.String({
      description: 'A header row and a row an entry (RFC 4180); lists and objects are JSON.',
      examples: [ROWS]
    })
  }
}

/** Answer of the export. */
export const ExportAnswer = {
  description: 'A file with the metadata of all matching entries.',
  content: {
    'application/octet-stream': {
      schema: Type.Array(Entry, {
        examples: [[{ entry_id: '--SZVYOxA2jTu_L-mSxefSQFmeyF', mainfile: 'vasp/vasprun.xml' }]]
      })
    },
    ...STREAMED
  }
}
