/** A new upload of more entries than an import writes at once, to be added to a folder of uploads. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { entryIdOf } from '../../src/archive/entry-id.ts'
import type { UploadRecord } from '../../src/processing/corpus-records.ts'

/** The upload; it is published. */
export const LARGE_UPLOAD = 'LargeUpload00000000001'

/** Some have archives, which take most of the time. */
const hasArchive = (i: number) => i % 10 === 0

const MAINFILE = 'series/output.json'
const TIME = '2024-03-01T10:00:00.000Z'

/** Ids of its entries in the order in which they are imported: a full batch and some more. */
export const LARGE_IDS: readonly string[] = Array.from({ length: 250 }, (_, i) =>
  entryIdOf(LARGE_UPLOAD, MAINFILE, `step ${i}`)
)

/**
 * Adds the upload to a folder that has others.
 * @param place its place among them
 * @param mainAuthor somebody in `users.json`
 */
export async function addLargeUpload(folder: string, place: number, mainAuthor: string): Promise<void> {
  const root = join(folder, 'uploads', LARGE_UPLOAD)
  const content = '{"steps":250}'
  await mkdir(join(root, 'archive'), { recursive: true })
  await mkdir(join(root, 'raw', 'series'), { recursive: true })
  await writeFile(join(root, 'raw', MAINFILE), content)
  for (const [i, id] of LARGE_IDS.entries()) {
    if (!hasArchive(i)) continue
    const archive = { metadata: { entry_name: `step ${i}` }, results: { material: { elements: ['Og'] } } }
    await writeFile(join(root, 'archive', `${id}.json`), JSON.stringify(archive))
  }
  const upload: UploadRecord = {
    upload_id: LARGE_UPLOAD,
    upload_name: 'A long series',
    upload_create_time: TIME,
    main_author: mainAuthor,
    published: true,
    publish_time: TIME,
    entries: LARGE_IDS.map((entry_id, i) => ({
      entry_id,
      mainfile: MAINFILE,
      mainfile_key: `step ${i}`,
      parser_name: 'parsers/archive',
      process_status: hasArchive(i) ? 'SUCCESS' : 'FAILURE',
      entry_create_time: TIME,
      has_archive: hasArchive(i)
    })),
    raw_files: [{ path: MAINFILE, size: content.length }]
  }
  const list = join(folder, 'uploads.json')
  const uploads = JSON.parse(await readFile(list, 'utf8')) as UploadRecord[]
  uploads.splice(place, 0, upload)
  await writeFile(list, JSON.stringify(uploads))
}
