/** Personal access tokens: what may be asked for, and how they are made, listed and replaced (`auth.md` §3.5). */
import { createHash, randomBytes } from 'node:crypto'
import { failure } from '../errors.ts'
import type { AccountStore, PersonalToken } from '../storage/accounts.ts'
import { type Scope, scopeNamed } from './scopes.ts'

/** What every raw token begins with. */
export const PERSONAL_TOKEN_PREFIX = 'nomad_pat_'

const DAY = 86_400_000

/** Milliseconds after which tokens that are of no use any more are forgotten. */
const INACTIVE_KEPT = 365 * DAY

/** Tokens of no use any more that a person may have; the oldest are forgotten. */
const INACTIVE_MAX = 1000

/** Longest life in days where an installation sets no bound. */
const CENTURY = 36_500

/** Bounds of an installation. */
export interface PersonalTokenLimits {
  /** Longest life in days; 0: tokens may live for ever. */
  readonly maxLifetime: number
  /** Most tokens that one person may have at a time. */
  readonly maxActive: number
}

/** What a person asks for. */
export interface WantedToken {
  readonly name: string
  readonly scopes: readonly string[]
  readonly description: string | null
  /** null: for ever. */
  readonly days: number | null
}

/** A token with the text that is shown once. */
export interface NewToken {
  readonly token: PersonalToken
  readonly raw: string
}

/** What is kept of a raw token. */
export function tokenDigest(raw: string): string {
  return createHash('sha256').update(raw).digest('hex')
}

/** Whether a token still lets its owner in. */
export function isActive({ revoked, expired_at }: PersonalToken, now = Date.now()): boolean {
  return !revoked && (expired_at === null || Date.parse(expired_at) > now)
}

/**
 * Makes a token.
 * @throws SeraiError PAT_… (400)
 */
export async function createToken(
  userId: string,
  wanted: WantedToken,
  limits: PersonalTokenLimits,
  accounts: AccountStore
): Promise<NewToken> {
  const scopes = checkedScopes(wanted.scopes)
  requireLifetime(wanted.days, limits)
  const present = await accounts.personalTokensOf(userId)
  if (present.filter(token => isActive(token)).length >= limits.maxActive) {
    throw failure('PAT_TOO_MANY', { max: limits.maxActive })
  }
  await prune(present, accounts)
  return add({ ...wanted, userId, scopes }, accounts)
}

/**
 * Revokes a token and makes one like it that lives as long from now on.
 * @throws SeraiError PAT_NOT_FOUND (404), PAT_INACTIVE, PAT_TOO_LONG, PAT_INFINITE (400)
 */
export async function rotateToken(
  userId: string,
  id: string,
  limits: PersonalTokenLimits,
  accounts: AccountStore
): Promise<NewToken> {
  const present = await accounts.personalTokensOf(userId)
  const old = present.find(token => token.id === id)
  if (!old) throw failure('PAT_NOT_FOUND')
  if (!isActive(old)) throw failure('PAT_INACTIVE')
  const { name, scopes, description, created_at, expired_at } = old
  const days =
    expired_at === null ? null : Math.round((Date.parse(expired_at) - Date.parse(created_at)) / DAY)
  requireLifetime(days, limits)
  // Of several who rotate it at once one gets the new token.
  if (!(await accounts.revokePersonalToken(id))) throw failure('PAT_INACTIVE')
  await prune(present, accounts)
  return add({ userId, name, scopes, description, days }, accounts)
}

/**
 * Revokes a token; one that was revoked before is no error.
 * @throws SeraiError PAT_NOT_FOUND (404)
 */
export async function revokeToken(userId: string, id: string, accounts: AccountStore): Promise<void> {
  await ownToken(userId, id, accounts)
  await accounts.revokePersonalToken(id)
}

/**
 * A token of a person.
 * @throws SeraiError PAT_NOT_FOUND (404)
 */
export async function ownToken(userId: string, id: string, accounts: AccountStore): Promise<PersonalToken> {
  const token = (await accounts.personalTokensOf(userId)).find(own => own.id === id)
  if (!token) throw failure('PAT_NOT_FOUND')
  return token
}

function checkedScopes(names: readonly string[]): Scope[] {
  if (names.length === 0) throw failure('PAT_NO_SCOPES')
  const unknown = names.filter(name => !scopeNamed(name))
  if (unknown.length > 0) throw failure('PAT_SCOPES', { scopes: unknown.slice(0, 20).join(', ') })
  const scopes = [...new Set(names.map(name => scopeNamed(name) as Scope))]
  if (scopes.some(scope => scope.startsWith('tokens:'))) throw failure('PAT_FOR_PATS')
  return scopes
}

function requireLifetime(days: number | null, { maxLifetime }: PersonalTokenLimits): void {
  if (days !== null && days <= 0) throw failure('PAT_EXPIRED')
  const max = maxLifetime || CENTURY
  if (days === null && maxLifetime !== 0) throw failure('PAT_INFINITE', { max })
  if (days !== null && days > max) throw failure('PAT_TOO_LONG', { days, max })
}

async function add(
  {
    userId,
    name,
    scopes,
    description,
    days
  }: Omit<WantedToken, 'scopes'> & { userId: string; scopes: readonly Scope[] },
  accounts: AccountStore
): Promise<NewToken> {
  const raw = PERSONAL_TOKEN_PREFIX + randomBytes(32).toString('base64url')
  const now = Date.now()
  const token: PersonalToken = {
    id: randomBytes(12).toString('hex'),
    user_id: userId,
    name,
    scopes,
    description,
    digest: tokenDigest(raw),
    revoked: false,
    created_at: new Date(now).toISOString(),
    expired_at: days === null ? null : new Date(now + days * DAY).toISOString(),
    last_used_at: null
  }
  await accounts.addPersonalToken(token)
  return { token, raw }
}

/** Forgets tokens that have been of no use for long, and more than anybody reads. */
async function prune(tokens: readonly PersonalToken[], accounts: AccountStore): Promise<void> {
  const inactive = tokens
    .filter(token => !isActive(token))
    .sort((a, b) => (a.created_at < b.created_at ? 1 : -1))
  const before = new Date(Date.now() - INACTIVE_KEPT).toISOString()
  const old = inactive.filter(
    (token, i) => i >= INACTIVE_MAX || (token.expired_at ?? token.created_at) < before
  )
  if (old.length > 0) await accounts.removePersonalTokens(old.map(token => token.id))
}
