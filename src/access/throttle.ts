/**
 * How often somebody may fail to sign in: per account, so that one password is not tried from everywhere, and per
 * address, so that one machine does not try them all. The counts are in the accounts store: all processes share them and
 * a restart does not forget them.
 */
import { createHash } from 'node:crypto'
import { failure } from '../errors.ts'
import type { AccountStore, FailedSignIns } from '../storage/accounts.ts'
import { networkOf } from './network.ts'

/** Failures that cost nothing; many people may share an address. */
const FREE = { account: 5, address: 20 } as const

/** Seconds to wait after the first failure that costs something; doubles with every further one. */
const FIRST_WAIT = 2

/** Longest wait in seconds: who locks somebody out by failing in their name does so for no longer. */
const LONGEST_WAIT = 300

/** Milliseconds after which failures are forgotten. */
const MEMORY = 15 * 60_000

/** What is counted for, and how many failures are free. */
interface Counted {
  readonly key: string
  readonly free: number
}

/** Counts failed sign-ins. */
export class SignInThrottle {
  readonly #accounts: AccountStore
  /** Ends of the attempts under way, by key. */
  readonly #turns = new Map<string, Promise<unknown>>()

  constructor(accounts: AccountStore) {
    this.#accounts = accounts
  }

  /**
   * Makes an attempt unless it must wait. Attempts for one account, and those from one address, are made one after the
   * other: many at once do not get around the count, and many that are right do not hinder each other.
   * @param username as it was given, known or not
   * @param address IP address of the client
   * @param attempt gives undefined when it failed; one that throws is nobody's failure
   * @throws SeraiError SIGN_IN_THROTTLED (429) with `Retry-After`
   */
  attempt<T>(
    username: string,
    address: string,
    attempt: () => Promise<T | undefined>
  ): Promise<T | undefined> {
    // Somebody may have typed the password where the name belongs: only its digest is kept.
    const name = createHash('sha256').update(username.trim().toLowerCase()).digest('base64url')
    const account: Counted = { key: `account ${name}`, free: FREE.account }
    const machine: Counted = { key: `address ${networkOf(address)}`, free: FREE.address }
    return this.#inTurn(account.key, () =>
      this.#inTurn(machine.key, async () => {
        for (const { key, free } of [account, machine]) refuse(await this.#accounts.failedSignIns(key), free)
        const result = await attempt()
        if (result === undefined) {
          const time = new Date().toISOString()
          const since = new Date(Date.now() - MEMORY).toISOString()
          for (const { key } of [account, machine]) await this.#accounts.countFailedSignIn(key, time, since)
        } else await this.#accounts.forgetFailedSignIns(account.key)
        return result
      })
    )
  }

  /** Does some work after all that came before it with this key. */
  async #inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(key)
    const mine = (async () => {
      await before?.catch(() => {})
      return work()
    })()
    this.#turns.set(key, mine)
    try {
      return await mine
    } finally {
      if (this.#turns.get(key) === mine) this.#turns.delete(key)
    }
  }
}

/** @throws SeraiError SIGN_IN_THROTTLED when the time after the last failure is not over */
function refuse(failed: FailedSignIns | undefined, free: number): void {
  if (!failed || failed.count < free) return
  const last = Date.parse(failed.last)
  if (Date.now() - last > MEMORY) return
  const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(failed.count - free, 20))
  const left = Math.ceil((last - Date.now()) / 1000 + wait)
  if (left <= 0) return
  throw failure('SIGN_IN_THROTTLED', { seconds: left }, { 'retry-after': String(left) })
}
