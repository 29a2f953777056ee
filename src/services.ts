/**
 * What the application works with: the stores behind their ports, opened for a storage profile. This file alone
 * names adapters.
 *
 * Layout of the data folder: `documents.sqlite`, `accounts.sqlite`, `archives.sqlite` and `search.sqlite` (embedded profile), `raw/`
 * with the raw files and `audit.jsonl` (both profiles). There is no lock on it: every store lets several processes read and write, so
 * `serai import` and `serai token` may run beside `serai serve`. Only definitions are held in memory; packages
 * that another process imports are known after a restart.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { AuditLog } from './access/audit.ts'
import { BuiltInAccounts } from './access/built-in/built-in-accounts.ts'
import { SigningKeys } from './access/built-in/signing-keys.ts'
import type { IdentityProvider } from './access/identity-provider.ts'
import { openAuditFile } from './access/local/audit-file.ts'
import { centralUsers } from './access/oidc/central-users.ts'
import { AskedDirectory, TokenDirectory, type UserDirectory } from './access/oidc/directory.ts'
import { keycloakUsers } from './access/oidc/keycloak-users.ts'
import { OidcProvider } from './access/oidc/oidc-provider.ts'
import type { OidcConfig } from './access-settings.ts'
import { builtInDefinitions } from './archive/definition-registry.ts'
import type { DefinitionRegistry } from './archive/definitions.ts'
import type { Config } from './config.ts'
import { failure, SeraiError } from './errors.ts'
import { Decompression } from './files/decompression.ts'
import { LocalRawFiles } from './files/local/local-raw-files.ts'
import type { RawFileStore } from './files/raw-files.ts'
import { entryQuantities, type Quantities } from './query/quantities.ts'
import type { EntryIndex } from './search/entry-index.ts'
import { openSqliteEntryIndex } from './search/sqlite/sqlite-entry-index.ts'
import type { AccountStore } from './storage/accounts.ts'
import type { ArchiveStore } from './storage/archives.ts'
import type { DocumentStore } from './storage/documents.ts'
import { openSqliteAccounts } from './storage/sqlite/sqlite-accounts.ts'
import { openSqliteArchives } from './storage/sqlite/sqlite-archives.ts'
import { openSqliteDocuments } from './storage/sqlite/sqlite-documents.ts'

/** The stores and registries of a running server. */
export interface Services {
  readonly documents: DocumentStore
  readonly accounts: AccountStore
  readonly archives: ArchiveStore
  readonly index: EntryIndex
  readonly files: RawFileStore
  readonly decompression: Decompression
  readonly quantities: Quantities
  readonly definitions: DefinitionRegistry
  /** Secret of the app tokens. */
  readonly apiSecret: string
  /** Who issues access tokens. */
  readonly identity: IdentityProvider
  /** Absent: audit lines go to the server's log. */
  readonly audit?: AuditLog
  /** Where servers count requests together, if they do. */
  readonly redis?: Redis
  /** Closes every store; running reads end first. */
  close(): Promise<void>
}

/** The stores that differ between the profiles. */
type Stores = Pick<Services, 'documents' | 'accounts' | 'archives' | 'index'>

/** Anything that has to be closed. */
interface Closable {
  close(): Promise<void>
}

/** Milliseconds between two tries to open a store that does not answer. */
const RETRY_INTERVAL = 500

/** Setting that keeps the secret made at the first start. */
const SECRET_SETTING = 'api_secret'

/**
 * Opens the stores of the configured profile.
 * @throws SeraiError when a store cannot be reached or used (STORE_UNAVAILABLE, STORE_UNUSABLE) or was written by a
 *   newer version (STORE_NEWER)
 */
export async function openServices(config: Config): Promise<Services> {
  const definitions = builtInDefinitions()
  const quantities = entryQuantities(definitions)
  const opened: Closable[] = []
  // Last opened, first closed; one that cannot be closed does not keep the others open.
  const close = async () => {
    const results = []
    for (const store of opened.splice(0).reverse())
      results.push(...(await Promise.allSettled([store.close()])))
    const broken = results.find(result => result.status === 'rejected')
    if (broken) throw broken.reason
  }
  const keep = <T extends Closable>(store: T): T => {
    opened.push(store)
    return store
  }
  try {
    await requireFolder(config.dataDir)
    const audit = config.auditFile === undefined ? undefined : openAuditFile(config.auditFile)
    const files = keep(await LocalRawFiles.open(join(config.dataDir, 'raw')))
    const stores = await openStores(config, quantities, keep)
    definitions.add((await stores.documents.packages()).map(p => p.definition))
    const apiSecret = config.apiSecret ?? (await keptSecret(stores.documents))
    const identity = identityProvider(config, stores)
    const redis = config.limits.redisUrl ? await openRedis(config.limits.redisUrl, keep) : undefined
    return {
      ...stores,
      files,
      decompression: new Decompression(),
      quantities,
      definitions,
      apiSecret,
      identity,
      ...(audit ? { audit } : {}),
      ...(redis ? { redis } : {}),
      close
    }
  } catch (error) {
    await close().catch(() => {})
    throw error
  }
}

