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
import { failure } from './errors.ts'
import { Decompression } from './files/decompression.ts'
import { LocalRawFiles } from './files/local/local-raw-files.ts'
import type { RawFileStore } from './files/raw-files.ts'
import { awaited } from './health/awaited-store.ts'
import { type StoreName, StoreWatch } from './health/store-watch.ts'
import { type CallObserver, watchedStore } from './health/watched-store.ts'
import type { Log } from './log.ts'
import { entryQuantities, type Quantities } from './query/quantities.ts'
import type { EntryIndex } from './search/entry-index.ts'
import { openSqliteEntryIndex } from './search/sqlite/sqlite-entry-index.ts'
import type { AccountStore } from './storage/accounts.ts'
import type { ArchiveStore } from './storage/archives.ts'
import { type DocumentStore, FILLED_FROM } from './storage/documents.ts'
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
  /** Whether the stores are there, one for each program or file that keeps them. */
  readonly watches: readonly StoreWatch[]
  /** Closes every store; running reads end first. */
  close(): Promise<void>
}

/** How the stores are opened. */
export interface OpenOptions {
  /** Told which store is waited for, and which one is lost and back. */
  readonly log?: Log
  /**
   * Calls to a store that is lost fail at once (`health/store-watch.ts`): for servers, whose clients can come again. Without
   * it each call waits as long as its driver does.
   */
  readonly watch?: boolean
  /** Told of every call to a store; only with `watch`. */
  readonly observe?: CallObserver
  /** Opens also what is filled from a backup or another installation and not complete. */
  readonly filling?: boolean
}

/** The stores that differ between the profiles. */
type Stores = Pick<Services, 'documents' | 'accounts' | 'archives' | 'index'>

/** Puts stores under watch as they are opened. */
interface Watching {
  readonly log: Log | undefined
  watch(engine: string, holds: readonly StoreName[], kind?: 'remote' | 'optional'): StoreWatch
  /** The store as others use it. */
  watched<T extends Pingable>(store: T, name: StoreName, watch: StoreWatch): T
}

/** Anything that can be asked for a sign of life. */
interface Pingable {
  ping(limit: number): Promise<void>
}

/** Anything that has to be closed. */
interface Closable {
  close(): Promise<void>
}

/** Setting that keeps the secret made at the first start. */
const SECRET_SETTING = 'api_secret'

/**
 * Opens the stores of the configured profile.
 * @throws SeraiError when a store cannot be reached or used (STORE_UNAVAILABLE, STORE_UNUSABLE) or was written by a
 *   newer version (STORE_NEWER)
 */
export async function openServices(config: Config, options: OpenOptions = {}): Promise<Services> {
  const definitions = builtInDefinitions()
  const quantities = entryQuantities(definitions)
  const opened: Closable[] = []
  const watches: StoreWatch[] = []
  // Last opened, first closed; one that cannot be closed does not keep the others open.
  const close = async () => {
    const results = []
    for (const watch of watches) watch.close()
    for (const store of opened.splice(0).reverse())
      results.push(...(await Promise.allSettled([store.close()])))
    const broken = results.find(result => result.status === 'rejected')
    if (broken) throw broken.reason
  }
  const keep = <T extends Closable>(store: T): T => {
    opened.push(store)
    return store
  }
  const watching = watchingWith(options, watches)
  try {
    await requireFolder(config.dataDir)
    const audit = config.auditFile === undefined ? undefined : openAuditFile(config.auditFile)
    const files = watching.watched<RawFileStore>(
      keep(await LocalRawFiles.open(join(config.dataDir, 'raw'))),
      'files',
      watching.watch('The folder of the raw files', ['files'])
    )
    const stores = await openStores(config, quantities, keep, watching)
    if (!options.filling) await requireComplete(stores.documents)
    await learnPackages({ ...stores, definitions })
    const apiSecret = config.apiSecret ?? (await keptSecret(stores.documents))
    const identity = identityProvider(config, stores)
    const redis = config.limits.redisUrl ? await openRedis(config.limits.redisUrl, keep) : undefined
    if (redis) watching.watch('Redis', ['limits'], 'optional').attach(() => redis.ping())
    if (options.watch) for (const watch of watches) watch.begin()
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
      watches,
      close
    }
  } catch (error) {
    await close().catch(() => {})
    throw error
  }
}

function watchingWith({ log, watch: isWatching, observe }: OpenOptions, watches: StoreWatch[]): Watching {
  return {
    log,
    watch: (engine, holds, kind) => {
      const isRemote = kind !== undefined
      const watch = new StoreWatch({ engine, holds, isRemote, isOptional: kind === 'optional' }, log)
      watches.push(watch)
      return watch
    },
    watched: (store, name, watch) => {
      watch.attach(limit => store.ping(limit))
      return isWatching ? watchedStore(store, name, watch, observe) : store
    }
  }
}

/** Learns the definitions that are stored: all of them, also those of another process's import. */
export async function learnPackages({
  documents,
  definitions
}: Pick<Services, 'documents' | 'definitions'>): Promise<void> {
  definitions.add((await documents.packages()).map(({ definition }) => definition))
}

async function openStores(
  config: Config,
  quantities: Quantities,
  keep: <T extends Closable>(store: T) => T,
  { log, watch, watched }: Watching
): Promise<Stores> {
  const { dataDir, storage, searchTimeout: timeout } = config
  if (storage.kind === 'embedded') {
    const file = (name: string) => join(dataDir, `${name}.sqlite`)
    const kept = <T extends Closable & Pingable>(name: StoreName, store: T) =>
      watched(keep(store), name, watch(`${name}.sqlite`, [name]))
    return {
      documents: kept('documents', openSqliteDocuments(file('documents'))),
      accounts: kept('accounts', openSqliteAccounts(file('accounts'))),
      archives: kept('archives', openSqliteArchives(file('archives'))),
      index: kept('search', await openSqliteEntryIndex({ file: file('search'), quantities, timeout }))
    }
  }
  const ofMongodb = watch('MongoDB', ['documents', 'accounts', 'archives'], 'remote')
  const ofElasticsearch = watch('Elasticsearch', ['search'], 'remote')
  const mongodb = {
    url: storage.mongodbUrl,
    database: storage.mongodbDatabase,
    onTrouble: () => ofMongodb.suspect()
  }
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
  const waiting = { log, until: Date.now() + config.storeTimeout }
  const inMongodb = async <T extends Closable & Pingable>(name: StoreName, open: () => Promise<T>) =>
    watched(keep(await awaited({ ...waiting, name: 'MongoDB', url: mongodb.url }, open)), name, ofMongodb)
  const index = () => openElasticsearchEntryIndex(elasticsearch)
  return {
    documents: await inMongodb('documents', () => openMongoDocuments(mongodb)),
    accounts: await inMongodb('accounts', () => openMongoAccounts(mongodb)),
    archives: await inMongodb('archives', () => openMongoArchives(mongodb)),
    index: watched(
      keep(await awaited({ ...waiting, name: 'Elasticsearch', url: elasticsearch.url }, index)),
      'search',
      ofElasticsearch
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

/** Nothing is to be seen of an installation in which a part is missing. */
async function requireComplete(documents: DocumentStore): Promise<void> {
  const origin = await documents.setting(FILLED_FROM)
  if (!origin) return
  const reason = `it is being filled from ${origin}, or that was ended before it was complete; run the same command again`
  throw failure('STORE_UNUSABLE', { file: 'The installation', reason })
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
