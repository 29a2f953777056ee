/**
 * The description of an upload in a bundle, `bundle_info.json` (`archive.md` §13.2), and the checks before one is imported
 * (§13.4). Pure.
 */
import { entryIdOf } from '../../archive/entry-id.ts'
import { DatasetRecord, type RawFileRecord, recordFault, UploadRecord, utc } from '../corpus-records.ts'
import { BadFile } from '../import-problem.ts'

/** What a description tells. */
export interface BundleInfo {
  readonly record: UploadRecord
  readonly datasets: readonly DatasetRecord[]
}

const INFO = 'bundle_info.json'

/** Keys that must be there. */
const REQUIRED = [
  'upload_id',
  'source.version',
  'source.commit',
  'source.deployment',
  'source.deployment_url',
  'export_settings.include_raw_files',
  'export_settings.include_archive_files',
  'export_settings.include_datasets',
  'upload._id',
  'upload.main_author',
  'upload.upload_create_time',
  'upload.process_status',
  'upload.license',
  'upload.embargo_length',
  'entries'
]

/** Oldest version of the reference whose bundles are accepted. */
const OLDEST = [1, 1, 2]

/** States of a process that has not ended. */
const RUNNING = new Set(['PENDING', 'RUNNING', 'WAITING_FOR_RESULT'])

/** Milliseconds that clocks may differ. */
const TOLERANCE = 120_000

type Json = Readonly<Record<string, unknown>>

function isMap(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function at(info: unknown, key: string): unknown {
  return key.split('.').reduce((value, name) => (isMap(value) ? value[name] : undefined), info)
}

function refuse(why: string): never {
  throw new BadFile(INFO, why)
}

/** Times become texts: they are objects with one key. What is null is left out. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (!isMap(value)) return value
  if (typeof value.$datetime === 'string') return value.$datetime
  const members = Object.entries(value).filter(([, member]) => member !== null)
  return Object.fromEntries(members.map(([key, member]) => [key, plain(member)]))
}

/**
 * Reads and checks a description.
 * @param content JSON of the file
 * @param rawFiles the raw files of the bundle
 * @param now milliseconds since 1970
 * @throws BadFile that names the key that is wrong
 */
export function readBundleInfo(
  content: unknown,
  rawFiles: readonly RawFileRecord[],
  now: number
): BundleInfo {
  for (const key of REQUIRED) if (at(content, key) === undefined) refuse(`has no key ${key}`)
  const info = plain(content) as Json
  requireVersion(at(info, 'source.version'))
  const upload = info.upload as Json
  const uploadId = info.upload_id
  if (upload._id !== uploadId)
    refuse(`upload._id is ${String(upload._id)}, but upload_id is ${String(uploadId)}`)
  requireEnded(upload, 'upload')
  if (!Array.isArray(info.entries)) refuse('entries must be a list')
  const entries = info.entries.map((entry, i) => entryRecord(entry, `entries/${i}`, String(uploadId)))
  const record = {
    ...upload,
    upload_id: uploadId,
    coauthors: upload.coauthors ?? [],
    reviewers: upload.reviewers ?? [],
    entries,
    raw_files: rawFiles
  }
  const fault = recordFault(UploadRecord, record)
  if (fault) refuse(`upload: ${fault}`)
  const checked = record as UploadRecord
  requirePast(checked.upload_create_time, 'upload.upload_create_time', now)
  requirePast(checked.publish_time, 'upload.publish_time', now)
  for (const [i, { entry_create_time }] of checked.entries.entries()) {
    requirePast(entry_create_time, `entries/${i}.entry_create_time`, now)
  }
  if (checked.publish_time && entries.length === 0) refuse('entries is empty, but the upload is published')
  return { record: checked, datasets: datasetRecords(info, checked.upload_create_time) }
}

function requireVersion(version: unknown): void {
  const numbers = /^v?(\d+)\.(\d+)\.(\d+)/.exec(String(version))?.slice(1).map(Number)
  if (!numbers) refuse(`source.version is ${String(version)}, which is no version`)
  const i = numbers.findIndex((number, k) => number !== OLDEST[k])
  if (i >= 0 && numbers[i]! < OLDEST[i]!) {
    refuse(`source.version is ${String(version)}; bundles are read from ${OLDEST.join('.')} on`)
  }
}

function requireEnded({ process_status }: Json, place: string): void {
  if (RUNNING.has(String(process_status)))
    refuse(`${place}.process_status is ${process_status}: a process is running`)
}

function requirePast(time: string | null | undefined, place: string, now: number): void {
  if (time && Date.parse(utc(time)) > now + TOLERANCE) refuse(`${place} is in the future: ${time}`)
}

function entryRecord(entry: unknown, place: string, uploadId: string): Json {
  if (!isMap(entry)) return refuse(`${place} must be an object`)
  const { _id, mainfile, mainfile_key, upload_id = uploadId } = entry
  if (typeof _id !== 'string' || typeof mainfile !== 'string') refuse(`${place} needs _id and mainfile`)
  if (upload_id !== uploadId) refuse(`${place}.upload_id is ${String(upload_id)}, not that of the bundle`)
  const expected = entryIdOf(uploadId, mainfile, typeof mainfile_key === 'string' ? mainfile_key : '')
  if (_id !== expected) refuse(`${place}._id is ${_id}, but the id of ${mainfile} is ${expected}`)
  requireEnded(entry, place)
  return { ...entry, entry_id: _id }
}

function datasetRecords(info: Json, created: string): DatasetRecord[] {
  if (!at(info, 'export_settings.include_datasets')) return []
  const datasets = info.datasets ?? []
  if (!Array.isArray(datasets)) return refuse('datasets must be a list')
  return datasets.map((dataset, i) => {
    const record = { dataset_create_time: created, ...(isMap(dataset) ? dataset : {}) }
    const fault = recordFault(DatasetRecord, record)
    if (fault) refuse(`datasets/${i}: ${fault}`)
    return record as unknown as DatasetRecord
  })
}
