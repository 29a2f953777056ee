/** What a search asked for, in one form for all ways of asking: for the log of requests that are slow or were refused. */
import type { FastifyRequest } from 'fastify'
import { readCriteria } from '../query/criteria-reader.ts'
import { echo } from '../query/echo.ts'
import { urlQuery } from '../query/url.ts'

/** Characters of JSON that the log takes. */
const LONGEST = 4000

/** Members of a search beside its query. */
const MEMBERS = ['owner', 'pagination', 'aggregations', 'required', 'input', 'quantities'] as const

/**
 * The owner, the normalised query (`search.md` §6) and the other members of a search; undefined for a request that is no
 * search, or whose query is not valid.
 */
export function askedQuery(request: FastifyRequest): unknown {
  const { body, query, routeOptions, server } = request
  const { quantities } = server.services
  const root = `${server.config.basePath}/api/v1`
  const isSearch = ['/entries', '/suggestions'].some(part => routeOptions.url?.startsWith(root + part))
  if (!isSearch) return undefined
  try {
    const members = (body ?? query) as Readonly<Record<string, unknown>>
    const json = body ? members.query : urlQuery(members, quantities)
    const asked = {
      ...Object.fromEntries(MEMBERS.flatMap(name => (members[name] == null ? [] : [[name, members[name]]]))),
      query: echo(readCriteria(json, quantities, []))
    }
    const text = JSON.stringify(asked)
    return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : asked
  } catch {
    return undefined
  }
}
