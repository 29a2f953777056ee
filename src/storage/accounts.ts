/**
 * The port to the accounts store: what lets people in. Passwords, signing keys, personal access tokens and failed
 * sign-ins; who the people are is in the documents store. Adapters: `sqlite/`, `mongodb/`. Secrets that need not be
 * read again are kept as digests only. Times are ISO 8601 text in UTC with `Z` and millisecond precision.
 */
import type { Scope } from '../access/scopes.ts'

/** How a person may sign in. Who has none has no password, and is not locked out either. */
export interface Account {
  readonly user_id: string
  /** Hash of the password (`access/passwords.ts`); none until one is set. */
  readonly password?: string
  /** Neither passwords nor tokens of the person are accepted. */
  readonly disabled?: boolean
  /** The password is the well-known one of the example data. */
  readonly demo?: boolean
  /** Access tokens issued before are not accepted any more. */
  readonly signed_out_at?: string
}

/** A key pair that access tokens are signed with. */
export interface SigningKey {
  /** `kid` of the tokens. */
  readonly kid: string
  /** JWK with its private part, as JSON. */
  readonly private_key: string
  readonly created_at: string
  /** Set when another key took its place: when the last token that it signed has expired. */
  readonly verify_until?: string
}

/** A personal access token (`auth.md` §3.5). */
export interface PersonalToken {
  /** 24 hexadecimal digits. */
  readonly id: string
  readonly user_id: string
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly description: string | null
  /** SHA-256 of the raw token, hexadecimal. */
  readonly digest: string
  readonly revoked: boolean
  readonly created_at: string
  /** null: never expires. */
  readonly expired_at: string | null
  readonly last_used_at: string | null
}

/** Failed sign-ins in a row, for an account or an address. */
export interface FailedSignIns {
  readonly count: number
  /** When the last one was. */
  readonly last: string
}

/** The accounts store. Every method sees what other processes have written before. */
export interface AccountStore {
  account(userId: string): Promise<Account | undefined>
  /** All of them, in no fixed order. */
  accounts(): Promise<Account[]>
  /** Adds or replaces. */
  putAccount(account: Account): Promise<void>

  /** All of them, the newest first. */
  signingKeys(): Promise<SigningKey[]>
  /** Adds or replaces. */
  putSigningKey(key: SigningKey): Promise<void>
  /** An unknown one is no error. */
  removeSigningKey(kid: string): Promise<void>

  /** By the digest of the raw token. */
  personalToken(digest: string): Promise<PersonalToken | undefined>
  /** All of a person, in no fixed order. */
  personalTokensOf(userId: string): Promise<PersonalToken[]>
  /** All of everybody, in no fixed order. */
  everyPersonalToken(): Promise<PersonalToken[]>
  addPersonalToken(token: PersonalToken): Promise<void>
  /** Whether this call revoked it: false when it is unknown or was revoked before. */
  revokePersonalToken(id: string): Promise<boolean>
  /** Remembers that it was used. */
  usePersonalToken(id: string, time: string): Promise<void>
  /** Unknown ones are no error. */
  removePersonalTokens(ids: readonly string[]): Promise<void>

  /** @param key what is counted for, for example an account or an address */
  failedSignIns(key: string): Promise<FailedSignIns | undefined>
  /**
   * Counts one more, also when several processes count at once; failures whose last is older than `since` are forgotten
   * before.
   * @returns what was counted before, undefined for the first
   */
  countFailedSignIn(key: string, time: string, since: string): Promise<FailedSignIns | undefined>
  forgetFailedSignIns(key: string): Promise<void>

  /**
   * Asks for a sign of life.
   * @param limit milliseconds
   * @throws Error when the store does not answer within them, or cannot be used
   */
  ping(limit: number): Promise<void>
  close(): Promise<void>
}
