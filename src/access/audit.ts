/**
 * The port to the audit log: who signed in, which tokens came to be, and what was changed, one line each. Lines name
 * persons by their ids and tokens by theirs; passwords, tokens, e-mail addresses and what people type never stand there.
 * Adapter: `local/`; without one the lines are among those of the server's log (`http/plugins/audit.ts`).
 */

/** What a line is about. `write`: another request that may change something. */
export type AuditName =
  | 'sign-in'
  | 'app-token.made'
  | 'signature-token.made'
  | 'personal-token.made'
  | 'personal-token.rotated'
  | 'personal-token.revoked'
  | 'write'
  | 'account.added'
  | 'account.password'
  | 'account.disabled'
  | 'account.enabled'
  | 'account.admin'
  | 'keys.rotated'

/** What is told beside the name. */
export interface AuditDetails {
  /** Id of the person who did it; absent when nobody is known. */
  readonly user?: string
  /** Whom or what it is about: id of a person, a personal token or a key. */
  readonly about?: string
  /** Id of what it took the place of. */
  readonly replaces?: string
  /** Of a token. */
  readonly scopes?: readonly string[]
  /** Of a token: ISO 8601 in UTC, null for never. */
  readonly expires?: string | null
  /** Of a person: whether an administrator from now on. */
  readonly admin?: boolean
}

/** One line. Members that are not there are not told. */
export interface AuditEvent extends AuditDetails {
  readonly event: AuditName
  /** `refused`: the caller's fault, or not allowed; `throttled`: after too many failures; `failed`: the server's fault. */
  readonly outcome: 'done' | 'refused' | 'throttled' | 'failed'
  /** Status of the answer. */
  readonly status?: number
  readonly method?: string
  /** Of the URL, without its parameters. */
  readonly path?: string
  /** Address of the client. */
  readonly ip?: string
  /** Id that the server's log gives the request. */
  readonly request?: string
  /** Account of the operating system that ran a command. */
  readonly system_user?: string
}

/** Keeps audit lines. */
export interface AuditLog {
  /**
   * Writes a line; it is there when this returns.
   * @throws SeraiError STORE_UNUSABLE
   */
  record(event: AuditEvent): void
}
