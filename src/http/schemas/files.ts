/** Schemas of the routes that give out raw files (`search.md` §7.1, `uploads.md` §5.4). */
import Type from 'typebox'
import { ErrorAnswer, Nullable } from './common.ts'

const GLOB =
  'Only files whose path ends with this shell pattern; `*` also stands for slashes. Example: `*.xml`.'
const REGULAR =
  'Only files in whose path this regular expression (RE2 syntax) is found; used instead of `glob_pattern`.'
const INCLUDE = 'Only files whose path ends with one of these names; used instead of both patterns.'
const COMPRESS =
  'Deflate the files; without it they are stored as they are: faster, and such a zip has a length and can be gone on with by `Range`.'

/** Selection of files as URL parameters. */
export const SelectionUrl = {
  glob_pattern: Type.Optional(Type.String({ description: GLOB })),
  re_pattern: Type.Optional(Type.String({ description: REGULAR })),
  include_files: Type.Optional(Type.Array(Type.String(), { description: INCLUDE }))
}

/** The parameters of a zip in the URL. */
export const FilesUrl = {
  compress: Type.Optional(Type.Boolean({ default: false, description: COMPRESS })),
  ...SelectionUrl
}

/** `files` of a body. */
export const FilesBody = Type.Object(
  {
    compress: Type.Optional(Nullable(Type.Boolean({ default: false, description: COMPRESS }))),
    glob_pattern: Type.Optional(Nullable(Type.String({ description: GLOB }))),
    re_pattern: Type.Optional(Nullable(Type.String({ description: REGULAR }))),
    include_files: Type.Optional(Nullable(Type.Array(Type.String(), { description: INCLUDE })))
  },
  { description: 'Which files the zip holds, and how.', examples: [{ glob_pattern: '*.xml' }] }
)

/** A window of one file as URL parameters. */
export const WindowUrl = {
  offset: Type.Optional(Type.Integer({ description: 'Bytes to skip (default 0).' })),
  length: Type.Optional(Type.Integer({ description: 'Bytes to give; -1 (default): to the end.' })),
  decompress: Type.Optional(
    Type.Boolean({
      description:
        'Decompress `.gz`, `.xz`, `.bz2` and `.zst` files; `offset` and `length` then count decompressed bytes.'
    })
  )
}

const Binary = Type.Unsafe<unknown>({ type: 'string', format: 'binary' })

/** An answer that is a zip. */
export const ZipAnswer = Type.Unsafe<unknown>({
  description:
    'A zip. Stored files (not `compress`): with `Content-Length` and `ETag`, and parts of it on `Range`.',
  content: { 'application/zip': { schema: Binary } }
})

/** An answer that is a file. */
export const FileAnswer = Type.Unsafe<unknown>({
  description:
    'The bytes; the type is told by the beginning of the file. With `Content-Length`, `ETag` and `Last-Modified`, and parts on ' +
    '`Range`, unless it is decompressed. `Want-Repr-Digest: sha-256=1` asks for the SHA-256 of the file.',
  content: { '*/*': { schema: Binary }, 'application/zip': { schema: Binary } }
})

/** Answers to requests with conditions or for a part, beside those of the route. */
export const PartAnswers = {
  206: Type.Unsafe<unknown>({
    description:
      'The bytes that `Range` asks for, of the state that `If-Range` names; of another state all come (200).',
    content: { '*/*': { schema: Binary } }
  }),
  304: Type.Unsafe<unknown>({ description: 'It is still the state whose ETag was sent in `If-None-Match`.' }),
  412: ErrorAnswer,
  416: ErrorAnswer
}
