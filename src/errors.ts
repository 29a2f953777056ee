/**
 * Every error that Serai answers with, as one table: code -> HTTP status and text.
 *
 * A domain room throws `failure(code, values)`; the http plugin `errors` alone turns it into the wire form
 * `{"detail": …}` (spec `auth.md` §1, `search.md` §1.8). Texts in which clients look for words are those of
 * the reference; `{name}` is replaced by the value of that name.
 */

/** One place where an input is wrong: FastAPI's item of a `detail` list. `loc` is flat. */
export interface DetailItem {
  readonly type: string
  readonly loc: readonly (string | number)[]
  readonly msg: string
  readonly input?: unknown
  readonly ctx?: Readonly<Record<string, unknown>>
}

interface ErrorRow {
  readonly status: number
  readonly text: string
  readonly headers?: Readonly<Record<string, string>>
}

const BEARER = { 'www-authenticate': 'Bearer' } as const

/** The table. Codes are grouped by the room that throws them. */
export const ERRORS = {
  // access: who is asking (auth.md §4)
  AUTH_REQUIRED: { status: 401, text: 'Authentication required.', headers: BEARER },
  AUTH_REQUIRED_FOR_OWNER: {
    status: 401,
    text: "Authentication required for owner='{owner}'.",
    headers: BEARER
  },
  TOKEN_EXPIRED: { status: 401, text: 'Expired token.', headers: BEARER },
  TOKEN_INVALID: { status: 401, text: 'Invalid token.', headers: BEARER },
  TOKEN_PAYLOAD: { status: 401, text: 'Token with invalid/unexpected payload.', headers: BEARER },
  CREDENTIALS_INVALID: {
    status: 401,
    text: 'Could not validate credentials. The given token is invalid.',
    headers: BEARER
  },
  TOKEN_KEY_UNKNOWN: {
    status: 401,
    text: 'Could not validate credentials.\nThe token is signed with a key that the identity provider does not publish.\nPlease sign in again.',
    headers: BEARER
  },
  TOKEN_NO_SUBJECT: {
    status: 401,
    text: 'Could not validate credentials. The given token does not say whom it is about.',
    headers: BEARER
  },
  ACCOUNT_DISABLED: {
    status: 401,
    text: 'Could not validate credentials. The account is disabled.',
    headers: BEARER
  },
  SIGNED_OUT: {
    status: 401,
    text: 'Could not validate credentials. The given token is older than the latest change of the password.',
    headers: BEARER
  },
  UPLOAD_TOKEN_INVALID: {
    status: 401,
    text: 'An invalid upload token was supplied.',
    headers: BEARER
  },
  PASSWORD_WRONG: {
    status: 401,
    text: 'Incorrect username or password',
    headers: BEARER
  },
  SIGN_IN_THROTTLED: {
    status: 429,
    text: 'Too many failed sign-ins. Please try again in {seconds} seconds.'
  },
  USER_UNKNOWN: { status: 403, text: 'You are logged in with an unknown user' },
  USER_NOT_AUTHORIZED: { status: 403, text: 'You are not authorized to access this Oasis' },
  SCOPES_MISSING: { status: 403, text: 'Missing scopes: [{scopes}]' },
  DIRECTORY_FAILED: { status: 500, text: 'Failed to verify authenticated user' },
  PROVIDER_UNAVAILABLE: {
    status: 503,
    text: 'The identity provider cannot be reached at the moment. Please try again later.',
    headers: { 'retry-after': '5' }
  },
  PROVIDER_REFUSED: {
    status: 502,
    text: 'The identity provider refuses this server: {reason}. Its operator should look at the settings.'
  },
  // access: personal access tokens (auth.md §3.5)
  PAT_NOT_FOUND: { status: 404, text: 'Token not found or does not belong to the user.' },
  PAT_INACTIVE: { status: 400, text: 'Cannot rotate an expired/revoked token.' },
  PAT_NO_SCOPES: { status: 400, text: 'At least one scope must be selected.' },
  PAT_SCOPES: { status: 400, text: 'Invalid scopes: {scopes}' },
  PAT_FOR_PATS: { status: 400, text: 'Personal access tokens are not allowed to operate on PATs.' },
  PAT_EXPIRED: { status: 400, text: 'Cannot create an already expired token.' },
  PAT_TOO_LONG: {
    status: 400,
    text: 'Requested lifetime ({days} days) exceeds the maximum allowed ({max} days).'
  },
  PAT_INFINITE: {
    status: 400,
    text: 'Infinite tokens are disabled. Max lifetime is {max} days.'
  },
  PAT_TOO_MANY: {
    status: 400,
    text: 'You have {max} active tokens, which is the most that one person may have.'
  },
  OWNER_ADMIN_ONLY: { status: 403, text: 'This can only be used by the admin user.' },
  OWNER_ALL_REFUSED: {
    status: 403,
    text: 'The owner=all is not allowed for this operation as it will search for entries\nthat you might now be allowed to access.'
  },
  // access: uploads (uploads.md §1.3)
  UPLOAD_NOT_FOUND: { status: 404, text: 'The specified upload_id was not found.' },
  UPLOAD_LOGIN: {
    status: 401,
    text: 'You need to log in to access the specified upload.',
    headers: BEARER
  },
  UPLOAD_NO_ACCESS: { status: 403, text: 'You do not have access to the specified upload.' },
  UPLOAD_EMBARGO: {
    status: 403,
    text: 'You do not have access to the specified upload - published with embargo.'
  },
  UPLOAD_ENTRY_NOT_FOUND: {
    status: 404,
    text: 'An entry by that id could not be found in the specified upload.'
  },
  // datasets, users, groups (datasets-users-groups.md)
  DATASET_NOT_FOUND: { status: 404, text: 'The dataset with the given id does not exist.' },
  USER_NOT_FOUND: { status: 404, text: 'The user with the given id does not exist.' },
  GROUP_NOT_FOUND: { status: 404, text: "User group '{group_id}' was not found." },
  // entries
  ENTRY_NOT_FOUND: {
    status: 404,
    text: 'The entry with the given id does not exist or is not visible to you.'
  },
  ARCHIVE_ENTRY_NOT_FOUND: { status: 404, text: 'The entry does not exist or is not visible to you.' },
  ARCHIVE_MISSING: { status: 404, text: 'The entry does exist, but it has no archive.' },
  ARCHIVE_DAMAGED: {
    status: 500,
    text: 'The archive of entry {entry_id} is damaged: block {block} does not have its checksum.'
  },
  DEFINITION_NOT_FOUND: {
    status: 404,
    text: 'Package not found. The given section definition is not contained in any packages.'
  },
  // archive: required (archive.md §2, §3)
  REQUIRED_DIRECTIVE: { status: 400, text: 'unknown directive {directive}' },
  REQUIRED_INDEX: { status: 400, text: 'cannot use list key on none list {name}' },
  REFERENCE_REMOTE: {
    status: 400,
    text: 'resolvable reference to remote archive not implemented: {reference}'
  },
  // files (search.md §7, uploads.md §5)
  FILES_NOT_FOUND: { status: 404, text: 'Upload files not found.' },
  FILE_NOT_FOUND: { status: 404, text: 'The requested file does not exist.' },
  FILE_PATH_NOT_FOUND: { status: 404, text: 'Not found. Invalid path?' },
  FILE_DAMAGED: {
    status: 500,
    text: 'The file {path} of upload {upload_id} is damaged: it is not what was stored.'
  },
  FILE_REPLACED: {
    status: 409,
    text: 'The file {path} of upload {upload_id} was replaced meanwhile. Please try again.'
  },
  FILE_NOT_COMPRESSED: {
    status: 400,
    text: 'The file cannot be decompressed: it is no valid {format} file.'
  },
  FILE_IS_DIRECTORY: { status: 400, text: 'Path is a directory, `compress` must be set to true' },
  FILE_WINDOW_COMPRESS: {
    status: 400,
    text: 'Cannot specify `offset` or `length` when `compress` is true'
  },
  FILE_OFFSET: { status: 400, text: 'Invalid offset provided.' },
  FILE_LENGTH: {
    status: 400,
    text: 'Invalid length provided. Should be greater than 0, or -1 if the remainder\nof the file should be read.'
  },
  UPLOAD_NOT_PACKED: {
    status: 400,
    text: "Cannot download raw files .zip from non published uploads. Use '/{upload_id}/raw/' instead\nto recursively create and download a .zip file with all files."
  },
  DOWNLOAD_LIMIT: {
    status: 400,
    text: 'The limit of maximum number of entries in a single download ({limit}) has been exceeded ({count}).'
  },
  DOWNLOAD_FILES_LIMIT: {
    status: 400,
    text: 'The limit of maximum number of files in a single download ({limit}) has been exceeded.'
  },
  RANGE_NOT_SATISFIABLE: {
    status: 416,
    text: 'The requested range is not satisfiable: there are {size} bytes.'
  },
  PRECONDITION_FAILED: { status: 412, text: 'A precondition of the request does not hold.' },
  EXPORT_LIMIT: {
    status: 400,
    text: 'The limit of maximum number of metadata in a single download ({limit}) has been exceeded ({count}).'
  },
  EXPORT_FORMAT: {
    status: 415,
    text: "Unsupported content_type='{type}'. Expected 'application/json' or 'text/csv'."
  },
  // search
  SEARCH_REFUSED: { status: 400, text: 'Elasticsearch could not process your query: {reason}' },
  PAGE_OUT_OF_RANGE: { status: 400, text: 'Page out of range requested.' },
  STORE_UNAVAILABLE: {
    status: 503,
    text: 'The {store} store cannot be reached at the moment. Please try again later.',
    headers: { 'retry-after': '5' }
  },
  SEARCH_TIMEOUT: {
    status: 503,
    text: 'The search took too long and was stopped. Please make it narrower or try again later.',
    headers: { 'retry-after': '5' }
  },
  // limits (auth.md §8)
  RATE_LIMITED: {
    status: 503,
    text: 'Too many requests: one address may send {requests} of them in {seconds} s. Please try again in {wait} s.'
  },
  CONCURRENCY_LIMITED: {
    status: 503,
    text: 'Too many requests at the same time: one address may have {limit} of them under way. Please wait until one has ended.',
    headers: { 'retry-after': '1' }
  },
  OVERLOADED: {
    status: 503,
    text: 'The server is overloaded at the moment. Please try again later.',
    headers: { 'retry-after': '5' }
  },
  // opening the data folder: told on the command line, not to clients
  STORE_NEWER: {
    status: 500,
    text: '{file} was written by a newer version of Serai: its format is {found}, this version knows formats up to {known}.'
  },
  STORE_UNUSABLE: { status: 500, text: '{file} cannot be used: {reason}.' },
  // http
  NOT_FOUND: { status: 404, text: 'Not Found' },
  METHOD_NOT_ALLOWED: { status: 405, text: 'Method Not Allowed' },
  BODY_TOO_LARGE: { status: 413, text: 'The request body is larger than {limit} bytes.' },
  NOT_IMPLEMENTED: { status: 501, text: '{what} is not available in this version of Serai yet.' },
  BAD_PARAMETER: { status: 400, text: '' },
  INVALID: { status: 422, text: '' }
} as const satisfies Record<string, ErrorRow>

