/** Reads the example data under `fixtures/corpus` for tests of pure functions. */
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { JsonObject } from '../../src/archive/definitions.ts'

const ROOT = new URL('../../fixtures/corpus/', import.meta.url)

/** Reads a JSON file of the corpus, plain or gzipped. */
// biome-ignore lint/suspicious/noExplicitAny: the shape is whatever the file holds
export function corpusJson(path: string): any {
  const plain = new URL(path, ROOT)
  if (existsSync(plain)) return JSON.parse(readFileSync(plain, 'utf8'))
  return JSON.parse(gunzipSync(readFileSync(new URL(`${path}.gz`, ROOT))).toString())
}

/** Whether the corpus has this JSON file. */
export function inCorpus(path: string): boolean {
  return existsSync(new URL(path, ROOT)) || existsSync(new URL(`${path}.gz`, ROOT))
}

/** One entry of the corpus with its archive. */
export interface CorpusArchive {
  readonly uploadId: string
  readonly entryId: string
  readonly mainfile: string
  readonly archive: JsonObject
}

/** All entries that have an archive. */
export function* corpusArchives(): Generator<CorpusArchive> {
  for (const upload of corpusJson('uploads.json')) {
    for (const entry of upload.entries) {
      const path = `uploads/${upload.upload_id}/archive/${entry.entry_id}.json`
      if (!inCorpus(path)) continue
      yield {
        uploadId: upload.upload_id,
        entryId: entry.entry_id,
        mainfile: entry.mainfile,
        archive: corpusJson(path)
      }
    }
  }
}
