/** Settings with which another process works on the stores of a test. */
import type { TestServices } from '../app.ts'

/** The settings by the names of their variables. */
export function settingsOf({ config: { dataDir, storage } }: TestServices): Record<string, string> {
  return {
    SERAI_DATA_DIR: dataDir,
    ...(storage.kind === 'cluster'
      ? {
          SERAI_ELASTICSEARCH_URL: storage.elasticsearchUrl,
          SERAI_ELASTICSEARCH_INDEX: storage.elasticsearchIndex,
          SERAI_MONGODB_URL: storage.mongodbUrl,
          SERAI_MONGODB_DATABASE: storage.mongodbDatabase
        }
      : {})
  }
}
