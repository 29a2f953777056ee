import type { FastifyReply } from 'fastify'

/** Tells caches that the answer depends on a header of the request, beside those that are told already. */
export function varyBy(reply: FastifyReply, header: string): FastifyReply {
  const told = String(reply.getHeader('vary') ?? '')
  return reply.header('vary', told === '' ? header : `${told}, ${header}`)
}
