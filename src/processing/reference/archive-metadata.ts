/**
 * An upload without description: what its archives tell of it in their `metadata`, as it was when they were processed.
 * Pure.
 */
import { entryIdOf } from '../../archive/entry-id.ts'
import { type EntryRecord, type RawFileRecord, recordFault, UploadRecord, utc } from '../corpus-records.ts'
import { BadFile, type ImportProblem } from '../import-problem.ts'
import type { Access } from './layout.ts'

/** `metadata` of an archive, and the file that it is in. */
export interface ArchiveMetadata {
  readonly entryId: string
  readonly file: string
  readonly metadata: Readonly<Record<string, unknown>>
}

/** Embargo of restricted files whose archives tell none: the longest. */
const LONGEST_EMBARGO = 36

const FOR_UPLOAD = [
  'upload_name',
  'upload_create_time',
  'main_author',
  'coauthors',
  'coauthor_groups',
  'reviewers',
  'reviewer_groups',
  'license',
  'external_db'
]

const FOR_ENTRY = [
  'mainfile',
  'mainfile_key',
  'parser_name',
  'entry_create_time',
  'last_processing_time',
  'last_edit_time',
  'entry_hash',
  'external_id',
  'comment',
  'references',
  'entry_coauthors',
  'datasets'
]

/**
 * Describes an upload. Where its archives differ, the one that was processed last counts.
 * @param access of a published upload
 * @param knownDatasets those of the datasets named that exist; others are left out
 * @throws BadFile when no archive tells enough of the upload
 */
export function describeByMetadata(
  archives: readonly ArchiveMetadata[],
  access: Access | undefined,
  rawFiles: readonly RawFileRecord[],
  knownDatasets: ReadonlySet<string>
): { record: UploadRecord; problems: readonly ImportProblem[] } {
  const problems: ImportProblem[] = []
  const good = archives.filter(archive => {
    const fault = metadataFault(archive)
    if (fault) problems.push({ file: archive.file, message: fault })
    return !fault
  })
  const last = [...good].sort((a, b) => (processed(a) < processed(b) ? 1 : -1))[0]
  if (!last)
    throw new BadFile(archives[0]?.file ?? 'archive', 'holds no archive that tells which upload it is of')
  const { metadata } = last
  const embargo = typeof metadata.embargo_length === 'number' ? metadata.embargo_length : 0
  const record = {
    ...picked(metadata, FOR_UPLOAD),
    upload_id: metadata.upload_id,
    embargo_length: access === 'restricted' ? embargo || LONGEST_EMBARGO : access === 'public' ? 0 : embargo,
    ...(access ? { publish_time: metadata.publish_time ?? processed(last) } : {}),
    entries: good.map(archive => entryRecord(archive, knownDatasets)),
    raw_files: rawFiles
  }
  const fault = recordFault(UploadRecord, record)
  if (fault) throw new BadFile(last.file, `metadata: ${fault}`)
  return { record: record as UploadRecord, problems }

  function metadataFault({ entryId, metadata: own }: ArchiveMetadata): string | undefined {
    const { upload_id, mainfile, mainfile_key } = own
    if (typeof upload_id !== 'string' || typeof mainfile !== 'string') {
      return `${entryId}: its metadata needs upload_id and mainfile`
    }
    if (upload_id !== archives[0]!.metadata.upload_id) return `${entryId}: is of another upload, ${upload_id}`
    const expected = entryIdOf(upload_id, mainfile, typeof mainfile_key === 'string' ? mainfile_key : '')
    return entryId === expected ? undefined : `${entryId}: the id of ${mainfile} is ${expected}`
  }
}

function processed({ metadata }: ArchiveMetadata): string {
  const time = metadata.last_processing_time ?? metadata.entry_create_time ?? metadata.upload_create_time
  return typeof time === 'string' ? utc(time) : ''
}

function picked(metadata: ArchiveMetadata['metadata'], names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter(n => metadata[n] != null).map(n => [n, metadata[n]]))
}

function entryRecord(
  { entryId, metadata }: ArchiveMetadata,
  knownDatasets: ReadonlySet<string>
): EntryRecord {
  const { processing_errors: errors = [], datasets = [] } = metadata
  const record = {
    entry_create_time: metadata.upload_create_time,
    parser_name: '',
    ...picked(metadata, FOR_ENTRY),
    datasets: Array.isArray(datasets) ? datasets.filter(id => knownDatasets.has(id)) : [],
    entry_id: entryId,
    errors: Array.isArray(errors) ? errors.map(String) : [],
    process_status: metadata.processed === false ? 'FAILURE' : 'SUCCESS',
    has_archive: true
  }
  return record as EntryRecord
}
