/**
 * The OpenAPI document and the docs page, made from the routes' schemas (`auth.md` §6); the page works offline.
 */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { OpenAPIV3_1 } from 'openapi-types'

const DESCRIPTION = `Search, read and download materials data through the NOMAD v1 API.

- **Entries** are what was computed or measured: \`/entries/query\` searches their metadata.
- **Archives** hold everything that was extracted from an entry's files: \`/entries/archive/query\` gives the parts that
  \`required\` asks for.
- **Raw files** are the files as they were uploaded: \`/entries/raw\` packs them into one zip.

Public data needs no sign-in. To see your own unpublished data press *Authorize* and give your user name and password, or an app or
personal access token.`

const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="32" viewBox="0 0 120 32"><g fill="none" stroke="#fff" stroke-width="2">
<path d="M4 28V14a10 10 0 0 1 20 0v14M9 28V16a5 5 0 0 1 10 0v12M1 28h26"/></g>
<text x="36" y="24" fill="#fff" font-family="sans-serif" font-size="22">Serai</text></svg>`

/**
 * There is one document, so the field that asks for another one goes; so do those of the sign-in that this server does not
 * look at, which otherwise fill the window.
 */
const STYLE = `.swagger-ui .topbar .download-url-wrapper,
.swagger-ui .auth-container .scope-def,
.swagger-ui .auth-container .wrapper:has(> [for='password_type']),
.swagger-ui .auth-container .wrapper:has(> [for^='client_id']),
.swagger-ui .auth-container .wrapper:has(> [for^='client_secret']) { display: none }`

/** What an answer of this status says, by example. */
const ERROR_TEXTS: Readonly<Record<string, readonly [description: string, example: string]>> = {
  400: [
    'The request cannot be answered.',
    'The limit of maximum number of entries in a single download (50000) has been exceeded (60312).'
  ],
  401: ['A token is needed, or the one sent is not valid.', "Authentication required for owner='user'."],
  403: ['You are known and may not do this.', 'This can only be used by the admin user.'],
  429: ['Too many failed sign-ins.', 'Too many failed sign-ins. Please try again in 8 seconds.'],
  404: ['It does not exist or is not visible to you.', 'The entry does not exist or is not visible to you.']
}

type Operation = NonNullable<OpenAPIV3_1.PathItemObject['get']>

/** `GET /entries/{entry_id}/archive` as `getEntriesEntryIdArchive`. */
function operationId(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter(Boolean)
  return method + words.map(w => w[0]?.toUpperCase() + w.slice(1)).join('')
}

type Response = NonNullable<Operation['responses']>[string]

/** An error without a schema of its own. */
function plainError(
  description: string,
  detail: string,
  headers?: OpenAPIV3_1.ResponseObject['headers']
): Response {
  return {
    description,
    ...(headers ? { headers } : {}),
    content: {
      'application/json': {
        schema: { type: 'object', properties: { detail: { type: 'string' } }, required: ['detail'] },
        example: { detail }
      }
    }
  }
}

/** What every operation may answer. */
const OVER_LIMITS = plainError(
  'Your address asks too much, or the server has too much to do: ask again after `Retry-After` seconds.',
  'The server is overloaded at the moment. Please try again later.',
  { 'Retry-After': { schema: { type: 'integer' } } }
)

/** What operations may answer that take a body. */
const BODY_TOO_LARGE = plainError('The body is too large.', 'The request body is larger than 1048576 bytes.')

/** What operations may answer that look at who asks: one that names no way of signing in does not. */
const CALLER_ERRORS = Object.fromEntries(
  ['401', '403'].map(status => [status, plainError(...(ERROR_TEXTS[status] as [string, string]))])
)

function describeErrors(operation: Operation): void {
  operation.responses = {
    ...(operation.security?.length === 0 ? {} : CALLER_ERRORS),
    ...(operation.requestBody ? { 413: BODY_TOO_LARGE } : {}),
    503: OVER_LIMITS,
    ...operation.responses
  }
  for (const [status, response] of Object.entries(operation.responses ?? {})) {
    const text = ERROR_TEXTS[status]
    if ('description' in response && response.description === 'Default Response')
      response.description = 'The answer.'
    if (!text || !('content' in response)) continue
    response.description = text[0]
    for (const media of Object.values(response.content ?? {})) media.example = { detail: text[1] }
  }
}

/** The collected document with what the collector does not do: names of operations and of the rest of a path, errors. */
function describe(document: Partial<OpenAPIV3_1.Document>): Partial<OpenAPIV3_1.Document> {
  const paths = Object.entries(document.paths ?? {}).map(([pattern, item]) => {
    const path = pattern.replace('{*}', '{path}')
    for (const method of ['get', 'head', 'post', 'put', 'delete'] as const) {
      const operation = item?.[method]
      if (!operation) continue
      operation.operationId ??= operationId(method, path)
      for (const parameter of operation.parameters ?? []) {
        if ('name' in parameter && parameter.name === '*') parameter.name = 'path'
      }
      describeErrors(operation)
    }
    return [path, item] as const
  })
  return { ...document, paths: Object.fromEntries(paths) }
}

/** What the document says beside the routes. */
export interface OpenApiOptions {
  readonly basePath: string
  readonly version: string
}

/** Registers the document's collector; must come before the routes. */
export const openapi = fp(
  async (app: FastifyInstance, { basePath, version }: OpenApiOptions) => {
    const root = `${basePath}/api/v1`
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Serai: NOMAD API',
          version: `v1, Serai ${version}`,
          description: DESCRIPTION,
          license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' }
        },
        servers: [{ url: root }],
        tags: [
          { name: 'entries/metadata', description: 'Search entries and read their metadata.' },
          { name: 'suggestions', description: 'Complete what was typed.' },
          { name: 'entries/archive', description: 'Read what was extracted from the files of entries.' },
          { name: 'entries/raw', description: 'Download the files that entries were made from.' },
          { name: 'uploads', description: 'The folders that entries belong to.' },
          { name: 'uploads/archive', description: 'Archives of the entries of one upload.' },
          { name: 'uploads/raw', description: 'Files of one upload.' },
          { name: 'auth', description: 'Sign in and get tokens.' },
          { name: 'datasets', description: 'Entries under one name, perhaps with a DOI.' },
          { name: 'users', description: 'Persons.' },
          { name: 'groups', description: 'Persons who have a part in uploads together.' },
          { name: 'metainfo', description: 'Definitions of what archives hold.' },
          { name: 'info', description: 'About this server.' }
        ],
        components: {
          securitySchemes: {
            OAuth2PasswordBearer: {
              type: 'oauth2',
              description: 'Your user name or e-mail address, and your password.',
              flows: { password: { scopes: {}, tokenUrl: `${root}/auth/token` } }
            },
            AppToken: {
              type: 'http',
              scheme: 'bearer',
              bearerFormat: 'JWT',
              description:
                'A token that you have already: an app token, for example of `GET /auth/app_token` or `serai token USER`, a personal ' +
                'access token, or an access token.'
            }
          }
        },
        security: [{}, { OAuth2PasswordBearer: [] }, { AppToken: [] }]
      },
      stripBasePath: true,
      hideUntagged: true,
      transformObject: document =>
        'openapiObject' in document
          ? // The version named above makes it a document of that version.
            describe(document.openapiObject as Partial<OpenAPIV3_1.Document>)
          : document.swaggerObject
    })
    await app.register(swaggerUi, {
      routePrefix: `${root}/extensions/docs`,
      uiConfig: {
        deepLinking: true,
        tryItOutEnabled: true,
        docExpansion: 'list',
        defaultModelsExpandDepth: -1
      },
      logo: { type: 'image/svg+xml', content: LOGO, href: `${root}/extensions/docs/` },
      theme: { title: 'Serai API', css: [{ filename: 'serai.css', content: STYLE }] }
    })
    app.get(`${root}/openapi.json`, { schema: { hide: true }, config: { callerless: true } }, async () =>
      app.swagger()
    )
    app.get(`${root}/`, { schema: { hide: true }, config: { callerless: true } }, async (_request, reply) =>
      reply.redirect(`${root}/extensions/docs/`, 307)
    )
  },
  { name: 'openapi' }
)
