/**
 * The OpenAPI document and the docs page, made from the routes' schemas (`auth.md` §6); the page works offline.
 */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

const DESCRIPTION = `Search, read and download materials data through the NOMAD v1 API.

- **Entries** are what was computed or measured: \`/entries/query\` searches their metadata.
- **Archives** hold everything that was extracted from an entry's files: \`/entries/archive/query\` gives the parts that
  \`required\` asks for.
- **Raw files** are the files as they were uploaded: \`/entries/raw\` packs them into one zip.

Public data needs no sign-in. To see your own unpublished data press *Authorize* and give an app token.`

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
          { name: 'entries/archive', description: 'Read what was extracted from the files of entries.' },
          { name: 'entries/raw', description: 'Download the files that entries were made from.' },
          { name: 'uploads', description: 'The folders that entries belong to.' },
          { name: 'uploads/raw', description: 'Files of one upload.' },
          { name: 'info', description: 'About this server.' }
        ],
        components: {
          securitySchemes: {
            AppToken: {
              type: 'http',
              scheme: 'bearer',
              bearerFormat: 'JWT',
              description: 'An app token, for example from `serai token USER`.'
            }
          }
        },
        security: [{}, { AppToken: [] }]
      },
      stripBasePath: true,
      hideUntagged: true
    })
    await app.register(swaggerUi, {
      routePrefix: `${root}/extensions/docs`,
      uiConfig: {
        deepLinking: true,
        tryItOutEnabled: true,
        docExpansion: 'list',
        defaultModelsExpandDepth: -1
      },
      theme: { title: 'Serai API' }
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
