/** The accounts store of the cluster profile: collections of their own in the database of the documents. */
import type { Collection } from 'mongodb'
import type { Account, AccountStore, FailedSignIns, PersonalToken, SigningKey } from '../accounts.ts'
import {
  isDuplicateKey,
  MongoDatabase,
  type MongoOptions,
  type Stored,
  type StoreFormat
} from './mongo-database.ts'

/** Form of the collections of accounts. */
const ACCOUNTS_FORMAT: StoreFormat = {
  store: 'accounts',
  version: 1,
  indexes: {
    personal_token: [{ digest: 1 }, { user_id: 1 }],
    failed_sign_in: [{ last: 1 }]
  }
}

/**
 * Opens the accounts store; its collections are made when missing.
 * @throws SeraiError STORE_UNAVAILABLE, STORE_NEWER
 */
export async function openMongoAccounts(options: MongoOptions): Promise<AccountStore> {
  return new MongoAccounts(await MongoDatabase.open(options, ACCOUNTS_FORMAT))
}

class MongoAccounts implements AccountStore {
  readonly #database: MongoDatabase

  constructor(database: MongoDatabase) {
    this.#database = database
  }

  #run<T>(collection: string, operation: (collection: Collection<Stored>) => Promise<T>): Promise<T> {
    return this.#database.run(() => operation(this.#database.collection(collection)))
  }

  async #put(collection: string, id: string, document: object): Promise<void> {
    await this.#run(collection, c => c.replaceOne({ _id: id }, document, { upsert: true }))
  }

  async account(userId: string): Promise<Account | undefined> {
    const found = await this.#run('account', c => c.findOne({ _id: userId }))
    return found ? plain(found) : undefined
  }

  async accounts(): Promise<Account[]> {
    return (await this.#run('account', c => c.find().toArray())).map(plain<Account>)
  }

  putAccount(account: Account): Promise<void> {
    return this.#put('account', account.user_id, account)
  }

  async signingKeys(): Promise<SigningKey[]> {
    const found = await this.#run('signing_key', c => c.find().sort({ created_at: -1, _id: 1 }).toArray())
    return found.map(plain<SigningKey>)
  }

  putSigningKey(key: SigningKey): Promise<void> {
    return this.#put('signing_key', key.kid, key)
  }

  async removeSigningKey(kid: string): Promise<void> {
    await this.#run('signing_key', c => c.deleteOne({ _id: kid }))
  }

  async personalToken(digest: string): Promise<PersonalToken | undefined> {
    const found = await this.#run('personal_token', c => c.findOne({ digest: { $eq: digest } }))
    return found ? plain(found) : undefined
  }

  async personalTokensOf(userId: string): Promise<PersonalToken[]> {
    const found = await this.#run('personal_token', c => c.find({ user_id: { $eq: userId } }).toArray())
    return found.map(plain<PersonalToken>)
  }

  async everyPersonalToken(): Promise<PersonalToken[]> {
    return (await this.#run('personal_token', c => c.find().toArray())).map(plain<PersonalToken>)
  }

  async addPersonalToken(token: PersonalToken): Promise<void> {
    await this.#run('personal_token', c => c.insertOne({ ...token, _id: token.id }))
  }

  async revokePersonalToken(id: string): Promise<boolean> {
    const { modifiedCount } = await this.#run('personal_token', c =>
      c.updateOne({ _id: id, revoked: false }, { $set: { revoked: true } })
    )
    return modifiedCount === 1
  }

  async usePersonalToken(id: string, time: string): Promise<void> {
    await this.#run('personal_token', c => c.updateOne({ _id: id }, { $set: { last_used_at: time } }))
  }

  async removePersonalTokens(ids: readonly string[]): Promise<void> {
    await this.#run('personal_token', c => c.deleteMany({ _id: { $in: [...ids] } }))
  }

  async failedSignIns(key: string): Promise<FailedSignIns | undefined> {
    const found = await this.#run('failed_sign_in', c => c.findOne({ _id: key }))
    return found ? { count: found.count, last: found.last } : undefined
  }

  async countFailedSignIn(key: string, time: string, since: string): Promise<FailedSignIns | undefined> {
    const count = () =>
      this.#run('failed_sign_in', async c => {
        await c.deleteMany({ last: { $lt: since } })
        return c.findOneAndUpdate(
          { _id: key },
          { $inc: { count: 1 }, $set: { last: time } },
          { upsert: true, returnDocument: 'before' }
        )
      })
    const before = await count().catch((error: unknown) => {
      // Another process added the same key in between; now it is there to be counted up.
      if (isDuplicateKey(error)) return count()
      throw error
    })
    return before ? { count: before.count, last: before.last } : undefined
  }

  async forgetFailedSignIns(key: string): Promise<void> {
    await this.#run('failed_sign_in', c => c.deleteOne({ _id: key }))
  }

  ping(limit: number): Promise<void> {
    return this.#database.ping(limit)
  }

  close(): Promise<void> {
    return this.#database.close()
  }
}

/** A document as it was put: without what only MongoDB needs. */
function plain<T>({ _id, ...document }: Stored): T {
  return document as T
}
