/**
 * An OpenID Connect provider, for example Keycloak, that issues the access tokens (`auth.md` §5). It is asked when it is
 * needed and not before: Serai starts without it, and tokens with known keys are verified while it is away.
 */
import {
  createRemoteJWKSet,
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  jwtVerify,
  type RemoteJWKSet
} from 'jose'
import { failure } from '../../errors.ts'
import type { User } from '../../storage/documents.ts'
import {
  type IdentityProvider,
  personOfClaims,
  type TokenAnswer,
  type VerifiedToken
} from '../identity-provider.ts'
import type { UserDirectory } from './directory.ts'
import { fetchJson, withoutSlash } from './fetch-json.ts'

/** What {@link OidcProvider} works with. */
export interface OidcOptions {
  /** Where this server reaches the provider. */
  readonly issuer: string
  /** A further `iss` of its tokens: the address by which people know it. */
  readonly publicIssuer?: string
  readonly clientId: string
  /** For a confidential client. */
  readonly clientSecret?: string
  /** `aud` that tokens must have; not looked at without. */
  readonly audience?: string
  readonly directory: UserDirectory
}

/** What is used of a provider's description. */
interface Discovered {
  readonly issuers: string[]
  readonly tokenEndpoint: string
  readonly keys: RemoteJWKSet
}

/** Seconds by which the clocks of the two servers may differ. */
const CLOCK_SKEW = 30

/** Milliseconds between two fetches of the keys because of a key that is not known. */
const COOLDOWN = 30_000

/** Milliseconds after which the keys are fetched anew in the background, so that withdrawn ones are no longer accepted. */
const KEYS_AGE = 10 * 60_000

/** Milliseconds after a failed discovery in which it is not tried again. */
const PAUSE = 2000

/** Values of `typ` of tokens that are not for APIs. */
const OTHER_TYPES = new Set(['ID', 'Refresh', 'Offline', 'Logout'])

/** The provider. */
export class OidcProvider implements IdentityProvider {
  readonly #options: OidcOptions
  #discovery: Promise<Discovered> | undefined
  #keysAt = 0

  constructor(options: OidcOptions) {
    this.#options = options
  }

  async verify(token: string): Promise<VerifiedToken> {
    requireKeyId(token)
    const { issuers, keys } = await this.#discovered()
    const payload = await this.#checked(token, issuers, keys)
    this.#refresh(keys)
    const { sub, iat = 0, exp = 0 } = payload
    if (iat > Date.now() / 1000 + CLOCK_SKEW) throw failure('CREDENTIALS_INVALID')
    if (OTHER_TYPES.has(String(payload.typ))) throw failure('CREDENTIALS_INVALID')
    if (typeof sub !== 'string' || sub === '') throw failure('TOKEN_NO_SUBJECT')
    return { userId: sub, issuedAt: iat, expires: exp, person: personOfClaims(payload) }
  }

  async #checked(token: string, issuer: string[], keys: RemoteJWKSet): Promise<JWTPayload> {
    const { audience } = this.#options
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ['RS256'],
        issuer,
        clockTolerance: CLOCK_SKEW,
        requiredClaims: ['exp'],
        ...(audience !== undefined ? { audience } : {})
      })
      return payload
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
        throw failure('TOKEN_KEY_UNKNOWN')
      }
      // What is wrong with the token has classes of its own; all else is the way to the keys.
      const wrong =
        error instanceof errors.JWTClaimValidationFailed ||
        error instanceof errors.JWTExpired ||
        error instanceof errors.JWTInvalid ||
        error instanceof errors.JWSInvalid ||
        error instanceof errors.JWSSignatureVerificationFailed ||
        error instanceof errors.JOSEAlgNotAllowed ||
        error instanceof errors.JOSENotSupported
      throw unavailableUnless(wrong, error)
    }
  }

  async signIn(username: string, password: string): Promise<TokenAnswer | undefined> {
    const { clientId, clientSecret } = this.#options
    const { tokenEndpoint } = await this.#discovered()
    const { status, body } = await fetchJson(tokenEndpoint, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'password',
        client_id: clientId,
        ...(clientSecret !== undefined ? { client_secret: clientSecret } : {}),
        username,
        password
      })
    }).catch((error: unknown) => {
      throw unavailableUnless(false, error)
    })
    const answer = body as Partial<Record<string, string | number>> | undefined
    if (status >= 500) throw unavailableUnless(false, new Error(`${tokenEndpoint} answers ${status}`))
    if (typeof answer?.access_token !== 'string') {
      if (answer?.error === 'invalid_grant') return undefined
      throw failure('PROVIDER_REFUSED', { reason: String(answer?.error ?? `status ${status}`).slice(0, 100) })
    }
    const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : null)
    const seconds = (value: unknown) => (typeof value === 'number' ? value : null)
    return {
      access_token: answer.access_token,
      token_type: 'Bearer',
      expires_in: seconds(answer.expires_in),
      refresh_token: text(answer.refresh_token),
      scope: text(answer.scope),
      id_token: text(answer.id_token),
      refresh_expires_in: seconds(answer.refresh_expires_in)
    }
  }

  person(token: VerifiedToken): Promise<User> {
    return this.#options.directory.person(token)
  }

  async publicKeys(): Promise<JSONWebKeySet> {
    // This server signs none; the provider publishes its own.
    return { keys: [] }
  }

  /** The provider's description, read once; who asks while it is read waits for that. */
  #discovered(): Promise<Discovered> {
    this.#discovery ??= this.#discover().catch((error: unknown) => {
      setTimeout(() => {
        this.#discovery = undefined
      }, PAUSE).unref()
      throw error
    })
    return this.#discovery
  }

  async #discover(): Promise<Discovered> {
    const { issuer, publicIssuer } = this.#options
    const address = `${withoutSlash(issuer)}/.well-known/openid-configuration`
    const { body } = await fetchJson(address).catch((error: unknown) => {
      throw unavailableUnless(false, error)
    })
    const found = body as Partial<Record<string, unknown>> | undefined
    const [told, jwks, token] = [found?.issuer, found?.jwks_uri, found?.token_endpoint]
    if (typeof told !== 'string' || typeof jwks !== 'string' || typeof token !== 'string') {
      throw unavailableUnless(false, new Error(`${address} does not describe an OpenID Connect provider`))
    }
    this.#keysAt = Date.now()
    return {
      issuers: [told, ...(publicIssuer === undefined ? [] : [publicIssuer])],
      tokenEndpoint: token,
      keys: createRemoteJWKSet(new URL(jwks), {
        cacheMaxAge: Number.POSITIVE_INFINITY,
        cooldownDuration: COOLDOWN
      })
    }
  }

  #refresh(keys: RemoteJWKSet): void {
    if (Date.now() - this.#keysAt < KEYS_AGE) return
    this.#keysAt = Date.now()
    // The keys at hand go on when the provider is away.
    keys.reload().catch(() => {})
  }
}

/** @throws SeraiError CREDENTIALS_INVALID for what is no token, or one that does not name its key */
function requireKeyId(token: string): void {
  let kid: unknown
  try {
    kid = decodeProtectedHeader(token).kid
  } catch {
    kid = undefined
  }
  if (typeof kid !== 'string') throw failure('CREDENTIALS_INVALID')
}

function unavailableUnless(wrong: boolean, cause: unknown): Error {
  const told = failure(wrong ? 'CREDENTIALS_INVALID' : 'PROVIDER_UNAVAILABLE')
  told.cause = cause
  return told
}
