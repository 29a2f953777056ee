import type { FastifyRequest } from 'fastify'

/** The absolute URL by which the client asked, query included. */
export function requestUrl(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}${request.originalUrl}`
}
