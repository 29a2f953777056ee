/**
 * Who sent a request and what they may use the server for, by the token that came with it (`auth.md` §4).
 *
 * Two things are remembered, both by number and time: that a token was found valid, never longer than it is, and who its
 * owner is, for {@link PERSON_FRESH}. So a disabled account, a revoked token or a new group is known here at the latest
 * after that time, and at once when it was changed by a request to this process ({@link Authenticator.forget}).
 */
import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { failure } from '../errors.ts'
import type { Account, AccountStore } from '../storage/accounts.ts'
import type { DocumentStore, User } from '../storage/documents.ts'
import { isAppToken, verifyAppToken } from './app-token.ts'
import { ANONYMOUS, type Caller, EVERYBODY } from './caller.ts'
import type { IdentityProvider, VerifiedToken } from './identity-provider.ts'
import { isActive, PERSONAL_TOKEN_PREFIX, tokenDigest } from './personal-tokens.ts'
import { ALL_SCOPES, APP_TOKEN_SCOPES, commonScopes, type Scopes, UPLOAD_TOKEN_SCOPES } from './scopes.ts'
import { verifyUploadToken } from './upload-token.ts'

/** A token, by the way that it came; the first that is there counts. */
export interface Credentials {
  /** Of `Authorization: Bearer …`; any kind but upload tokens. */
  readonly bearer?: string
  /** Of the URL parameter `signature_token`; an app or signature token. */
  readonly signatureToken?: string
  /** Of the header `Upload-Token` or the URL parameter `token`. */
  readonly uploadToken?: string
  /** Of the cookie `Authorization`; an access token. */
  readonly cookie?: string
}

/** Somebody, and what they may use the server for. */
export interface Identity {
  readonly caller: Caller
  readonly scopes: Scopes
}

/** What {@link Authenticator} works with. */
export interface AuthenticatorOptions {
  readonly documents: Pick<DocumentStore, 'user' | 'groupIdsOf'>
  readonly accounts: AccountStore
  readonly identity: IdentityProvider
  /** Secret of app and upload tokens. */
  readonly apiSecret: string
  readonly anonymousScopes: Scopes
  /** User names and e-mail addresses, in lower case, of those who may use the server; absent: everybody. */
  readonly authorizedUsers?: ReadonlySet<string>
  /** What others may use the server for; absent: nothing, they are refused. */
  readonly unauthorizedScopes?: Scopes
}

/** Milliseconds for which a person, and a personal access token, is taken as it was read. */
const PERSON_FRESH = 3000

/** Milliseconds between two notes that a personal access token was used. */
const USE_NOTED = 60_000

/** Tokens and persons that are remembered; some hundred bytes each. */
const REMEMBERED = 10_000

/** A token that was found valid. */
interface KnownToken {
  readonly userId: string
  readonly scopes: Scopes
  /** Of access tokens only. */
  readonly access?: VerifiedToken
}

/** A person as the stores know them. */
interface KnownPerson {
  readonly user: User | undefined
  readonly groupIds: readonly string[]
  readonly account: Account | undefined
}

/** Finds out who sends requests. */
export class Authenticator {
  readonly #options: AuthenticatorOptions
  readonly #anonymous: Identity
  readonly #tokens = new LRUCache<string, KnownToken>({ max: REMEMBERED })
  readonly #personalTokens = new LRUCache<string, KnownToken | 'dead'>({ max: REMEMBERED, ttl: PERSON_FRESH })
  readonly #persons = new LRUCache<string, KnownPerson>({ max: REMEMBERED, ttl: PERSON_FRESH })
  readonly #noted = new LRUCache<string, true>({ max: REMEMBERED, ttl: USE_NOTED })
  /** Counts the calls of {@link forget}: what was read before one is not remembered after it. */
  #changes = 0

  constructor(options: AuthenticatorOptions) {
    this.#options = options
    this.#anonymous = { caller: ANONYMOUS, scopes: options.anonymousScopes }
  }

