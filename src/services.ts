/**
 * What the application works with: the stores behind their ports, opened for a storage profile. This file alone
 * names adapters.
 */
import type { DefinitionRegistry } from './archive/definitions.ts'
import type { Config } from './config.ts'
import type { RawFileStore } from './files/raw-files.ts'
import type { Quantities } from './query/quantities.ts'
import type { EntryIndex } from './search/entry-index.ts'
import type { ArchiveStore } from './storage/archives.ts'
import type { DocumentStore } from './storage/documents.ts'

/** The stores and registries of a running server. */
export interface Services {
  readonly documents: DocumentStore
  readonly archives: ArchiveStore
  readonly index: EntryIndex
  readonly files: RawFileStore
  readonly quantities: Quantities
  readonly definitions: DefinitionRegistry
  /** Secret of the app tokens. */
  readonly apiSecret: string
  /** Closes every store; running reads end first. */
  close(): Promise<void>
}

/**
 * Opens the stores of the configured profile.
 * @throws SeraiError when a store cannot be reached or was written by a newer version
 */
export async function openServices(_config: Config): Promise<Services> {
  throw new Error('to be wired')
}
