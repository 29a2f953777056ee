/** Places for stores of either profile, made for one test file: adapters open in them, and nothing stays behind. */
import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Client } from '@elastic/elasticsearch'
import { MongoClient } from 'mongodb'
import { inject } from 'vitest'
import { entryQuantities, type Quantities } from '../../src/query/quantities.ts'
import { openElasticsearchEntryIndex } from '../../src/search/elasticsearch/elasticsearch-entry-index.ts'
import type { EntryIndex } from '../../src/search/entry-index.ts'
import { openSqliteEntryIndex } from '../../src/search/sqlite/sqlite-entry-index.ts'
import type { AccountStore } from '../../src/storage/accounts.ts'
import type { ArchiveStore } from '../../src/storage/archives.ts'
import type { DocumentStore } from '../../src/storage/documents.ts'
import { openMongoAccounts } from '../../src/storage/mongodb/mongo-accounts.ts'
import { openMongoArchives } from '../../src/storage/mongodb/mongo-archives.ts'
import { openMongoDocuments } from '../../src/storage/mongodb/mongo-documents.ts'
import { openSqliteAccounts } from '../../src/storage/sqlite/sqlite-accounts.ts'
import { openSqliteArchives } from '../../src/storage/sqlite/sqlite-archives.ts'
import { openSqliteDocuments } from '../../src/storage/sqlite/sqlite-documents.ts'
import type { Profile } from '../app.ts'
import type { ClusterUrls } from '../services.ts'

/** How an index is opened; defaults: all quantities, 20 seconds. */
export interface IndexSettings {
  readonly quantities?: Quantities
  readonly timeout?: number
}

/** Where the stores of a test file are; opening twice opens the same. */
export interface Place {
  openIndex(settings?: IndexSettings): Promise<EntryIndex>
  openDocuments(): Promise<DocumentStore>
  openArchives(): Promise<ArchiveStore>
  openAccounts(): Promise<AccountStore>
  /** How many archives, also unfinished and replaced ones, and how many of their blocks are stored. */
  archiveRows(): Promise<{ generations: number; blocks: number }>
  /** Removes what the stores have kept; they are closed before. */
  drop(): Promise<void>
}

/** A new, empty place. */
export async function newPlace(profile: Profile): Promise<Place> {
  const name = `${inject('run')}_${randomBytes(6).toString('hex')}`
  return profile === 'embedded' ? embeddedPlace(name) : clusterPlace(name, inject('cluster') as ClusterUrls)
}

async function embeddedPlace(name: string): Promise<Place> {
  const folder = join(inject('runFolder'), name)
  await mkdir(folder)
  const file = (store: string) => join(folder, `${store}.sqlite`)
  return {
    openIndex: ({ quantities = entryQuantities(), timeout = 20_000 } = {}) =>
      openSqliteEntryIndex({ file: file('search'), quantities, timeout }),
    openDocuments: async () => openSqliteDocuments(file('documents')),
    openArchives: async () => openSqliteArchives(file('archives')),
    openAccounts: async () => openSqliteAccounts(file('accounts')),
    archiveRows: async () => {
      const database = new DatabaseSync(file('archives'), { readOnly: true })
      const count = (table: string) =>
        (database.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n
      const rows = { generations: count('generation'), blocks: count('block') }
      database.close()
      return rows
    },
    drop: () => rm(folder, { recursive: true })
  }
}

async function clusterPlace(name: string, urls: ClusterUrls): Promise<Place> {
  return {
    openIndex: ({ quantities = entryQuantities(), timeout = 20_000 } = {}) =>
      openElasticsearchEntryIndex({ url: urls.elasticsearch, index: name, quantities, timeout }),
    openDocuments: () => openMongoDocuments({ url: urls.mongodb, database: name }),
    openArchives: () => openMongoArchives({ url: urls.mongodb, database: name }),
    openAccounts: () => openMongoAccounts({ url: urls.mongodb, database: name }),
    archiveRows: async () => {
      const mongodb = new MongoClient(urls.mongodb)
      const count = (collection: string) => mongodb.db(name).collection(collection).countDocuments()
      const [archives, garbage, blocks] = await Promise.all(
        ['archive', 'archive_garbage', 'archive_block'].map(count)
      )
      await mongodb.close()
      return { generations: Number(archives) + Number(garbage), blocks: Number(blocks) }
    },
    drop: () => dropCluster(urls, name)
  }
}

async function dropCluster(urls: ClusterUrls, name: string): Promise<void> {
  const elasticsearch = new Client({ node: urls.elasticsearch })
  const mongodb = new MongoClient(urls.mongodb)
  try {
    for (const index of Object.keys(await elasticsearch.indices.get({ index: `${name}*` }))) {
      await elasticsearch.indices.delete({ index })
    }
    await mongodb.db(name).dropDatabase()
  } finally {
    await Promise.all([elasticsearch.close(), mongodb.close()])
  }
}
