/**
 * The owner rule: which entries a search may see, decided once, as a query (`search.md` §2).
 */
import { failure } from '../errors.ts'
import type { Quantities, Quantity } from '../query/quantities.ts'
import { ALL, and, type Query, type Scalar } from '../query/tree.ts'
import type { Caller } from './caller.ts'

/** The values of `owner`. */
export const OWNERS = ['public', 'all', 'visible', 'shared', 'user', 'staging', 'admin'] as const

/** A value of `owner`. */
export type Owner = (typeof OWNERS)[number]

/**
 * The query that an `owner` stands for, to be AND-ed with the caller's own.
 * @throws SeraiError AUTH_REQUIRED_FOR_OWNER (401), OWNER_ADMIN_ONLY (403)
 */
export function ownerQuery(owner: Owner, caller: Caller, quantities: Quantities): Query {
  const is = (name: string, ...values: Scalar[]): Query => ({
    kind: 'terms',
    quantity: quantities.get(name) as Quantity,
    values
  })
  const published = is('published', true)
  const open = and(published, is('with_embargo', false))
  const shared: Query = {
    kind: 'or',
    of: [
      ...(caller.user ? [is('viewers.user_id', caller.user.user_id)] : []),
      is('viewer_groups', ...caller.groupIds)
    ]
  }

  if (owner === 'public') return open
  if (owner === 'visible') return { kind: 'or', of: [open, shared] }
  if (owner === 'all') return { kind: 'or', of: [published, shared] }

  if (!caller.user) throw failure('AUTH_REQUIRED_FOR_OWNER', { owner })
  switch (owner) {
    case 'shared':
      return shared
    case 'user':
      return is('main_author.user_id', caller.user.user_id)
    case 'staging':
      return and(is('published', false), shared)
    case 'admin':
      if (!caller.isAdmin) throw failure('OWNER_ADMIN_ONLY')
      return ALL
  }
}

/**
 * Refuses `owner=all` where files or archives would be given out (`search.md` §2).
 * @throws SeraiError OWNER_ALL_REFUSED (403)
 */
export function refuseOwnerAll(owner: Owner): void {
  if (owner === 'all') throw failure('OWNER_ALL_REFUSED')
}
