/**
 * What is answered where no route is: 404 and 405 in the API (`auth.md` §1), a page or JSON with links outside (§9.4).
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { failure } from '../../errors.ts'

/** A route's pattern as an expression over paths: `:x` is one segment, `*` the rest. */
function pathExpression(pattern: string): RegExp {
  const source = pattern
    .split('/')
    .map(s => (s.startsWith(':') ? '[^/]+' : s === '*' ? '.*' : s.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    .join('/')
  return new RegExp(`^${source}/?$`)
}

/** Installs the not-found handler. */
export const unknownRoutes = fp(
  async (app: FastifyInstance, { basePath, version }: { basePath: string; version: string }) => {
    const methods = new Map<string, { path: RegExp; methods: Set<string> }>()
    app.addHook('onRoute', route => {
      // The preflight of CORS, which stands for every path, makes none of them known.
      if (route.url === '*') return
      const row = methods.get(route.url) ?? { path: pathExpression(route.url), methods: new Set() }
      for (const method of [route.method].flat()) row.methods.add(method)
      methods.set(route.url, row)
    })

    const api = `${basePath}/api`
    const root = `${api}/v1`
    const dashboard = `${root}/extensions/docs`

    app.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
      const path = request.url.split('?', 1)[0] as string
      const known = [...methods.values()].filter(row => row.path.test(path))
      if (known.length > 0 && !known.some(row => row.methods.has(request.method))) {
        const allow = [...new Set(known.flatMap(row => [...row.methods]))].sort().join(', ')
        const error = failure('METHOD_NOT_ALLOWED')
        return reply.code(error.status).header('allow', allow).send({ detail: error.detail })
      }
      if (path === api || path.startsWith(`${api}/`)) {
        const error = failure('NOT_FOUND')
        return reply.code(error.status).send({ detail: error.detail })
      }
      if (request.headers.accept?.includes('html')) {
        return reply
          .code(404)
          .type('text/html; charset=utf-8')
          .send(
            `<!doctype html><html lang="en"><title>Serai: not found</title><h1>Nothing here</h1>` +
              `<p>The API is under <a href="${root}/">${root}</a>, its documentation at <a href="${dashboard}">${dashboard}</a>.</p></html>`
          )
      }
      return reply.code(404).send({
        detail: 'Not found',
        info: { app: { version, deployment: 'serai' }, apis: { v1: { root, dashboard } } }
      })
    })
  },
  { name: 'unknown-routes' }
)