/** A code of {@link ERRORS}. */
export type ErrorCode = keyof typeof ERRORS

/** An error with a place in the table; `detail` is what the client reads. */
export class SeraiError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly detail: string | readonly DetailItem[]
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: ErrorCode,
    detail: string | readonly DetailItem[],
    headers: Readonly<Record<string, string>> = {}
  ) {
    super(typeof detail === 'string' ? detail : detail.map(d => `${d.loc.join('.')}: ${d.msg}`).join('; '))
    const row: ErrorRow = ERRORS[code]
    this.name = 'SeraiError'
    this.code = code
    this.status = row.status
    this.detail = detail
    this.headers = { ...row.headers, ...headers }
  }
}

/**
 * An error of the table with its text filled in.
 * @example throw failure('DOWNLOAD_LIMIT', { limit: 50000, count: 60312 })
 */
export function failure(
  code: ErrorCode,
  values: Readonly<Record<string, unknown>> = {},
  headers?: Readonly<Record<string, string>>
): SeraiError {
  const text = ERRORS[code].text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
  return new SeraiError(code, text, headers)
}

/**
 * A 422 that says what is wrong and where: one item with a flat `loc` (spec README, decision 7).
 * @example throw invalid(['pagination', 'order_by'], 'nope is not a doc quantity')
 */
export function invalid(
  loc: readonly (string | number)[],
  msg: string,
  extra: { type?: string; input?: unknown; ctx?: Record<string, unknown> } = {}
): SeraiError {
  return new SeraiError('INVALID', [{ ...extra, type: extra.type ?? 'value_error', loc, msg }])
}
