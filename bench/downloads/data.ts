/**
 * Fills a data folder for `measure.ts`: a large file, many files of 1 MB with a tar of the same bytes beside them, and many
 * small files in one upload and in the folders of many entries. See README.md.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Services } from '../../src/services.ts'
import type { Entry, Upload } from '../../src/storage/documents.ts'
import { SyntheticDocuments } from '../search/documents.ts'

/** Ids of the uploads. */
export const LARGE = 'large-----------------'
export const MANY = 'many------------------'
export const SMALL = 'small-----------------'
export const SINGLE = 'single----------------'

/** Sizes; `fill` and `measure` must agree. */
export const LARGE_BYTES = 2 * 2 ** 30
export const ZEROS_BYTES = 2 ** 30
export const MANY_FILES = 2000
export const SMALL_FILES = 20_000
export const ENTRY_UPLOADS = 20
export const ENTRY_FOLDERS = 100

const PIECE = 2 ** 20
const TIME = '2026-01-01T00:00:00.000Z'

/** Stores everything. */
export async function fill({ files, documents, index }: Services): Promise<void> {
  for (const id of [LARGE, MANY, SMALL]) await documents.putUpload(upload(id))
  await files.replace(LARGE, [
    { path: 'large.bin', open: () => Readable.from(pieces(LARGE_BYTES, () => randomBytes(PIECE))) },
    { path: 'zeros.bin', open: () => Readable.from(pieces(ZEROS_BYTES, () => Buffer.alloc(PIECE))) }
  ])
  await files.replace(
    MANY,
    Array.from({ length: MANY_FILES }, (_, i) => ({
      path: `d${i % 20}/f${i}.bin`,
      open: () => Readable.from([randomBytes(PIECE)])
    }))
  )
  await files.replace(
    SMALL,
    Array.from({ length: SMALL_FILES }, (_, i) => ({
      path: `d${i % 200}/f${i}.txt`,
      open: () => Readable.from([Buffer.from(`small file ${i}\n`)])
    }))
  )
  await fillSingle({ files, documents, index })
  const synthetic = new SyntheticDocuments()
  const perFolder = SMALL_FILES / ENTRY_UPLOADS / ENTRY_FOLDERS
  for (let u = 0; u < ENTRY_UPLOADS; u++) {
    const id = `entries${String(u).padStart(2, '0')}-------------`
    await documents.putUpload(upload(id))
    await files.replace(
      id,
      Array.from({ length: perFolder * ENTRY_FOLDERS }, (_, i) => ({
        path: `run${i % ENTRY_FOLDERS}/f${Math.floor(i / ENTRY_FOLDERS)}.txt`,
        open: () => Readable.from([Buffer.from(`file ${i} of upload ${u}\n`)])
      }))
    )
    const entries = Array.from({ length: ENTRY_FOLDERS }, (_, i) => ({
      entry_id: `${id.slice(0, 10)}${String(i).padStart(18, '0')}`,
      upload_id: id,
      mainfile: `run${i}/f0.txt`
    }))
    await documents.putEntries(entries.map(entry))
    await index.put(
      entries.map((own, i) => ({ ...synthetic.documentOf(u * ENTRY_FOLDERS + i), ...own, comment: 'bench' }))
    )
  }
}

/** As many entries as files, each in a folder of its own. */
async function fillSingle({
  files,
  documents,
  index
}: Pick<Services, 'files' | 'documents' | 'index'>): Promise<void> {
  await documents.putUpload(upload(SINGLE))
  const entries = Array.from({ length: SMALL_FILES }, (_, i) => ({
    entry_id: `single${String(i).padStart(22, '0')}`,
    upload_id: SINGLE,
    mainfile: `run${i}/main.txt`
  }))
  await files.replace(
    SINGLE,
    entries.map(({ mainfile }, i) => ({
      path: mainfile,
      open: () => Readable.from([Buffer.from(`file ${i}\n`)])
    }))
  )
  await documents.putEntries(entries.map(entry))
  await index.put(entries.map(own => ({ ...own, published: true, with_embargo: false, comment: 'single' })))
}

function* pieces(size: number, piece: () => Buffer): Generator<Buffer> {
  for (let at = 0; at < size; at += PIECE) yield piece()
}

function upload(uploadId: string): Upload {
  return {
    upload_id: uploadId,
    upload_create_time: TIME,
    publish_time: TIME,
    main_author: 'somebody',
    coauthors: [],
    coauthor_groups: [],
    reviewers: [],
    reviewer_groups: [],
    embargo_length: 0,
    license: 'CC BY 4.0',
    process_status: 'SUCCESS',
    errors: [],
    warnings: []
  }
}

function entry(own: Pick<Entry, 'entry_id' | 'upload_id' | 'mainfile'>): Entry {
  return {
    ...own,
    parser_name: 'parsers/vasp',
    process_status: 'SUCCESS',
    entry_create_time: TIME,
    references: [],
    entry_coauthors: [],
    datasets: [],
    errors: [],
    warnings: []
  }
}

/** Folder in which the bytes of an upload stand. */
export async function folderOf(data: string, uploadId: string): Promise<string> {
  const folder = join(data, 'raw', uploadId.slice(0, 2), uploadId)
  const [head] = (await readFile(join(folder, 'manifest.jsonl'), 'utf8')).split('\n', 1)
  return join(folder, (JSON.parse(head as string) as { generation: string }).generation)
}

/** Makes a folder. */
export function made(folder: string): string {
  mkdirSync(folder, { recursive: true })
  return folder
}
