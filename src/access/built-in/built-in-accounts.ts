/**
 * Access tokens of the built-in accounts: issued for a password, signed with a key pair that is kept in the store
 * (`auth.md` §2, with the claims of §5).
 */
import { randomUUID } from 'node:crypto'
import { decodeProtectedHeader, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose'
import { failure, SeraiError } from '../../errors.ts'
import type { Account, AccountStore } from '../../storage/accounts.ts'
import type { DocumentStore, User } from '../../storage/documents.ts'
import {
  type IdentityProvider,
  personOfClaims,
  type TokenAnswer,
  type VerifiedToken
} from '../identity-provider.ts'
import { isPassword } from '../passwords.ts'
import { ALGORITHM, type SigningKeys } from './signing-keys.ts'

/** What {@link BuiltInAccounts} works with. */
export interface BuiltInOptions {
  readonly documents: Pick<DocumentStore, 'user' | 'usersByName' | 'usersByEmail'>
  readonly accounts: AccountStore
  readonly keys: SigningKeys
  /** `iss` of the tokens. */
  readonly issuer: string
  /** Seconds that a token is valid. */
  readonly life: number
  /** Whether the well-known password of the example data lets people in: `local` for programs of this machine. */
  readonly demoUsers: boolean | 'local'
}

/** The accounts of this installation as a provider of identities. */
export class BuiltInAccounts implements IdentityProvider {
  readonly #options: BuiltInOptions

  constructor(options: BuiltInOptions) {
    this.#options = options
  }

  async verify(token: string): Promise<VerifiedToken> {
    const { keys, issuer } = this.#options
    try {
      const { kid } = decodeProtectedHeader(token)
      const key = kid === undefined ? undefined : await keys.verifier(kid)
      if (!key) throw failure('CREDENTIALS_INVALID')
      const { payload } = await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        issuer,
        requiredClaims: ['sub', 'exp', 'iat']
      })
      return {
        userId: payload.sub as string,
        issuedAt: payload.iat as number,
        expires: payload.exp as number,
        person: personOfClaims(payload)
      }
    } catch (error) {
      // A store that cannot be reached is not the token's fault.
      if (error instanceof SeraiError) throw error
      throw failure('CREDENTIALS_INVALID')
    }
  }

  async signIn(username: string, password: string, local: boolean): Promise<TokenAnswer | undefined> {
    const { demoUsers } = this.#options
    const found = await this.#withPassword(username, demoUsers === true || (demoUsers === 'local' && local))
    if (!(await isPassword(password, found?.account.password)) || !found) return undefined
    const { life } = this.#options
    return {
      access_token: await this.#sign(found.user),
      token_type: 'Bearer',
      expires_in: life,
      refresh_token: null,
      scope: 'email profile',
      id_token: null,
      refresh_expires_in: null
    }
  }

  async person({ userId }: VerifiedToken): Promise<User> {
    const user = await this.#options.documents.user(userId)
    if (!user) throw failure('USER_UNKNOWN')
    return user
  }

  publicKeys(): Promise<JSONWebKeySet> {
    return this.#options.keys.publicKeys()
  }

  /**
   * The one person of a user name or an e-mail address who may sign in with a password.
   * @param demo whether the well-known password of the example data is one
   */
  async #withPassword(name: string, demo: boolean): Promise<{ user: User; account: Account } | undefined> {
    const { documents, accounts } = this.#options
    for (const users of [await documents.usersByName([name]), await documents.usersByEmail([name])]) {
      const able = []
      for (const user of users) {
        const account = await accounts.account(user.user_id)
        if (account?.password && !account.disabled && (demo || !account.demo)) able.push({ user, account })
      }
      // Imported persons may share a name; nobody gets in as another one.
      if (able.length > 0) return able.length === 1 ? able[0] : undefined
    }
    return undefined
  }

  async #sign(user: User): Promise<string> {
    const { keys, issuer, life } = this.#options
    const { kid, key } = await keys.signer()
    const now = Math.floor(Date.now() / 1000)
    return new SignJWT({
      preferred_username: user.username,
      name: `${user.first_name} ${user.last_name}`.trim(),
      given_name: user.first_name,
      family_name: user.last_name,
      ...(user.email ? { email: user.email } : {}),
      scope: 'email profile'
    })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid })
      .setIssuer(issuer)
      .setSubject(user.user_id)
      .setJti(randomUUID())
      .setIssuedAt(now)
      .setExpirationTime(now + life)
      .sign(key)
  }
}
