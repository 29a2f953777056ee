/**
 * The records of a folder of uploads (`users.json`, `groups.json`, `datasets.json`, `uploads.json`) as TypeBox schemas,
 * and how they become documents. `fixtures/README.md` describes the layout.
 */
import Type, { type Static, type TSchema } from 'typebox'
import Value from 'typebox/value'
import type { Dataset, Entry, Group, Upload, User } from '../storage/documents.ts'

const Text = () => Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'] }))
const Flag = () => Type.Optional(Type.Unsafe<boolean | null>({ type: ['boolean', 'null'] }))
const Texts = () => Type.Optional(Type.Array(Type.String()))

/** Ids stand in file names and URLs. */
const Id = () => Type.String({ pattern: '^[A-Za-z0-9_-]{1,128}$' })

// Every text of this form is a time that `Date` can read.
const TIME =
  '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d(\\.\\d+)?)?(Z|[+-]([01]\\d|2[0-3]):?[0-5]\\d)?$'
const Time = () => Type.String({ pattern: TIME })
const MaybeTime = () => Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'], pattern: TIME }))

/** One of `users.json`. */
export const UserRecord = Type.Object({
  user_id: Type.String({ minLength: 1 }),
  username: Type.String({ minLength: 1 }),
  email: Text(),
  first_name: Type.String(),
  last_name: Type.String(),
  affiliation: Text(),
  affiliation_address: Text(),
  is_admin: Flag()
})

/** One of `groups.json`. */
export const GroupRecord = Type.Object({
  group_id: Type.String({ minLength: 1 }),
  group_name: Type.String(),
  description: Text(),
  owner: Type.String(),
  members: Texts(),
  members_info: Type.Optional(
    Type.Array(
      Type.Object({
        user_id: Type.String(),
        role: Type.Unsafe<'owner' | 'maintainer' | 'member'>({ enum: ['owner', 'maintainer', 'member'] })
      })
    )
  )
})

/** One of `datasets.json`. */
export const DatasetRecord = Type.Object({
  dataset_id: Type.String({ minLength: 1 }),
  dataset_name: Type.String(),
  user_id: Type.String(),
  dataset_create_time: Time(),
  dataset_modified_time: MaybeTime(),
  dataset_type: Type.Optional(Type.Unsafe<'owned' | 'foreign'>({ enum: ['owned', 'foreign'] })),
  doi: Text(),
  pid: Text(),
  query: Type.Optional(Type.Unknown()),
  entries: Texts()
})

/** An entry in `uploads.json`. */
export const EntryRecord = Type.Object({
  entry_id: Id(),
  mainfile: Type.String({ minLength: 1 }),
  mainfile_key: Text(),
  parser_name: Type.String(),
  process_status: Type.String(),
  current_process: Text(),
  last_status_message: Text(),
  complete_time: MaybeTime(),
  entry_create_time: Time(),
  last_processing_time: MaybeTime(),
  last_edit_time: MaybeTime(),
  entry_hash: Text(),
  external_id: Text(),
  comment: Text(),
  references: Texts(),
  entry_coauthors: Texts(),
  datasets: Texts(),
  errors: Texts(),
  warnings: Texts(),
  has_archive: Flag()
})

/** A raw file in `uploads.json`; with `encoding` it is kept as base64 under its name and `.b64`. */
export const RawFileRecord = Type.Object({
  path: Type.String({ minLength: 1 }),
  size: Type.Integer({ minimum: 0 }),
  encoding: Type.Optional(Type.Unsafe<'base64' | null>({ enum: ['base64', null] }))
})

/** One of `uploads.json`; writers and viewers follow from the other members. */
export const UploadRecord = Type.Object({
  upload_id: Id(),
  upload_name: Text(),
  description: Text(),
  upload_create_time: Time(),
  main_author: Type.String(),
  coauthors: Texts(),
  coauthor_groups: Texts(),
  reviewers: Texts(),
  reviewer_groups: Texts(),
  published: Flag(),
  publish_time: MaybeTime(),
  with_embargo: Flag(),
  embargo_length: Type.Optional(Type.Integer({ minimum: 0, maximum: 36 })),
  license: Text(),
  external_db: Text(),
  process_status: Type.Optional(Type.String()),
  current_process: Text(),
  last_status_message: Text(),
  complete_time: MaybeTime(),
  errors: Texts(),
  warnings: Texts(),
  entries: Type.Array(EntryRecord),
  raw_files: Type.Array(RawFileRecord)
})

export type UserRecord = Static<typeof UserRecord>
export type GroupRecord = Static<typeof GroupRecord>
export type DatasetRecord = Static<typeof DatasetRecord>
export type EntryRecord = Static<typeof EntryRecord>
export type RawFileRecord = Static<typeof RawFileRecord>
export type UploadRecord = Static<typeof UploadRecord>

