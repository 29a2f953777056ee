/**
 * What browsers may do with answers. Files of uploads are served from the API's own origin: a page or a picture among them must
 * not run as a part of it, nor be taken for another type than is told.
 */
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/** The documentation page: its own files alone, and requests to this server. */
const DOCUMENTATION =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

/** Everything else that browsers show as a page: no scripts, no origin. */
const ANY_PAGE =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"

/** Types that browsers show as documents with scripts. */
const PAGE = /html|xml/i

/** Sets the headers; `root` is `{base}/api/v1`. */
export const pageHeaders = fp<{ readonly root: string }>(
  async (app: FastifyInstance, { root }) => {
    app.addHook('onSend', async (request, reply) => {
      reply.header('x-content-type-options', 'nosniff')
      if (!PAGE.test(String(reply.getHeader('content-type') ?? ''))) return
      const isDocumentation = request.routeOptions.url?.startsWith(`${root}/extensions/docs`) === true
      reply
        .header('content-security-policy', isDocumentation ? DOCUMENTATION : ANY_PAGE)
        .header('referrer-policy', 'no-referrer')
        .header('cross-origin-opener-policy', 'same-origin')
    })
  },
  { name: 'page-headers' }
)
