/**
 * What the reference's API has and Serai does not have yet: a plain 501 that says so, never silence. A route
 * that is built is left out here by itself.
 */
import type { FastifyPluginAsync, HTTPMethods } from 'fastify'
import { failure } from '../../errors.ts'
import operations from '../data/reference-operations.json' with { type: 'json' }

/** Parameters that take the rest of a path, slashes included (`uploads.md` §5, `archive.md` §1). */
const REST_OF_PATH = /(?<=\/uploads\/.*|\/apps\/entry-points)\/\{(?:path|mainfile|app_path)\}$/

/** `/uploads/{upload_id}/raw/{path}` as a route pattern. */
function routePattern(path: string): string {
  return path.replace(REST_OF_PATH, '/*').replace(/\{(\w+)\}/g, ':$1')
}

/** Registers the 501s; must come after every other route. */
export const comingRoutes: FastifyPluginAsync = async app => {
  for (const [method, path] of operations as [HTTPMethods, string][]) {
    // Some are listed with a slash at the end and without; the router takes both for one.
    const url = routePattern(path).replace(/(?<=.)\/$/, '')
    if (app.hasRoute({ method, url: app.prefix + url })) continue
    app.route({
      method,
      url,
      schema: { hide: true },
      handler: async () => {
        throw failure('NOT_IMPLEMENTED', { what: `${method} ${path}` })
      }
    })
  }
}
