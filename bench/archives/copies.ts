/** Copies of small archives of the example data, under ids of their own. */
import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { JsonObject } from '../../src/archive/definitions.ts'
import { entryIdOf } from '../../src/archive/entry-id.ts'
import { packArchive } from '../../src/archive/pack.ts'
import type { IndexDocument } from '../../src/search/entry-index.ts'
import type { Services } from '../../src/services.ts'
import type { Entry, Upload } from '../../src/storage/documents.ts'

/** Id of the upload that they belong to. */
const UPLOAD = 'benchManyArchives00001'

/** Bytes of JSON of an archive that is copied, at most. */
const SMALL = 100_000

/** Entries that are written together. */
const BATCH = 500

interface Original {
  readonly archive: JsonObject
  readonly document: JsonObject
  readonly bytes: number
}

/** The smaller published archives with what the index holds of them. */
function originals(corpus: string): Original[] {
  const json = (path: string) => JSON.parse(gunzipSync(readFileSync(path)).toString()) as JsonObject
  return globSync(join(corpus, 'uploads/*/archive/*.json.gz'))
    .sort()
    .flatMap(path => {
      const archive = json(path)
      const bytes = JSON.stringify(archive).length
      if (bytes > SMALL || !archive.results) return []
      const document = json(join(dirname(path), '../index', basename(path)))
      return document.published === true && document.with_embargo === false
        ? [{ archive, document, bytes }]
        : []
    })
}

/** Adds a published upload with so many entries. */
export async function addCopies(
  { documents, archives, index }: Services,
  corpus: string,
  count: number
): Promise<{ archives: number; bytes: number }> {
  const from = originals(corpus)
  const upload = (await documents.upload(String(from[0]?.document.upload_id))) as Upload
  await documents.putUpload({ ...upload, upload_id: UPLOAD, upload_name: 'Many archives' })
  let bytes = 0
  for (let start = 0; start < count; start += BATCH) {
    const entries: Entry[] = []
    const indexed: IndexDocument[] = []
    for (let n = start; n < Math.min(count, start + BATCH); n++) {
      const { archive, document, bytes: size } = from[n % from.length]!
      const mainfile = `copies/${n}.out`
      const entry_id = entryIdOf(UPLOAD, mainfile)
      const ids = { entry_id, upload_id: UPLOAD, mainfile }
      await archives.put(entry_id, UPLOAD, async store => {
        const packed = packArchive({ ...archive, metadata: { ...(archive.metadata as object), ...ids } })
        for (const block of packed.blocks) await store(block)
        return packed.contents()
      })
      entries.push({
        ...ids,
        parser_name: String(document.parser_name),
        process_status: 'SUCCESS',
        entry_create_time: upload.upload_create_time,
        references: [],
        entry_coauthors: [],
        datasets: [],
        errors: [],
        warnings: []
      })
      indexed.push({ ...document, ...ids })
      bytes += size
    }
    await documents.putEntries(entries)
    await index.put(indexed)
  }
  return { archives: count, bytes }
}
