/** Uploads of the corpus as a server of the reference keeps or exports them. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { JsonObject } from '../../../src/archive/definitions.ts'
import type { DatasetRecord, EntryRecord, UploadRecord } from '../../../src/processing/corpus-records.ts'
import { corpusJson, inCorpus } from '../../archive/corpus.ts'
import { type Archives, blockFile, combinedFile, mapFile } from '../../archive/packed-files.ts'
import { makeZip } from '../../files/make-zip.ts'

const FIXTURES = join(import.meta.dirname, '../../../fixtures')

/** Published without embargo; schemas and entries that use them. */
export const PUBLIC = 'BIi3kjIn3gVRQOIb7K5cx3'
/** Published with embargo, with a dataset. */
export const RESTRICTED = 'ROK7NzvVoeKocZLPaWt-Q1'
/** Not published. */
export const STAGING = 'm2gDew34dxLckF73LPPJqg'

/** Files by their paths. */
export type Files = Record<string, Uint8Array | string>

/** A description of an upload that may be changed. */
// biome-ignore lint/suspicious/noExplicitAny: tests spoil it in every way
export type Info = Record<string, any>

const record = (id: string): UploadRecord =>
  corpusJson('uploads.json').find((u: UploadRecord) => u.upload_id === id)

async function rawFiles({ upload_id, raw_files }: UploadRecord): Promise<Files> {
  const files: Files = {}
  for (const { path, encoding } of raw_files) {
    const file = join(
      FIXTURES,
      'corpus/uploads',
      upload_id,
      'raw',
      encoding === 'base64' ? `${path}.b64` : path
    )
    const bytes = await readFile(file)
    files[path] = encoding === 'base64' ? Buffer.from(bytes.toString(), 'base64') : bytes
  }
  return files
}

function archives({ upload_id, entries }: UploadRecord): Archives {
  const found: Record<string, JsonObject> = {}
  for (const { entry_id } of entries) {
    const path = `uploads/${upload_id}/archive/${entry_id}.json`
    if (!inCorpus(path)) continue
    const { m_ref_archives: _, ...archive } = corpusJson(path)
    found[entry_id] = archive
  }
  return found
}

const time = (iso: string | null | undefined) => (iso ? { $datetime: iso.replace('Z', '') } : null)

/** The description of an upload in a bundle. */
export function bundleInfo(id: string): Info {
  const { entries, raw_files: _, published: __, with_embargo: ___, ...upload } = record(id)
  const datasets = corpusJson('datasets.json') as DatasetRecord[]
  const datasetsOf = (entryId: string) =>
    datasets.filter(d => d.dataset_type === 'owned' && d.entries?.includes(entryId)).map(d => d.dataset_id)
  const described = entries.map(({ entry_id, has_archive: _, ...entry }: EntryRecord) => ({
    ...entry,
    _id: entry_id,
    upload_id: id,
    entry_create_time: time(entry.entry_create_time),
    last_processing_time: time(entry.last_processing_time),
    complete_time: time(entry.complete_time),
    last_edit_time: time(entry.last_edit_time),
    datasets: [...new Set([...(entry.datasets ?? []), ...datasetsOf(entry_id)])]
  }))
  const named = new Set(described.flatMap(e => e.datasets))
  return {
    upload_id: id,
    source: { version: '1.3.1', commit: '', deployment: 'test', deployment_url: 'https://example.org/nomad' },
    export_settings: { include_raw_files: true, include_archive_files: true, include_datasets: true },
    upload: {
      ...upload,
      upload_id: undefined,
      _id: id,
      process_status: upload.process_status ?? 'SUCCESS',
      license: upload.license ?? 'CC BY 4.0',
      embargo_length: upload.embargo_length ?? 0,
      upload_create_time: time(upload.upload_create_time),
      publish_time: time(upload.publish_time),
      complete_time: time(upload.complete_time)
    },
    entries: described,
    datasets: datasets
      .filter(d => named.has(d.dataset_id))
      .map(({ dataset_id, dataset_name, user_id, doi, dataset_create_time }) => ({
        dataset_id,
        dataset_name,
        user_id,
        doi,
        dataset_create_time
      }))
  }
}

/** Files of a published upload, without description. */
export async function publicFiles(id: string, format: 'v1' | 'v2' | 'v3' = 'v3'): Promise<Files> {
  const upload = record(id)
  const access = (upload.embargo_length ?? 0) > 0 ? 'restricted' : 'public'
  const raw = Object.entries(await rawFiles(upload)).map(([path, content]) => ({ path, content }))
  const packed = format === 'v3' ? combinedFile(archives(upload)) : mapFile(format, archives(upload))
  const other = access === 'public' ? 'restricted' : 'public'
  return {
    [`raw-${access}.plain.zip`]: makeZip(raw),
    [`archive-${access}-${format === 'v3' ? 'v1.2' : 'v1'}.msg.msg`]: packed,
    // What the reference leaves behind for the other access is empty.
    [`raw-${other}.plain.zip`]: makeZip([])
  }
}

/** Files of an upload that is not published, without description. */
export async function stagingFiles(id: string): Promise<Files> {
  const upload = record(id)
  const files: Files = {}
  for (const [path, content] of Object.entries(await rawFiles(upload))) files[`raw/${path}`] = content
  for (const [entryId, archive] of Object.entries(archives(upload))) {
    files[`archive/${entryId}-v1.2.msg`] = blockFile(entryId, archive)
  }
  return files
}

/** The files of a bundle. */
export async function bundleFiles(id: string, info: Info = bundleInfo(id)): Promise<Files> {
  const files = record(id).publish_time ? await publicFiles(id) : await stagingFiles(id)
  return { 'bundle_info.json': JSON.stringify(info), ...files }
}

/** A folder with people and groups of the corpus, which uploads need. */
export const PEOPLE: Files = {
  'users.json': JSON.stringify(corpusJson('users.json')),
  'groups.json': JSON.stringify(corpusJson('groups.json'))
}

/** Bytes of a zip of these files. */
export const zipOf = (files: Files, deflated = false) =>
  makeZip(Object.entries(files).map(([path, content]) => ({ path, content, deflated })))

/** Folders and files that are removed at the end. */
export class Scratch {
  readonly #made: string[] = []

  /** A folder with these files. */
  async folder(files: Files): Promise<string> {
    const root = await mkdtemp(join(tmpdir(), 'serai-reference-'))
    this.#made.push(root)
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), content)
    }
    return root
  }

  /** A file. */
  async file(name: string, content: Uint8Array | string): Promise<string> {
    return join(await this.folder({ [name]: content }), name)
  }

  async end(): Promise<void> {
    for (const path of this.#made.splice(0)) await rm(path, { recursive: true, force: true })
  }
}
