/**
 * What every operation asks of its caller: scopes, whether it must be somebody, and which tokens beside the usual ones
 * are accepted (`auth.md` §2.1, §4.1). One table for the whole API, so that it can be read at a glance; a new operation that
 * no row is about does not start.
 */
import type { Scope } from '../access/scopes.ts'

/** What an operation asks of its caller. */
export interface OperationAccess {
  /** All of them are needed. */
  readonly scopes: readonly Scope[]
  /** Only known persons: anonymous callers are answered 401, whatever else is wrong. */
  readonly known: boolean
  /** The URL parameter `signature_token` is a token. */
  readonly signatureToken: boolean
  /** The header `Upload-Token` and the URL parameter `token` are tokens. */
  readonly uploadToken: boolean
}

interface Row {
  readonly methods: readonly string[]
  readonly path: RegExp
  readonly access: OperationAccess | undefined
}

const NOTHING = { known: false, signatureToken: false, uploadToken: false } as const

/** Readable by everybody who has the scope; what of it is visible is another question. */
const open = (...scopes: Scope[]): OperationAccess => ({ ...NOTHING, scopes })
/** For known persons with the scopes. */
const known = (...scopes: Scope[]): OperationAccess => ({ ...NOTHING, known: true, scopes })
/** Downloads that browsers follow as links. */
const link = (...scopes: Scope[]): OperationAccess => ({ ...NOTHING, signatureToken: true, scopes })
/** Sending files from a command line. */
const upload = (...scopes: Scope[]): OperationAccess => ({
  ...NOTHING,
  known: true,
  uploadToken: true,
  scopes
})

/** A row: `GET,POST /path/:x`; `:x` is one segment of the path, `*` the rest. */
function row(operation: string, access: OperationAccess | undefined): Row {
  const [methods = '', path = ''] = operation.split(' ')
  const pattern = path.replace(/\/\*/g, '(?:/.*)?').replace(/:\w+/g, '[^/]+')
  return { methods: methods.split(','), path: new RegExp(`^${pattern}$`), access }
}

/** The first row that an operation fits counts. */
const TABLE: readonly Row[] = [
  // Who is asking is found out here, or does not matter.
  row('GET,POST /auth/token', undefined),
  row('GET /auth/jwks', undefined),
  row('POST /federation/logs', undefined),

  row('GET /auth/app_token', known('tokens:create')),
  row('GET /auth/signature_token', known('tokens:create')),
  row('POST /auth/pats', known('tokens:create')),
  row('POST /auth/pats/:id/rotate', known('tokens:create', 'tokens:delete')),
  row('GET /auth/pats/*', known('tokens:read')),
  row('DELETE /auth/pats/:id', known('tokens:delete')),

  row('GET /entries/raw', link('entries:read')),
  row('GET /entries/archive/download', link('entries:read')),
  row('GET /entries/:id/raw/*', link('entries:read')),
  row('GET /entries/:id/archive/download', link('entries:read')),
  row('GET /entries/*', open('entries:read')),
  row('POST /entries/query', open('entries:read')),
  row('POST /entries/*/query', open('entries:read')),
  row('POST /entries/*', known('entries:write')),
  row('GET /systems/:id', link('systems:read')),

  row('GET /uploads/command-examples', known('tokens:create')),
  row('GET /uploads', known('uploads:read')),
  row('GET /uploads/:id/entries/:entry', known('uploads:read')),
  row('GET /uploads/:id/raw/*', link('uploads:read')),
  row('GET /uploads/:id/bundle', open('uploads:export')),
  row('GET /uploads/:id/export', open('uploads:export')),
  row('GET /uploads/*', open('uploads:read')),
  row('POST /uploads', upload('uploads:write')),
  row('POST /uploads/bundle', upload('uploads:import')),
  row('POST /uploads/import', upload('uploads:import')),
  row('PUT,DELETE /uploads/:id/raw/*', upload('uploads:write')),
  row('POST /uploads/:id/raw-create-dir/*', upload('uploads:write')),
  row('POST /uploads/:id/action/publish', known('uploads:publish')),
  row('POST /uploads/:id/action/lift-embargo', known('uploads:publish')),
  row('POST /uploads/:id/action/process', known('uploads:process')),
  row('POST /uploads/:id/action/stop-processing', known('uploads:process')),
  row('POST /uploads/:id/action/assign-doi', known('uploads:assign_doi')),
  row('POST /uploads/:id/action/transfer', known('uploads:export')),
  row('POST,PUT,DELETE /uploads/*', known('uploads:write')),

  row('POST /datasets/:id/action/doi', known('datasets:assign_doi')),
  row('GET /datasets/*', open('datasets:read')),
  row('POST /datasets/*', known('datasets:write')),
  row('DELETE /datasets/:id', known('datasets:delete')),

  row('GET /groups/*', open('groups:read')),
  row('POST /groups/*', known('groups:write')),
  row('DELETE /groups/:id', known('groups:delete')),

  row('GET /users/me', known('users:read')),
  row('GET /users/*', open('users:read')),
  row('PUT /users/invite', known('users:invite')),

  row('GET /ownership-transfers/*', known('uploads:read')),
  row('POST /ownership-transfers/*', known('uploads:read', 'uploads:write')),
  row('GET /notifications', known('uploads:read')),

  row('POST /graph/*', open('graph:read')),
  row('GET /info', open('info:read')),
  row('GET,POST /materials/*', open('materials:read')),
  row('GET /metainfo/*', open('metainfo:read')),
  row('GET /schemas/*', open('schemas:read')),
  row('GET,POST /apps/*', open('apps:read')),
  row('POST /suggestions', open('suggestions:read')),
  row('GET /actions/*', known('actions:read')),
  row('POST /actions/*', known('actions:run')),
  row('GET /north/*', open('north:read')),
  row('POST,DELETE /north/*', known('north:run'))
]

/** Applications beside the API, by what follows the base path. */
const APPLICATIONS: readonly (readonly [prefix: string, access: OperationAccess])[] = [
  ['/optimade', open('external_optimade:read')],
  ['/dcat', open('external_dcat:read')],
  ['/h5grove', open('external_h5grove:read')]
]

/** Whether only reading is allowed by these scopes. */
export function isReading({ scopes }: OperationAccess): boolean {
  return scopes.every(scope => scope.endsWith(':read'))
}

/**
 * What a route asks of its caller; undefined for what does not look at the caller: health, documentation, signing in.
 * @param url pattern of the route
 * @throws Error for an operation of the API that the table does not know
 */
export function operationAccess(method: string, url: string, basePath: string): OperationAccess | undefined {
  const inside = url.startsWith(basePath) ? url.slice(basePath.length) : url
  const application = APPLICATIONS.find(([prefix]) => inside === prefix || inside.startsWith(`${prefix}/`))
  if (application) return /\/extensions\//.test(inside) ? undefined : application[1]
  const path = /^\/api\/v1(\/.*)$/.exec(inside)?.[1]?.replace(/(?<=.)\/$/, '')
  if (path === undefined || path === '/' || path === '/openapi.json' || path.startsWith('/extensions/')) {
    return undefined
  }
  const asked = method === 'HEAD' ? 'GET' : method
  const found = TABLE.find(one => one.methods.includes(asked) && one.path.test(path))
  if (!found) throw new Error(`no row of http/operation-access.ts is about ${method} ${path}`)
  return found.access
}
