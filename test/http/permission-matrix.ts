/**
 * What every operation of the API answers to whom: reasoned from the rules (`uploads.md` §1.3, `search.md` §2, `auth.md`
 * §4), not from what the server does. Every operation of `openapi/openapi.json` has a row.
 */

/** What a caller is to an upload; the order of the columns. A group counts as its members. */
export const ROLES = ['anonymous', 'other', 'reviewer', 'group', 'coauthor', 'owner', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** States of an upload; the order of the rows. `shared`: unpublished, with `all` among its reviewer groups. */
export const STATES = ['published', 'embargoed', 'unpublished', 'shared'] as const
export type State = (typeof STATES)[number]

type Table = Readonly<Record<State, string>>

/** Operations on one upload or entry: the status by state and role. */
export const STATUSES = {
  //                     anonymous other reviewer group coauthor owner admin
  // owner `all`: what is published is known to everybody, also under embargo. No bypass for the administrator.
  metadata: {
    published: /*  */ '200 200 200 200 200 200 200',
    embargoed: /*  */ '200 200 200 200 200 200 200',
    unpublished: /**/ '404 404 200 200 200 200 404',
    shared: /*     */ '200 200 200 200 200 200 200'
  },
  // owner `visible`: what one may not see does not exist.
  contents: {
    published: /*  */ '200 200 200 200 200 200 200',
    embargoed: /*  */ '404 404 200 200 200 200 404',
    unpublished: /**/ '404 404 200 200 200 200 404',
    shared: /*     */ '200 200 200 200 200 200 200'
  },
  upload: {
    published: /*  */ '200 200 200 200 200 200 200',
    embargoed: /*  */ '403 403 200 200 200 200 200',
    unpublished: /**/ '401 403 200 200 200 200 200',
    shared: /*     */ '200 200 200 200 200 200 200'
  },
  // Read permission of the upload, then owner `visible` of the entry.
  uploadArchive: {
    published: /*  */ '200 200 200 200 200 200 200',
    embargoed: /*  */ '403 403 200 200 200 200 404',
    unpublished: /**/ '401 403 200 200 200 200 404',
    shared: /*     */ '200 200 200 200 200 200 200'
  },
  // What is not published is not packed: who may read it is told so.
  wholeZip: {
    published: /*  */ '200 200 200 200 200 200 200',
    embargoed: /*  */ '403 403 200 200 200 200 200',
    unpublished: /**/ '401 403 400 400 400 400 400',
    shared: /*     */ '400 400 400 400 400 400 400'
  },
  // For viewers only, also when it is published.
  membersOnly: {
    published: /*  */ '401 403 200 200 200 200 200',
    embargoed: /*  */ '401 403 200 200 200 200 200',
    unpublished: /**/ '401 403 200 200 200 200 200',
    shared: /*     */ '401 200 200 200 200 200 200'
  }
} satisfies Record<string, Table>

/** Searches: whether an entry shows (`yes`), does not (`-`), or the search is refused, by owner, state and role. */
export const SHOWN = {
  //                   anonymous other reviewer group coauthor owner admin
  public: {
    published: /*  */ 'yes yes yes yes yes yes yes',
    embargoed: /*  */ '- - - - - - -',
    unpublished: /**/ '- - - - - - -',
    shared: /*     */ '- - - - - - -'
  },
  visible: {
    published: /*  */ 'yes yes yes yes yes yes yes',
    embargoed: /*  */ '- - yes yes yes yes -',
    unpublished: /**/ '- - yes yes yes yes -',
    shared: /*     */ 'yes yes yes yes yes yes yes'
  },
  all: {
    published: /*  */ 'yes yes yes yes yes yes yes',
    embargoed: /*  */ 'yes yes yes yes yes yes yes',
    unpublished: /**/ '- - yes yes yes yes -',
    shared: /*     */ 'yes yes yes yes yes yes yes'
  },
  shared: {
    published: /*  */ '401 - yes yes yes yes -',
    embargoed: /*  */ '401 - yes yes yes yes -',
    unpublished: /**/ '401 - yes yes yes yes -',
    shared: /*     */ '401 yes yes yes yes yes yes'
  },
  user: {
    published: /*  */ '401 - - - - yes -',
    embargoed: /*  */ '401 - - - - yes -',
    unpublished: /**/ '401 - - - - yes -',
    shared: /*     */ '401 - - - - yes -'
  },
  staging: {
    published: /*  */ '401 - - - - - -',
    embargoed: /*  */ '401 - - - - - -',
    unpublished: /**/ '401 - yes yes yes yes -',
    shared: /*     */ '401 yes yes yes yes yes yes'
  },
  admin: {
    published: /*  */ '401 403 403 403 403 403 yes',
    embargoed: /*  */ '401 403 403 403 403 403 yes',
    unpublished: /**/ '401 403 403 403 403 403 yes',
    shared: /*     */ '401 403 403 403 403 403 yes'
  }
} satisfies Record<string, Table>

/** Uploads in the list of one's own: only those that one has a role in; what is shared with everybody is not. */
export const LISTED: Table = {
  published: /*  */ '401 - yes yes yes yes -',
  embargoed: /*  */ '401 - yes yes yes yes -',
  unpublished: /**/ '401 - yes yes yes yes -',
  shared: /*     */ '401 - yes yes yes yes -'
}

/** What a row says about an operation. */
export type Row =
  /** On one upload or entry. */
  | { readonly by: keyof typeof STATUSES }
  /** A search; `all: false`: files or archives are given out, so that `owner=all` is refused (403). */
  | { readonly search: true; readonly all: boolean; readonly zip?: true }
  /** The list of one's uploads. */
  | { readonly listed: true }
  /** The same for everybody, and for nobody: an app token does not make further tokens (403). */
  | { readonly anonymous: number; readonly known: number; readonly url?: string; readonly callerless?: true }

const search = (all: boolean): Row => ({ search: true, all })
const zipped: Row = { search: true, all: false, zip: true }
const open = (url?: string): Row => ({ anonymous: 200, known: 200, ...(url ? { url } : {}) })
const tokens: Row = { anonymous: 401, known: 403 }

export const MATRIX: Readonly<Record<string, Row>> = {
  'POST /entries/query': search(true),
  'GET /entries': search(true),
  'GET /entries/export': search(false),
  'POST /entries/archive/query': search(false),
  'GET /entries/archive': search(false),
  'GET /entries/archive/download': zipped,
  'POST /entries/archive/download/query': zipped,
  'GET /entries/raw': zipped,
  'POST /entries/raw/query': zipped,
  'GET /entries/rawdir': search(false),
  'POST /entries/rawdir/query': search(false),

  'GET /entries/{entry_id}': { by: 'metadata' },
  'GET /entries/{entry_id}/archive': { by: 'contents' },
  'POST /entries/{entry_id}/archive/query': { by: 'contents' },
  'GET /entries/{entry_id}/archive/download': { by: 'contents' },
  'GET /entries/{entry_id}/raw': { by: 'contents' },
  'GET /entries/{entry_id}/raw/{path}': { by: 'contents' },
  'GET /entries/{entry_id}/rawdir': { by: 'contents' },

  'GET /uploads': { listed: true },
  'GET /uploads/{upload_id}': { by: 'upload' },
  'GET /uploads/{upload_id}/entries': { by: 'upload' },
  'GET /uploads/{upload_id}/entries/{entry_id}': { by: 'membersOnly' },
  'GET /uploads/{upload_id}/archive/{entry_id}': { by: 'uploadArchive' },
  'GET /uploads/{upload_id}/archive/mainfile/{path}': { by: 'uploadArchive' },
  'GET /uploads/{upload_id}/raw': { by: 'wholeZip' },
  'GET /uploads/{upload_id}/raw/{path}': { by: 'upload' },
  'GET /uploads/{upload_id}/rawdir/{path}': { by: 'upload' },

  'GET /datasets': open(),
  'GET /datasets/{dataset_id}': open('/datasets/dsBulkSemiconductors01'),
  'GET /users/me': { anonymous: 401, known: 200 },
  'GET /users': open('/users?prefix=Ines'),
  'GET /users/{user_id}': open('/users/3f1a2b7c-5d64-4e0f-8c21-7a9e6b3d1c02'),
  'GET /groups': open(),
  'GET /groups/{group_id}': open('/groups/gSemiconductors0000001'),
  'GET /metainfo/{definition_id}': { anonymous: 404, known: 404, url: `/metainfo/${'0'.repeat(40)}` },
  'POST /suggestions': open(),
  'GET /info': open(),

  // Nothing is sent: what is missing is told, whoever asks.
  'GET /auth/token': { anonymous: 422, known: 422, callerless: true },
  'POST /auth/token': { anonymous: 422, known: 422, callerless: true },
  'GET /auth/jwks': { anonymous: 200, known: 200, callerless: true },
  'GET /auth/signature_token': tokens,
  'GET /auth/app_token': tokens,
  'POST /auth/pats': tokens,
  'GET /auth/pats': tokens,
  'GET /auth/pats/{pat_id}': tokens,
  'DELETE /auth/pats/{pat_id}': tokens,
  'POST /auth/pats/{pat_id}/rotate': tokens
}
