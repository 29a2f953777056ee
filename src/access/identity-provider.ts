/** The port to who issues access tokens: the built-in accounts, or an OpenID Connect provider. */
import { decodeJwt, type JSONWebKeySet } from 'jose'
import type { User } from '../storage/documents.ts'

/** What an access token says that was found valid. */
export interface VerifiedToken {
  /** `sub`. */
  readonly userId: string
  /** Seconds since 1970; 0 when the token does not say. */
  readonly issuedAt: number
  /** Seconds since 1970. */
  readonly expires: number
  readonly person: TokenPerson
}

/** What a token says of the person that it is about (`auth.md` §5). */
export interface TokenPerson {
  readonly username?: string
  readonly email?: string
  readonly firstName?: string
  readonly lastName?: string
}

/** The claims that say who the person is; others need not be kept with every known token. */
export function personOfClaims(claims: Readonly<Record<string, unknown>>): TokenPerson {
  const text = (name: string) => {
    const value = claims[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const [username, email] = [text('preferred_username'), text('email')]
  const [firstName, lastName] = [text('given_name'), text('family_name')]
  return {
    ...(username ? { username } : {}),
    ...(email ? { email } : {}),
    ...(firstName ? { firstName } : {}),
    ...(lastName ? { lastName } : {})
  }
}

/** `sub` of a token that was just issued; undefined when it cannot be read. */
export function subjectOf(token: string): string | undefined {
  try {
    return decodeJwt(token).sub
  } catch {
    return undefined
  }
}

/** What who signs in gets (`auth.md` §3.1). */
export interface TokenAnswer {
  readonly access_token: string
  readonly token_type: 'Bearer'
  /** Seconds. */
  readonly expires_in: number | null
  readonly refresh_token: string | null
  readonly scope: string | null
  readonly id_token: string | null
  /** Seconds. */
  readonly refresh_expires_in: number | null
}

/** Who issues access tokens. */
export interface IdentityProvider {
  /**
   * Checks an access token.
   * @throws SeraiError CREDENTIALS_INVALID, TOKEN_KEY_UNKNOWN, TOKEN_NO_SUBJECT (401), PROVIDER_UNAVAILABLE (503)
   */
  verify(token: string): Promise<VerifiedToken>
  /**
   * Issues an access token; undefined when name or password are wrong.
   * @param local whether a program of this machine asks
   * @throws SeraiError PROVIDER_UNAVAILABLE (503)
   */
  signIn(username: string, password: string, local: boolean): Promise<TokenAnswer | undefined>
  /**
   * Who a token is about.
   * @throws SeraiError USER_UNKNOWN (403), DIRECTORY_FAILED (500)
   */
  person(token: VerifiedToken): Promise<User>
  /** The public keys of the tokens that this server issues itself. */
  publicKeys(): Promise<JSONWebKeySet>
}
