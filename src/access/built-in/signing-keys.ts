/**
 * The keys of the built-in access tokens. The newest one in the store signs; a key that was replaced verifies until the
 * last token that it signed has expired. The first one is made when it is needed.
 */
import { randomUUID } from 'node:crypto'
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JSONWebKeySet, type JWK } from 'jose'
import type { AccountStore, SigningKey } from '../../storage/accounts.ts'

/** What every OpenID Connect client can verify. */
export const ALGORITHM = 'RS256'

/** Milliseconds for which keys are taken as they were read: so late another process's rotation is known. */
const FRESH = 5000

/** Milliseconds in which the keys are not read again because of a key that is not known. */
const PAUSE = 200

/** Milliseconds beyond the life of a token for which a replaced key still verifies; more than {@link FRESH}. */
const MARGIN = 60_000

interface LoadedKey {
  readonly stored: SigningKey
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  readonly publicJwk: JWK
}

/** The keys of an installation. */
export class SigningKeys {
  readonly #accounts: AccountStore
  #loaded: readonly LoadedKey[] = []
  #loadedAt = Number.NEGATIVE_INFINITY
  #loading: Promise<void> | undefined

  constructor(accounts: AccountStore) {
    this.#accounts = accounts
  }

  /** The key that signs; one is made when there is none. */
  async signer(): Promise<{ kid: string; key: CryptoKey }> {
    await this.#load()
    let active = this.#active()
    if (!active) {
      await this.#accounts.putSigningKey(await newKey())
      await this.#load(true)
      active = this.#active() as LoadedKey
    }
    return { kid: active.stored.kid, key: active.privateKey }
  }

  /** The key that verifies the tokens of a `kid`; undefined when it is not or no longer known. */
  async verifier(kid: string): Promise<CryptoKey | undefined> {
    await this.#load()
    const find = () => this.#valid().find(({ stored }) => stored.kid === kid)?.publicKey
    // Another process may have made it just now.
    if (!find() && performance.now() - this.#loadedAt > PAUSE) await this.#load(true)
    return find()
  }

  /** The public parts of all keys that verify. */
  async publicKeys(): Promise<JSONWebKeySet> {
    await this.signer()
    return { keys: this.#valid().map(key => key.publicJwk) }
  }

  /**
   * Makes a new key that signs from now on; those before verify until their tokens have expired, and are then removed.
   * @param life seconds that access tokens live
   * @returns `kid` of the new key, and until when the one before verifies if there was one
   */
  async rotate(life: number): Promise<{ kid: string; until?: string }> {
    const until = new Date(Date.now() + life * 1000 + MARGIN).toISOString()
    const before = await this.#accounts.signingKeys()
    const key = await newKey()
    // The new one first: there is never a moment without a key.
    await this.#accounts.putSigningKey(key)
    for (const old of before) {
      if (old.verify_until === undefined) await this.#accounts.putSigningKey({ ...old, verify_until: until })
      else if (isOver(old)) await this.#accounts.removeSigningKey(old.kid)
    }
    await this.#load(true)
    return { kid: key.kid, ...(before.some(old => old.verify_until === undefined) ? { until } : {}) }
  }

  #active(): LoadedKey | undefined {
    return this.#loaded.find(({ stored }) => stored.verify_until === undefined)
  }

  #valid(): readonly LoadedKey[] {
    return this.#loaded.filter(({ stored }) => !isOver(stored))
  }

  /** Reads the keys when they are not fresh any more; who comes while they are read waits for that. */
  async #load(now = false): Promise<void> {
    if (!now && performance.now() - this.#loadedAt < FRESH) return
    if (now) await this.#loading
    this.#loading ??= this.#read().finally(() => {
      this.#loading = undefined
    })
    await this.#loading
  }

  async #read(): Promise<void> {
    const started = performance.now()
    const known = new Map(this.#loaded.map(key => [key.stored.kid, key]))
    const stored = await this.#accounts.signingKeys()
    this.#loaded = await Promise.all(
      stored.map(async key => {
        const before = known.get(key.kid)
        return before ? { ...before, stored: key } : loaded(key)
      })
    )
    this.#loadedAt = started
  }
}

function isOver({ verify_until }: SigningKey): boolean {
  return verify_until !== undefined && Date.parse(verify_until) <= Date.now()
}

async function newKey(): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true })
  return {
    kid: randomUUID(),
    private_key: JSON.stringify(await exportJWK(privateKey)),
    created_at: new Date().toISOString()
  }
}

async function loaded(stored: SigningKey): Promise<LoadedKey> {
  const jwk = JSON.parse(stored.private_key) as JWK & { kty: string; n: string; e: string }
  const publicJwk = { kty: jwk.kty, n: jwk.n, e: jwk.e, alg: ALGORITHM, use: 'sig', kid: stored.kid }
  const [privateKey, publicKey] = await Promise.all([
    importJWK(jwk, ALGORITHM) as Promise<CryptoKey>,
    importJWK(publicJwk, ALGORITHM) as Promise<CryptoKey>
  ])
  return { stored, privateKey, publicKey, publicJwk }
}