/** What is wrong with a record, in a few words: `entries/3/mainfile must be string`; undefined when nothing is. */
export function recordFault(schema: TSchema, record: unknown): string | undefined {
  if (Value.Check(schema, record)) return undefined
  const errors = Value.Errors(schema, record)
  const said = errors.slice(0, 3).map(e => `${e.instancePath.slice(1)} ${e.message}`.trim())
  return said.join('; ') + (errors.length > said.length ? `; and ${errors.length - said.length} more` : '')
}

/** An ISO time in UTC with `Z` and milliseconds; without zone it is UTC already (spec README, decision 6). */
export function utc(time: string): string {
  const zoned = /(?:Z|[+-]\d\d:?\d\d)$/.test(time) ? time : `${time}Z`
  return new Date(zoned).toISOString()
}

/** A copy without members that are null or undefined. */
function present<T extends object>(record: T): { [K in keyof T]: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value != null)) as {
    [K in keyof T]: NonNullable<T[K]>
  }
}

const time = (value: string | null | undefined) => (value == null ? undefined : utc(value))

/** The person as stored. */
export function userOf(record: UserRecord): User {
  const { user_id, username, email, first_name, last_name, affiliation, affiliation_address, is_admin } =
    record
  const user = { user_id, username, email, first_name, last_name, affiliation, affiliation_address, is_admin }
  return present(user) as User
}

/** The group as stored: its owner is always a member. */
export function groupOf(record: GroupRecord): Group {
  const { group_id, group_name, description = null, owner } = record
  const given =
    record.members_info ?? (record.members ?? []).map(id => ({ user_id: id, role: 'member' as const }))
  const others = given.filter(member => member.user_id !== owner)
  const members_info = [{ user_id: owner, role: 'owner' as const }, ...others]
  return { group_id, group_name, description, owner, members: members_info.map(m => m.user_id), members_info }
}

/** The dataset as stored; which entries an own dataset has is kept with the entries. */
export function datasetOf(record: DatasetRecord): Dataset {
  const { dataset_id, dataset_name, user_id, doi, pid, query, entries, dataset_type = 'owned' } = record
  const created = utc(record.dataset_create_time)
  return present({
    dataset_id,
    dataset_name,
    user_id,
    dataset_create_time: created,
    dataset_modified_time: time(record.dataset_modified_time) ?? created,
    dataset_type,
    doi,
    pid,
    ...(dataset_type === 'foreign' ? { query, entries } : {})
  }) as Dataset
}

/** The upload as stored, without checksum. */
export function uploadOf(record: UploadRecord): Upload {
  const { upload_id, upload_name, description, main_author, external_db, last_status_message } = record
  const publish_time = time(record.publish_time)
  return present({
    upload_id,
    upload_name,
    description,
    upload_create_time: utc(record.upload_create_time),
    main_author,
    coauthors: record.coauthors ?? [],
    coauthor_groups: record.coauthor_groups ?? [],
    reviewers: record.reviewers ?? [],
    reviewer_groups: record.reviewer_groups ?? [],
    publish_time,
    embargo_length: record.embargo_length ?? 0,
    license: record.license ?? 'CC BY 4.0',
    external_db,
    process_status: record.process_status ?? 'SUCCESS',
    current_process: record.current_process ?? (publish_time ? 'publish_upload' : 'process_upload'),
    last_status_message,
    complete_time: time(record.complete_time),
    errors: record.errors ?? [],
    warnings: record.warnings ?? []
  }) as Upload
}

/**
 * The entry as stored.
 * @param datasets ids of the datasets that list it, beside those it names itself
 */
export function entryOf(record: EntryRecord, uploadId: string, datasets: readonly string[]): Entry {
  const { entry_id, mainfile, mainfile_key, parser_name, process_status, current_process } = record
  const { last_status_message, entry_hash, external_id, comment } = record
  return present({
    entry_id,
    upload_id: uploadId,
    mainfile,
    mainfile_key,
    parser_name,
    process_status,
    current_process,
    last_status_message,
    complete_time: time(record.complete_time),
    entry_create_time: utc(record.entry_create_time),
    last_processing_time: time(record.last_processing_time),
    last_edit_time: time(record.last_edit_time),
    entry_hash,
    external_id,
    comment,
    references: record.references ?? [],
    entry_coauthors: record.entry_coauthors ?? [],
    datasets: [...new Set([...(record.datasets ?? []), ...datasets])],
    errors: record.errors ?? [],
    warnings: record.warnings ?? []
  }) as Entry
}
