/** Addresses of lists have no slash at the end (`auth.md` §1). */
import type { FastifyReply, FastifyRequest } from 'fastify'

/** As `onRequest` of a route that is read: who writes a slash is sent on, as by the reference. */
export async function withoutSlash(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const [path = '', search] = request.url.split(/\?(.*)/s)
  if (!path.endsWith('/')) return
  return reply.redirect(`${path.slice(0, -1)}${search ? `?${search}` : ''}`, 307)
}