  /**
   * Who sent these credentials. A personal access token that is not valid counts as none.
   * @throws SeraiError 401 for a wrong token, 403 for somebody who may not use the server at all, 503 when the
   *   identity provider is needed and does not answer
   */
  async identify({ bearer, signatureToken, uploadToken, cookie }: Credentials): Promise<Identity> {
    if (bearer !== undefined) {
      if (bearer.startsWith(PERSONAL_TOKEN_PREFIX)) return this.#byPersonalToken(bearer)
      return this.#known(await this.#token(bearer, isAppToken(bearer) ? 'app' : 'access'))
    }
    if (uploadToken !== undefined) {
      const userId = verifyUploadToken(uploadToken, this.#options.apiSecret)
      return this.#known({ userId, scopes: UPLOAD_TOKEN_SCOPES }, 'UPLOAD_TOKEN_INVALID')
    }
    if (signatureToken !== undefined) return this.#known(await this.#token(signatureToken, 'app'))
    if (cookie !== undefined) return this.#known(await this.#token(cookie, 'access'))
    return this.#anonymous
  }

  /** Forgets who persons are and which personal tokens are valid, because this process may have changed it. */
  forget(): void {
    this.#changes++
    this.#persons.clear()
    this.#personalTokens.clear()
  }

  async #token(token: string, kind: 'app' | 'access'): Promise<KnownToken> {
    // The kind is part of the key: an app token does not come in by the cookie because it did by the header.
    const key = kind + hash('sha256', token, 'base64')
    const remembered = this.#tokens.get(key)
    if (remembered) return remembered
    let known: KnownToken
    let expires: number
    if (kind === 'app') {
      const app = await verifyAppToken(token, this.#options.apiSecret)
      known = { userId: app.userId, scopes: APP_TOKEN_SCOPES }
      expires = app.expires
    } else {
      const access = await this.#options.identity.verify(token)
      known = { userId: access.userId, scopes: ALL_SCOPES, access }
      expires = access.expires
    }
    const ttl = expires * 1000 - Date.now()
    if (ttl > 0) this.#tokens.set(key, known, { ttl })
    return known
  }

  async #byPersonalToken(raw: string): Promise<Identity> {
    const digest = tokenDigest(raw)
    let known = this.#personalTokens.get(digest)
    if (known === undefined) {
      const changes = this.#changes
      const token = await this.#options.accounts.personalToken(digest)
      known = token && isActive(token) ? { userId: token.user_id, scopes: new Set(token.scopes) } : 'dead'
      const left = token?.expired_at ? Date.parse(token.expired_at) - Date.now() : Number.POSITIVE_INFINITY
      const ttl = known === 'dead' ? PERSON_FRESH : Math.max(1, Math.min(PERSON_FRESH, left))
      if (changes === this.#changes) this.#personalTokens.set(digest, known, { ttl })
      if (token && known !== 'dead') this.#noteUse(token.id)
    }
    if (known === 'dead') return this.#anonymous
    const { user, account } = await this.#person(known.userId)
    if (!user || account?.disabled) return this.#anonymous
    return this.#known(known)
  }

  /** Remembers in the store that a token is used, now and then; that need not be waited for. */
  #noteUse(id: string): void {
    if (this.#noted.has(id)) return
    this.#noted.set(id, true)
    this.#options.accounts.usePersonalToken(id, new Date().toISOString()).catch(() => this.#noted.delete(id))
  }

  /** @param unknown what is told when there is no such person */
  async #known(
    { userId, scopes, access }: KnownToken,
    unknown: 'TOKEN_PAYLOAD' | 'UPLOAD_TOKEN_INVALID' = 'TOKEN_PAYLOAD'
  ): Promise<Identity> {
    const { user, groupIds, account } = await this.#person(userId, access)
    if (!user) throw failure(unknown)
    if (account?.disabled) throw failure('ACCOUNT_DISABLED')
    const since = account?.signed_out_at
    // Tokens tell whole seconds.
    if (access && since !== undefined && access.issuedAt < Math.floor(Date.parse(since) / 1000)) {
      throw failure('SIGNED_OUT')
    }
    const caller = { user, groupIds, isAdmin: user.is_admin === true }
    const { authorizedUsers: allowed, unauthorizedScopes } = this.#options
    const names = [user.username, user.email].map(name => name?.toLowerCase())
    if (!allowed || names.some(name => name !== undefined && allowed.has(name))) return { caller, scopes }
    if (!unauthorizedScopes) throw failure('USER_NOT_AUTHORIZED')
    return { caller, scopes: commonScopes(scopes, unauthorizedScopes) }
  }

  async #person(userId: string, access?: VerifiedToken): Promise<KnownPerson> {
    const remembered = this.#persons.get(userId)
    if (remembered) return remembered
    const changes = this.#changes
    const { documents, accounts, identity } = this.#options
    const [user, groupIds, account] = await Promise.all([
      access ? identity.person(access) : documents.user(userId),
      documents.groupIdsOf(userId),
      accounts.account(userId)
    ])
    const person = { user, groupIds: [...groupIds, EVERYBODY], account }
    if (user && changes === this.#changes) this.#persons.set(userId, person)
    return person
  }
}
