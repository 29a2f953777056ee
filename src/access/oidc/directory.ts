/**
 * Who the persons of an OpenID Connect provider are: by what their tokens say, or by asking a directory (`auth.md` §5).
 * Either way they are kept among the persons of the documents store, where everything else looks for them.
 */
import { LRUCache } from 'lru-cache'
import { failure, SeraiError } from '../../errors.ts'
import type { DocumentStore, User } from '../../storage/documents.ts'
import type { VerifiedToken } from '../identity-provider.ts'

/** Finds out who somebody is. */
export interface UserDirectory {
  /** @throws SeraiError USER_UNKNOWN (403), DIRECTORY_FAILED (500) */
  person(token: VerifiedToken): Promise<User>
}

/** What a directory knows of a person. */
export type KnownPerson = Omit<User, 'user_id' | 'is_admin'>

/** The persons of the documents store. */
export type Persons = Pick<DocumentStore, 'user' | 'putUsers'>

/** Milliseconds for which a directory is not asked again about a person. */
const KNOWN_FOR = 86_400_000

/** Persons that are remembered. */
const KNOWN_MAX = 10_000

/** Persons by what their tokens say. */
export class TokenDirectory implements UserDirectory {
  readonly #persons: Persons

  constructor(persons: Persons) {
    this.#persons = persons
  }

  async person({ userId, person }: VerifiedToken): Promise<User> {
    const before = await this.#persons.user(userId)
    return keep(this.#persons, userId, before, {
      username: person.username ?? before?.username ?? userId,
      first_name: person.firstName ?? before?.first_name ?? '',
      last_name: person.lastName ?? before?.last_name ?? '',
      ...(person.email !== undefined ? { email: person.email } : {})
    })
  }
}

/** Persons by what a directory says, asked once a day for each. */
export class AskedDirectory implements UserDirectory {
  readonly #persons: Persons
  readonly #ask: (userId: string) => Promise<KnownPerson | undefined>
  readonly #asked = new LRUCache<string, Promise<User>>({ max: KNOWN_MAX, ttl: KNOWN_FOR })

  /** @param ask what the directory knows; undefined when it knows nobody of this id. Throws when it does not answer */
  constructor(persons: Persons, ask: (userId: string) => Promise<KnownPerson | undefined>) {
    this.#persons = persons
    this.#ask = ask
  }

  async person({ userId }: VerifiedToken): Promise<User> {
    const asked = this.#asked.get(userId)
    if (asked) {
      const user = await asked
      // What the store says now wins over what it said then: somebody may have become administrator.
      return (await this.#persons.user(userId)) ?? user
    }
    const asking = this.#askFor(userId)
    this.#asked.set(userId, asking)
    asking.catch(() => this.#asked.delete(userId))
    try {
      return await asking
    } catch (error) {
      const known = error instanceof SeraiError ? undefined : await this.#persons.user(userId)
      if (known) return known
      if (error instanceof SeraiError) throw error
      const told = failure('DIRECTORY_FAILED')
      told.cause = error
      throw told
    }
  }

  async #askFor(userId: string): Promise<User> {
    const found = await this.#ask(userId)
    if (!found) throw failure('USER_UNKNOWN')
    return keep(this.#persons, userId, await this.#persons.user(userId), found)
  }
}

/** Keeps what is known of a person; what only this server knows stays. */
async function keep(
  persons: Persons,
  userId: string,
  before: User | undefined,
  known: KnownPerson
): Promise<User> {
  const user: User = { ...before, ...known, user_id: userId }
  const changed = (Object.keys(user) as (keyof User)[]).some(key => user[key] !== before?.[key])
  if (changed) await persons.putUsers([user])
  return user
}
