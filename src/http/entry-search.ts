/** The step that all routes over entries share: owner, query and pagination of a request become a search. */

import type { Caller } from '../access/caller.ts'
import { OWNERS, type Owner, ownerQuery } from '../access/owner.ts'
import { compile } from '../query/compile.ts'
import type { Criteria } from '../query/criteria.ts'
import { readCriteria } from '../query/criteria-reader.ts'
import { encodeCursor } from '../query/cursor.ts'
import { type Echo, echo } from '../query/echo.ts'
import type { Pagination } from '../query/pagination.ts'
import type { Quantities } from '../query/quantities.ts'
import { and, type Query } from '../query/tree.ts'
import { urlQuery } from '../query/url.ts'
import type { SearchPage, SearchRequest, SourceFilter } from '../search/entry-index.ts'
import { pageUrl } from './request-url.ts'

/** Which entries a request is about. */
export interface EntrySearch {
  readonly owner: Owner
  /** The request's criteria and the owner rule. */
  readonly query: Query
  /** The two apart. */
  readonly criteria: Criteria
  readonly ownerRule: Query
  /** The criteria as the answer repeats them (`search.md` §6). */
  readonly echo: Echo
}

function entrySearch(
  owner: unknown,
  json: unknown,
  where: readonly string[],
  caller: Caller,
  quantities: Quantities
): EntrySearch {
  const known = OWNERS.find(o => o === (owner ?? 'public')) as Owner
  const criteria = readCriteria(json, quantities, where)
  const query = compile(criteria, where)
  const ownerRule = ownerQuery(known, caller, quantities)
  return { owner: known, query: and(query, ownerRule), criteria, ownerRule, echo: echo(criteria) }
}

/**
 * The search of a body with `owner` and `query`; the schema has checked `owner`, null is public.
 * @throws SeraiError INVALID (422), SEARCH_REFUSED (400), AUTH_REQUIRED_FOR_OWNER (401), OWNER_ADMIN_ONLY (403)
 */
export function bodySearch(
  body: { readonly owner?: unknown; readonly query?: unknown },
  caller: Caller,
  quantities: Quantities
): EntrySearch {
  return entrySearch(body.owner, body.query, ['body', 'query'], caller, quantities)
}

/**
 * The search of URL parameters, as the route's schema has converted them.
 * @throws as {@link bodySearch}
 */
export function urlSearch(parameters: object, caller: Caller, quantities: Quantities): EntrySearch {
  const { owner } = parameters as { owner?: unknown }
  return entrySearch(owner, urlQuery(parameters, quantities), ['query'], caller, quantities)
}

/** What to ask the index for. */
export function pageRequest(
  search: Pick<EntrySearch, 'query'>,
  pagination: Pagination,
  extra: { readonly source?: SourceFilter; readonly signal?: AbortSignal } = {}
): SearchRequest {
  const { echo, orderBy, offset, after } = pagination
  return {
    query: search.query,
    order: echo.order,
    size: echo.page_size,
    ...(orderBy ? { orderBy } : {}),
    ...(offset !== undefined ? { offset } : {}),
    ...(after ? { after } : {}),
    ...extra
  }
}

/** The `pagination` of an answer. */
export type PaginationEcho = Pagination['echo'] & {
  total: number
  next_page_after_value?: string
  page_url?: string
  next_page_url?: string
  prev_page_url?: string
  first_page_url?: string
}

/**
 * The `pagination` of an answer (`search.md` §3).
 * @param url the absolute URL of a GET request, for the addresses of other pages
 */
export function paginationAnswer(pagination: Pagination, found: SearchPage, url?: string): PaginationEcho {
  const { page_size, page } = pagination.echo
  const last = found.hits.at(-1)
  const full = page_size > 0 && found.hits.length >= page_size && found.total > found.hits.length
  const next = full && last ? encodeCursor(last, pagination.orderBy) : undefined
  return {
    ...pagination.echo,
    total: found.total,
    ...(next !== undefined ? { next_page_after_value: next } : {}),
    ...(url === undefined ? {} : pageUrls(url, page_size, page, next))
  }
}

function pageUrls(
  url: string,
  size: number,
  page: number | undefined,
  next: string | undefined
): Partial<PaginationEcho> {
  return {
    page_url: url,
    ...(next !== undefined ? { next_page_url: pageUrl(url, { page_after_value: next }) } : {}),
    ...(page !== undefined && page > 1 ? { prev_page_url: pageUrl(url, { page: String(page - 1) }) } : {}),
    ...(size > 0 ? { first_page_url: pageUrl(url, {}) } : {})
  }
}
