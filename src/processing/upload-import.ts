/**
 * One upload of a folder into the stores. The order is such that a process killed anywhere leaves nothing half visible
 * and the next import takes it up again: raw files, archives, entries, index documents, and the upload document last,
 * with the checksum of what it was made from. Of a new upload nothing is found before all of it is there (`new-upload.ts`);
 * nothing is seen by more people than may see both the old version and the new one while parts of both stand side by side.
 */
import { definitionIdsOf } from '../archive/definition-ids.ts'
import type { JsonObject } from '../archive/definitions.ts'
import { UnusableArchive } from '../archive/parts.ts'
import { packStream } from '../archive/stream-pack.ts'
import type { RawInput } from '../files/raw-files.ts'
import { directoryOf } from '../files/raw-path.ts'
import type { IndexDocument } from '../search/entry-index.ts'
import type { Services } from '../services.ts'
import type { Entry, Upload } from '../storage/documents.ts'
import { ArchiveOutline, withoutReferenceTargets } from './archive-outline.ts'
import { BATCH, EntryBatches } from './entry-batches.ts'
import type { ImportLinks } from './import-links.ts'
import { BadFile, type ImportProblem } from './import-problem.ts'
import { guarded, isLessVisible } from './import-visibility.ts'
import { indexDocument } from './index-document.ts'
import { NewUpload } from './new-upload.ts'
import type { UploadFiles } from './upload-files.ts'
import type { PlannedEntry, UploadPlan } from './upload-plan.ts'

/** What the uploads of a folder are imported with. */
export interface ImportTarget {
  readonly files: UploadFiles
  readonly services: Services
  readonly links: ImportLinks
  /** Called before each entry. */
  readonly onEntry: (entry: Entry) => void
}

/** What became of an upload. */
export interface ImportedUpload {
  /** Number of entries that are stored. */
  readonly entries: number
  readonly problems: readonly ImportProblem[]
  /** Whether it was hidden: servers find it a little later (`access/pending-uploads.ts`). */
  readonly wasHidden: boolean
}

/**
 * Imports an upload, whether it is new, changed or was interrupted.
 * @throws SeraiError when a store fails
 */
export async function importUpload(plan: UploadPlan, target: ImportTarget): Promise<ImportedUpload> {
  const { documents, files } = target.services
  const { upload } = plan
  const problems = [...plan.problems]
  const old = await documents.upload(upload.upload_id)
  const added = old ? undefined : await NewUpload.begin(upload, plan.entries.length > BATCH, documents)
  await prepare(plan, old, target.services)

  try {
    await files.replace(upload.upload_id, rawInputs(plan, target.files))
  } catch (error) {
    await added?.end()
    problems.push({ file: target.files.list, message: text(upload.upload_id, error) })
    return { entries: 0, problems, wasHidden: false }
  }

  const batches = new EntryBatches(target.services, signal => added?.beforeEntries(signal))
  try {
    for (const planned of plan.entries) {
      target.onEntry(planned.entry)
      const document = await importEntry(planned, plan, target).catch((error: unknown) => {
        if (!(error instanceof BadFile)) throw error
        problems.push({ file: error.file, message: error.message })
      })
      if (document) await batches.add(planned.entry, document)
      else await removeEntries(target.services, [planned.entry.entry_id])
    }
    await batches.end()
  } catch (error) {
    await batches.stop()
    throw error
  }
  await documents.putUpload(problems.length > 0 ? upload : { ...upload, import_checksum: plan.checksum })
  await added?.end()
  return { entries: batches.stored, problems, wasHidden: added?.isHidden === true }
}

/** Takes away what an older version of the upload must not show any longer. */
async function prepare(
  { upload, entries }: UploadPlan,
  old: Upload | undefined,
  services: Services
): Promise<void> {
  const { documents, index } = services
  if (old) await documents.putUpload(guarded(old, upload))
  const present = (await documents.entriesOfUpload(upload.upload_id)).map(e => e.entry_id)
  if (present.length === 0) return
  // Without checksum an earlier import was interrupted: what the index holds may be older than the document tells.
  if (!old?.import_checksum || isLessVisible(old, upload)) await index.remove(present)
  const staying = new Set(entries.map(e => e.entry.entry_id))
  await removeEntries(
    services,
    present.filter(id => !staying.has(id))
  )
}

async function removeEntries(
  { index, documents, archives }: Services,
  entryIds: readonly string[]
): Promise<void> {
  if (entryIds.length === 0) return
  await index.remove(entryIds)
  await documents.removeEntries(entryIds)
  await archives.remove(entryIds)
}

/** Files have the time of the upload, so that importing the same again gives the same downloads. */
function* rawInputs({ upload, rawFiles }: UploadPlan, files: UploadFiles): Generator<RawInput> {
  const modified = new Date(upload.upload_create_time)
  for (const file of rawFiles) {
    yield { path: file.path, modified, open: () => files.openRaw(upload.upload_id, file) }
  }
}

/**
 * Stores an entry's archive.
 * @returns its index document, which is not stored yet
 * @throws BadFile when the archive cannot be used; the entry is to be removed then
 */
async function importEntry(
  planned: PlannedEntry,
  plan: UploadPlan,
  target: ImportTarget
): Promise<IndexDocument> {
  const { services } = target
  const { entry, archive } = planned
  if (!archive) {
    await services.archives.remove([entry.entry_id])
    await services.documents.putDefinitionIds(entry.entry_id, [])
    return document(planned, plan, target, undefined)
  }
  const outline = new ArchiveOutline()
  await services.archives.put(entry.entry_id, entry.upload_id, async store => {
    const packed = packStream(outline.watch(withoutReferenceTargets(archive.parts())))
    try {
      for await (const block of packed.blocks) await store(block)
    } catch (error) {
      throw error instanceof UnusableArchive ? new BadFile(archive.file, error.message) : error
    }
    return packed.contents()
  })
  const definitions = outline.archive.definitions as JsonObject | undefined
  await services.documents.putDefinitionIds(entry.entry_id, definitions ? definitionIdsOf(definitions) : [])
  return document(planned, plan, target, outline.archive)
}

async function document(
  { entry, archive: input }: PlannedEntry,
  { upload, persons, datasets, rawFiles }: UploadPlan,
  { services, links, files }: ImportTarget,
  archive: JsonObject | undefined
): Promise<IndexDocument> {
  const { schemas, mainfileOf } = await links.of(archive ?? {}, upload.upload_id)
  const definitions = archive?.definitions as JsonObject | undefined
  const scope = services.definitions.scope(
    { entryId: entry.entry_id, uploadId: upload.upload_id, ...(definitions ? { definitions } : {}) },
    schemas
  )
  const folder = directoryOf(entry.mainfile)
  const beside = rawFiles.map(f => f.path).filter(p => p !== entry.mainfile && directoryOf(p) === folder)
  try {
    return indexDocument({
      entry,
      upload,
      ...(archive ? { archive } : {}),
      persons,
      datasets,
      definitions: scope,
      quantities: services.quantities,
      files: [entry.mainfile, ...beside.sort()],
      mainfileOf
    })
  } catch (error) {
    throw new BadFile(input?.file ?? files.list, text('cannot be indexed', error))
  }
}

function text(what: string, error: unknown): string {
  return `${what}: ${error instanceof Error ? error.message : String(error)}`
}
