import type { FastifyRequest } from 'fastify'

/** The absolute URL by which the client asked, query included. */
export function requestUrl(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}${request.originalUrl}`
}

/** Parameters that say which page is asked for. */
const POSITION = ['page', 'page_offset', 'page_after_value'] as const

/**
 * The URL of another page: the position is replaced, the other parameters keep their places, those without a value
 * are left out (`search.md` §3, D12).
 */
export function pageUrl(
  url: string,
  position: Readonly<Partial<Record<(typeof POSITION)[number], string>>>
): string {
  const [base, search = ''] = url.split(/\?(.*)/s)
  const parameters = new URLSearchParams(search)
  for (const name of POSITION) {
    const value = position[name]
    // Set, not taken out and added, so that it keeps its place.
    if (value === undefined) parameters.delete(name)
    else parameters.set(name, value)
  }
  const rest = new URLSearchParams([...parameters].filter(([, value]) => value !== '')).toString()
  return rest === '' ? (base as string) : `${base}?${rest}`
}