async function openStores(
  config: Config,
  quantities: Quantities,
  keep: <T extends Closable>(store: T) => T
): Promise<Stores> {
  const { dataDir, storage, searchTimeout: timeout } = config
  if (storage.kind === 'embedded') {
    const file = (name: string) => join(dataDir, `${name}.sqlite`)
    return {
      documents: keep(openSqliteDocuments(file('documents'))),
      accounts: keep(openSqliteAccounts(file('accounts'))),
      archives: keep(openSqliteArchives(file('archives'))),
      index: keep(await openSqliteEntryIndex({ file: file('search'), quantities, timeout }))
    }
  }
  const mongodb = { url: storage.mongodbUrl, database: storage.mongodbDatabase }
  const elasticsearch = {
    url: storage.elasticsearchUrl,
    index: storage.elasticsearchIndex,
    quantities,
    timeout
  }
  // Their drivers take a quarter of a second to load, which the embedded profile need not wait for.
  const { openMongoDocuments } = await import('./storage/mongodb/mongo-documents.ts')
  const { openMongoAccounts } = await import('./storage/mongodb/mongo-accounts.ts')
  const { openMongoArchives } = await import('./storage/mongodb/mongo-archives.ts')
  const { openElasticsearchEntryIndex } = await import('./search/elasticsearch/elasticsearch-entry-index.ts')
  const until = Date.now() + config.storeTimeout
  return {
    documents: keep(await awaited('MongoDB', mongodb.url, until, () => openMongoDocuments(mongodb))),
    accounts: keep(await awaited('MongoDB', mongodb.url, until, () => openMongoAccounts(mongodb))),
    archives: keep(await awaited('MongoDB', mongodb.url, until, () => openMongoArchives(mongodb))),
    index: keep(
      await awaited('Elasticsearch', elasticsearch.url, until, () =>
        openElasticsearchEntryIndex(elasticsearch)
      )
    )
  }
}

/** Does not wait for it: it is asked for when there is a request, and done without when it does not answer. */
async function openRedis(url: string, keep: <T extends Closable>(store: T) => T): Promise<Redis> {
  const { connectRedis } = await import('./limits/redis-connection.ts')
  const redis = connectRedis(url)
  keep({ close: async () => redis.disconnect() })
  return redis
}

/**
 * Opens a store of the cluster, which may still be starting.
 * @param until when it is given up, in milliseconds since 1970
 * @throws SeraiError STORE_UNUSABLE that says which one does not answer or refuses, and where; STORE_NEWER
 */
async function awaited<T>(name: string, url: string, until: number, open: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await open()
    } catch (error) {
      const silent = error instanceof SeraiError && error.code === 'STORE_UNAVAILABLE'
      if (error instanceof SeraiError && !silent) throw error
      if (silent && Date.now() < until) {
        await delay(RETRY_INTERVAL)
        continue
      }
      const cause = silent ? error.cause : error
      const told = cause instanceof Error ? cause.message.split('\n')[0]?.replace(/\.$/, '') : String(cause)
      throw failure('STORE_UNUSABLE', {
        file: `${name} at ${withoutPassword(url)}`,
        reason: silent ? `it does not answer (${told})` : told
      })
    }
  }
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//')
}

/** Makes the data folder; told here once, not by each store in its own words. */
async function requireFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const reasons: Record<string, string> = {
      EACCES: 'this user may not write there',
      EPERM: 'this user may not write there',
      EROFS: 'its file system is read-only',
      ENOTDIR: 'a part of its path is a file',
      EEXIST: 'it is a file',
      ENOSPC: 'the disk is full'
    }
    throw failure('STORE_UNUSABLE', {
      file: `The data folder ${folder}`,
      reason: reasons[code ?? ''] ?? message
    })
  }
}

/** The secret of an installation that sets none: made once and kept, so that tokens outlive a restart. */
function keptSecret(documents: DocumentStore): Promise<string> {
  return documents.initSetting(SECRET_SETTING, randomBytes(48).toString('base64url'))
}

/** Who issues access tokens: the configured provider, or the accounts of this installation. */
function identityProvider({ access }: Config, { documents, accounts }: Stores): IdentityProvider {
  if (access.oidc)
    return new OidcProvider({ ...access.oidc, directory: userDirectory(access.oidc, documents) })
  return new BuiltInAccounts({
    documents,
    accounts,
    keys: new SigningKeys(accounts),
    issuer: access.tokenIssuer,
    life: access.accessTokenExpiresIn,
    demoUsers: access.demoUsers
  })
}

function userDirectory(
  { directory, issuer, clientId, clientSecret }: OidcConfig,
  persons: DocumentStore
): UserDirectory {
  if (directory.kind === 'token') return new TokenDirectory(persons)
  if (directory.kind === 'central') return new AskedDirectory(persons, centralUsers(directory.url))
  const { realm, username, password = '' } = directory
  const grant: Record<string, string> =
    username === undefined
      ? { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret ?? '' }
      : { grant_type: 'password', client_id: 'admin-cli', username, password }
  return new AskedDirectory(
    persons,
    keycloakUsers({ issuer, ...(realm !== undefined ? { realm } : {}), grant })
  )
}
