/**
 * What an import makes of one upload of a folder: checked before anything is stored. What names something unknown, or
 * has a file that cannot be used, is left out and told.
 */
import { createHash } from 'node:crypto'
import { EVERYBODY } from '../access/caller.ts'
import type { Dataset, DocumentStore, Entry, Upload, User } from '../storage/documents.ts'
import { entryOf, type RawFileRecord, type UploadRecord, uploadOf } from './corpus-records.ts'
import { BadFile, type ImportProblem } from './import-problem.ts'
import type { ArchiveInput, UploadFiles } from './upload-files.ts'

/** Counts up when the same upload must be imported again because Serai makes something else of it. */
const IMPORT_VERSION = 1

/** An entry that can be imported. */
export interface PlannedEntry {
  readonly entry: Entry
  /** Absent when it has none. */
  readonly archive?: ArchiveInput
}

/** An upload that can be imported. */
export interface UploadPlan {
  /** Without checksum. */
  readonly upload: Upload
  readonly entries: readonly PlannedEntry[]
  readonly rawFiles: readonly RawFileRecord[]
  readonly persons: ReadonlyMap<string, User>
  readonly datasets: ReadonlyMap<string, Dataset>
  /** Of everything that the stored upload is made from. */
  readonly checksum: string
  /** What had to be left out. */
  readonly problems: readonly ImportProblem[]
}

/** What all uploads of a folder are planned with. */
export interface PlanContext {
  readonly files: UploadFiles
  readonly documents: DocumentStore
  /** Ids of the datasets that list an entry, by entry id. */
  readonly datasetsOf: ReadonlyMap<string, readonly string[]>
  /** Checksum of what all uploads of the folder are made with: its section definitions. */
  readonly checksum: string
}

/**
 * Reads everything about an upload but its archives' contents.
 * @throws BadFile when the upload as a whole cannot be imported
 */
export async function planUpload(record: UploadRecord, context: PlanContext): Promise<UploadPlan> {
  const { files, documents } = context
  const upload = uploadOf(record)
  requireConsistent(record, files.list)
  const given = record.entries.map(entry => ({
    record: entry,
    entry: entryOf(entry, upload.upload_id, context.datasetsOf.get(entry.entry_id) ?? [])
  }))
  const persons = await personsOf(
    documents,
    upload,
    given.map(g => g.entry)
  )
  const datasets = await datasetsOf(
    documents,
    given.map(g => g.entry)
  )
  await requireKnown(documents, upload, persons, files.list)

  const hash = createHash('sha256')
  const add = (value: unknown) => hash.update(JSON.stringify(value) + '\n')
  add([IMPORT_VERSION, context.checksum, upload, [...persons.values()], [...datasets.values()]])

  const problems: ImportProblem[] = []
  const raw = await checkedRawFiles(record, files, add, problems)
  const stored = await documents.entries(given.map(g => g.entry.entry_id))
  const owners = new Map(stored.map(e => [e.entry_id, e.upload_id]))
  const entries = new Map<string, PlannedEntry>()
  for (const { record: entryRecord, entry } of given) {
    // Told with the file already.
    if (raw.bad.has(entry.mainfile)) continue
    try {
      const owner = owners.get(entry.entry_id) ?? upload.upload_id
      const unknown =
        entry.entry_coauthors.find(id => !persons.has(id)) ?? entry.datasets.find(id => !datasets.has(id))
      const fault =
        files.hasRaw && !raw.good.has(entry.mainfile)
          ? `has the mainfile ${entry.mainfile}, which is not among the raw files`
          : owner !== upload.upload_id
            ? `belongs to the upload ${owner}`
            : entries.has(entry.entry_id)
              ? 'is listed twice'
              : unknown !== undefined
                ? `names ${unknown}, which is not known`
                : undefined
      if (fault) throw new BadFile(files.list, `${upload.upload_id}: entry ${entry.entry_id} ${fault}`)
      const archive =
        entryRecord.has_archive === false
          ? undefined
          : await files.archive(upload.upload_id, entry.entry_id, entryRecord.has_archive === true)
      entries.set(entry.entry_id, { entry, ...(archive ? { archive } : {}) })
      add([entry, archive ? await archive.checksum() : null])
    } catch (error) {
      problems.push(problemOf(error))
    }
  }
  return {
    upload,
    entries: [...entries.values()],
    rawFiles: [...raw.good.values()],
    persons,
    datasets,
    checksum: hash.digest('hex'),
    problems
  }
}

interface RawFiles {
  readonly good: ReadonlyMap<string, RawFileRecord>
  readonly bad: ReadonlySet<string>
}

async function checkedRawFiles(
  record: UploadRecord,
  files: UploadFiles,
  add: (value: unknown) => void,
  problems: ImportProblem[]
): Promise<RawFiles> {
  const good = new Map<string, RawFileRecord>()
  const bad = new Set<string>()
  for (const file of record.raw_files) {
    const content = createHash('sha256')
    try {
      if (good.has(file.path)) throw new BadFile(files.list, `${record.upload_id}: lists ${file.path} twice`)
      await files.checkRaw(record.upload_id, file, content)
      good.set(file.path, file)
      add([file.path, content.digest('hex')])
    } catch (error) {
      problems.push(problemOf(error))
      if (!good.has(file.path)) bad.add(file.path)
    }
  }
  return { good, bad }
}

/** Never shows an upload to more people than either of two contradicting statements allows: it is refused. */
function requireConsistent(record: UploadRecord, list: string): void {
  const refuse = (why: string) => {
    throw new BadFile(list, `${record.upload_id}: ${why}`)
  }
  if (record.published != null && record.published !== (record.publish_time != null)) {
    refuse(
      record.published ? 'is published but has no publish_time' : 'is not published but has a publish_time'
    )
  }
  if (record.with_embargo != null && record.with_embargo !== (record.embargo_length ?? 0) > 0) {
    refuse(`with_embargo is ${record.with_embargo}, but embargo_length is ${record.embargo_length ?? 0}`)
  }
}

async function requireKnown(
  documents: DocumentStore,
  upload: Upload,
  persons: ReadonlyMap<string, User>,
  list: string
): Promise<void> {
  const unknownPerson = [upload.main_author, ...upload.coauthors, ...upload.reviewers].find(
    id => !persons.has(id)
  )
  if (unknownPerson !== undefined) {
    throw new BadFile(list, `${upload.upload_id}: there is no person ${unknownPerson}`)
  }
  for (const id of new Set([...upload.coauthor_groups, ...upload.reviewer_groups])) {
    if (id !== EVERYBODY && !(await documents.group(id))) {
      throw new BadFile(list, `${upload.upload_id}: there is no group ${id}`)
    }
  }
}

async function personsOf(
  documents: DocumentStore,
  upload: Upload,
  entries: readonly Entry[]
): Promise<Map<string, User>> {
  const ids = new Set([upload.main_author, ...upload.coauthors, ...upload.reviewers])
  for (const entry of entries) for (const id of entry.entry_coauthors) ids.add(id)
  const users = await documents.users([...ids])
  return new Map(users.map(u => [u.user_id, u] as const).sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function datasetsOf(
  documents: DocumentStore,
  entries: readonly Entry[]
): Promise<Map<string, Dataset>> {
  const datasets = await documents.datasets([...new Set(entries.flatMap(e => e.datasets))])
  return new Map(datasets.map(d => [d.dataset_id, d] as const).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function problemOf(error: unknown): ImportProblem {
  if (error instanceof BadFile) return { file: error.file, message: error.message }
  throw error
}
