/**
 * The accounts store of the embedded profile: a SQLite file of its own, so that no long write to the documents keeps
 * people from signing in.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { Account, AccountStore, FailedSignIns, PersonalToken, SigningKey } from '../accounts.ts'
import { type FileFormat, openDatabase, requireReadable, transaction } from './database.ts'

/** Format of `accounts.sqlite`; each document is JSON. */
const ACCOUNTS_FORMAT: FileFormat = {
  version: 1,
  schema: `
    CREATE TABLE account (user_id TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE signing_key (
      kid TEXT PRIMARY KEY, document TEXT NOT NULL, created_at TEXT AS (document ->> '$.created_at')
    );
    CREATE TABLE personal_token (
      id TEXT PRIMARY KEY, document TEXT NOT NULL,
      user_id TEXT AS (document ->> '$.user_id'), digest TEXT AS (document ->> '$.digest')
    );
    CREATE UNIQUE INDEX personal_token_digest ON personal_token (digest);
    CREATE INDEX personal_token_user ON personal_token (user_id);
    CREATE TABLE failed_sign_in (key TEXT PRIMARY KEY, count INTEGER NOT NULL, last TEXT NOT NULL) WITHOUT ROWID;
    CREATE INDEX failed_sign_in_last ON failed_sign_in (last);`
}

/**
 * Opens the accounts store in a file; it and its folder are made when missing.
 * @throws SeraiError STORE_NEWER, STORE_UNUSABLE
 */
export function openSqliteAccounts(file: string): AccountStore {
  return new SqliteAccounts(openDatabase(file, ACCOUNTS_FORMAT))
}

class SqliteAccounts implements AccountStore {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  #sql(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  #all<T>(sql: string, ...values: SQLInputValue[]): T[] {
    return this.#sql(sql)
      .all(...values)
      .map(row => JSON.parse(row.document as string) as T)
  }

  async account(userId: string): Promise<Account | undefined> {
    return this.#all<Account>('SELECT document FROM account WHERE user_id = ?', userId)[0]
  }

  async accounts(): Promise<Account[]> {
    return this.#all('SELECT document FROM account')
  }

  async putAccount(account: Account): Promise<void> {
    this.#sql('INSERT OR REPLACE INTO account VALUES (?, ?)').run(account.user_id, JSON.stringify(account))
  }

  async signingKeys(): Promise<SigningKey[]> {
    return this.#all('SELECT document FROM signing_key ORDER BY created_at DESC, kid')
  }

  async putSigningKey(key: SigningKey): Promise<void> {
    this.#sql('INSERT OR REPLACE INTO signing_key (kid, document) VALUES (?, ?)').run(
      key.kid,
      JSON.stringify(key)
    )
  }

  async removeSigningKey(kid: string): Promise<void> {
    this.#sql('DELETE FROM signing_key WHERE kid = ?').run(kid)
  }

  async personalToken(digest: string): Promise<PersonalToken | undefined> {
    return this.#all<PersonalToken>('SELECT document FROM personal_token WHERE digest = ?', digest)[0]
  }

  async personalTokensOf(userId: string): Promise<PersonalToken[]> {
    return this.#all('SELECT document FROM personal_token WHERE user_id = ?', userId)
  }

  async everyPersonalToken(): Promise<PersonalToken[]> {
    return this.#all('SELECT document FROM personal_token')
  }

  async addPersonalToken(token: PersonalToken): Promise<void> {
    this.#sql('INSERT INTO personal_token (id, document) VALUES (?, ?)').run(token.id, JSON.stringify(token))
  }

  async revokePersonalToken(id: string): Promise<boolean> {
    const { changes } = this.#sql(
      `UPDATE personal_token SET document = json_set(document, '$.revoked', json('true'))
       WHERE id = ? AND NOT document ->> '$.revoked'`
    ).run(id)
    return changes === 1
  }

  async usePersonalToken(id: string, time: string): Promise<void> {
    this.#sql(
      `UPDATE personal_token SET document = json_set(document, '$.last_used_at', ?) WHERE id = ?`
    ).run(time, id)
  }

  async removePersonalTokens(ids: readonly string[]): Promise<void> {
    this.#sql('DELETE FROM personal_token WHERE id IN (SELECT value FROM json_each(?))').run(
      JSON.stringify(ids)
    )
  }

  async failedSignIns(key: string): Promise<FailedSignIns | undefined> {
    const row = this.#sql('SELECT count, last FROM failed_sign_in WHERE key = ?').get(key)
    return row && { count: row.count as number, last: row.last as string }
  }

  async countFailedSignIn(key: string, time: string, since: string): Promise<FailedSignIns | undefined> {
    return transaction(this.#database, () => {
      this.#sql('DELETE FROM failed_sign_in WHERE last < ?').run(since)
      const row = this.#sql('SELECT count, last FROM failed_sign_in WHERE key = ?').get(key)
      this.#sql(
        `INSERT INTO failed_sign_in VALUES (?, 1, ?)
         ON CONFLICT (key) DO UPDATE SET count = count + 1, last = excluded.last`
      ).run(key, time)
      return row && { count: row.count as number, last: row.last as string }
    })
  }

  async forgetFailedSignIns(key: string): Promise<void> {
    this.#sql('DELETE FROM failed_sign_in WHERE key = ?').run(key)
  }

  async ping(): Promise<void> {
    requireReadable(this.#database)
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close()
  }
}
