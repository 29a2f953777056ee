/**
 * The port to the documents store: people, groups, datasets, uploads, entries and metainfo packages.
 * Adapters: `sqlite/`, `mongodb/`. Times are ISO 8601 text in UTC with `Z` and millisecond precision.
 */

/** A person (`datasets-users-groups.md` §2). */
export interface User {
  readonly user_id: string
  readonly username: string
  readonly email?: string
  readonly first_name: string
  readonly last_name: string
  readonly affiliation?: string
  readonly affiliation_address?: string
  readonly is_admin?: boolean
}

/** A user group (`datasets-users-groups.md` §3.1); `members` includes the owner. */
export interface Group {
  readonly group_id: string
  readonly group_name: string
  readonly description?: string | null
  readonly owner: string
  readonly members: readonly string[]
  readonly members_info: readonly {
    readonly user_id: string
    readonly role: 'owner' | 'maintainer' | 'member'
  }[]
}

/** A dataset (`datasets-users-groups.md` §1.1). Which entries belong to it is kept with the entries. */
export interface Dataset {
  readonly dataset_id: string
  readonly dataset_name: string
  readonly user_id: string
  readonly dataset_create_time: string
  readonly dataset_modified_time: string
  readonly dataset_type: 'owned' | 'foreign'
  readonly doi?: string
  readonly pid?: string
  readonly query?: unknown
  readonly entries?: readonly string[]
}

/** An upload (`uploads.md` §1); persons and groups by id. */
export interface Upload {
  readonly upload_id: string
  readonly upload_name?: string
  readonly description?: string
  readonly upload_create_time: string
  readonly main_author: string
  readonly coauthors: readonly string[]
  readonly coauthor_groups: readonly string[]
  readonly reviewers: readonly string[]
  readonly reviewer_groups: readonly string[]
  /** Set when the upload is published. */
  readonly publish_time?: string
  /** Months. */
  readonly embargo_length: number
  readonly license: string
  readonly external_db?: string
  readonly process_status: string
  readonly current_process?: string
  readonly last_status_message?: string
  readonly complete_time?: string
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
  /** Checksum of what an import made this upload from; the same again is not imported again. */
  readonly import_checksum?: string
}

/** An entry's own data beside its archive (`uploads.md` §1.2). */
export interface Entry {
  readonly entry_id: string
  readonly upload_id: string
  readonly mainfile: string
  readonly mainfile_key?: string
  readonly parser_name: string
  readonly process_status: string
  readonly current_process?: string
  readonly last_status_message?: string
  readonly complete_time?: string
  readonly entry_create_time: string
  readonly last_processing_time?: string
  readonly last_edit_time?: string
  readonly entry_hash?: string
  readonly external_id?: string
  readonly comment?: string
  readonly references: readonly string[]
  /** User ids. */
  readonly entry_coauthors: readonly string[]
  /** Dataset ids. */
  readonly datasets: readonly string[]
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
}

/** Where an entry's files are. */
export type EntryPlace = Pick<Entry, 'entry_id' | 'upload_id' | 'mainfile'>

/** A stored metainfo package: its definitions as JSON (`archive.md` §5.3). */
export interface MetainfoPackage {
  readonly name: string
  readonly definition: Readonly<Record<string, unknown>>
}

/** Which uploads a list of uploads shows (`uploads.md` §2.1); members are AND-ed, absent ones do not count. */
export interface UploadFilter {
  /** Uploads in which this person, or one of these groups, has one of the roles. */
  readonly member?: {
    readonly userId: string
    readonly groupIds: readonly string[]
    readonly roles: readonly ('main_author' | 'coauthor' | 'reviewer')[]
  }
  readonly uploadIds?: readonly string[]
  readonly uploadNames?: readonly string[]
  /** Case-insensitive part of the name. */
  readonly nameContains?: string
  readonly published?: boolean
  readonly processStatus?: readonly string[]
  /** `only`: main author is this person; `except`: is not. */
  readonly owned?: { readonly userId: string; readonly is: boolean }
}

/** What uploads can be ordered by. */
export type UploadOrder =
  | 'upload_create_time'
  | 'publish_time'
  | 'upload_name'
  | 'last_status_message'
  | 'process_status'

/**
 * A slice of a sorted list. Text is ordered by UTF-8 bytes, missing values come first (last in descending order); ties are
 * ordered by what the list says, ascending.
 */
export interface ListPage<Order extends string> {
  readonly orderBy: Order
  readonly order: 'asc' | 'desc'
  readonly offset: number
  readonly limit: number
}

/** A slice of a list of uploads; ties by `upload_create_time`, `upload_id`. */
export type UploadPage = ListPage<UploadOrder>

/** What the entries of an upload can be ordered by (`uploads.md` §2.3). */
export type EntryOrder =
  | 'mainfile'
  | 'parser_name'
  | 'process_status'
  | 'current_process'
  | 'entry_create_time'

/** Which datasets a list shows (`datasets-users-groups.md` §1.2); members are AND-ed, absent ones do not count. */
export interface DatasetFilter {
  readonly datasetId?: string
  readonly name?: string
  /** How the name begins, in any case. */
  readonly namePrefix?: string
  /** Datasets of any of these persons. */
  readonly userIds?: readonly string[]
  readonly type?: string
  readonly doi?: string
}

/** What datasets can be ordered by. */
export type DatasetOrder = 'dataset_create_time' | 'dataset_modified_time' | 'dataset_name'

/** Which groups a list shows (`datasets-users-groups.md` §3.2); members are AND-ed, absent ones do not count. */
export interface GroupFilter {
  readonly groupIds?: readonly string[]
  /** Groups that this person owns or is a member of. */
  readonly userId?: string
  /** Each is a part of the name, in any case. */
  readonly nameContains?: readonly string[]
}

/** What groups can be ordered by. */
export type GroupOrder = 'group_id' | 'group_name' | 'owner'

/**
 * Setting of an installation that is being filled from a backup or another installation (`backup/filling.ts`): from which.
 * Absent or empty when it is complete.
 */
export const FILLED_FROM = 'filled_from'

/** The documents store. Writers replace whole documents by id; unknown ids read as undefined. */
export interface DocumentStore {
  user(userId: string): Promise<User | undefined>
  userByName(username: string): Promise<User | undefined>
  /** Known ones only, in no fixed order. */
  users(userIds: readonly string[]): Promise<User[]>
  /** Persons of any of these user names, in no fixed order. */
  usersByName(usernames: readonly string[]): Promise<User[]>
  /** Persons of any of these e-mail addresses, in any case; in no fixed order. */
  usersByEmail(emails: readonly string[]): Promise<User[]>
  /**
   * Persons of whose names every text is a beginning (`person-names.ts`), ordered by user name, then id.
   * @param beginnings at least one
   */
  usersNamed(beginnings: readonly string[], limit: number): Promise<User[]>
  /** Everybody, ordered by user name, then id. */
  everyUser(): Promise<User[]>
  putUsers(users: readonly User[]): Promise<void>

  group(groupId: string): Promise<Group | undefined>
  /** Ids of the groups this person owns or is a member of (the special group `all` is not a document). */
  groupIdsOf(userId: string): Promise<string[]>
  /** Ties by `group_id`. */
  listGroups(filter: GroupFilter, page: ListPage<GroupOrder>): Promise<{ total: number; groups: Group[] }>
  putGroups(groups: readonly Group[]): Promise<void>

  dataset(datasetId: string): Promise<Dataset | undefined>
  datasets(datasetIds: readonly string[]): Promise<Dataset[]>
  /** Ties by `dataset_create_time`, `dataset_id`. */
  listDatasets(
    filter: DatasetFilter,
    page: ListPage<DatasetOrder>
  ): Promise<{ total: number; datasets: Dataset[] }>
  putDatasets(datasets: readonly Dataset[]): Promise<void>

  upload(uploadId: string): Promise<Upload | undefined>
  listUploads(filter: UploadFilter, page: UploadPage): Promise<{ total: number; uploads: Upload[] }>
  putUpload(upload: Upload): Promise<void>

  /**
   * Tells that an upload without document is being put together: until it has one, nobody finds its entries
   * (`access/pending-uploads.ts`). Kept until it is taken back; told again, nothing changes.
   */
  addPendingUpload(uploadId: string): Promise<void>
  /** Takes that back; an unknown id is no error. */
  removePendingUpload(uploadId: string): Promise<void>
  /** Ids of the uploads that are being put together and have no document yet, in order. */
  pendingUploads(): Promise<string[]>

  entry(entryId: string): Promise<Entry | undefined>
  /** The entries of these ids that exist, in no fixed order. */
  entries(entryIds: readonly string[]): Promise<Entry[]>
  /** Where the entries of these ids that exist have their files, in no fixed order; many are no matter. */
  entryPlaces(entryIds: readonly string[]): Promise<EntryPlace[]>
  /** All entries of an upload, ordered by mainfile, then entry id. */
  entriesOfUpload(uploadId: string): Promise<Entry[]>
  /** A slice of the entries of an upload; ties by `entry_id`. */
  listEntries(uploadId: string, page: ListPage<EntryOrder>): Promise<Entry[]>
  /** Number of entries of an upload by their `process_status`; those that none has are left out. */
  countEntriesByStatus(uploadId: string): Promise<Map<string, number>>
  /** Number of entries for each of these uploads. */
  countEntries(uploadIds: readonly string[]): Promise<Map<string, number>>
  putEntries(entries: readonly Entry[]): Promise<void>
  /** Removes entries; unknown ids are no error. */
  removeEntries(entryIds: readonly string[]): Promise<void>

  /** Ids of the entries whose archives define a section or package of this id (`graph.md` §10), in order. */
  entriesDefining(definitionId: string): Promise<string[]>
  /** Replaces the ids of the definitions in the archive of an entry. They go with the entry. */
  putDefinitionIds(entryId: string, definitionIds: readonly string[]): Promise<void>
  /** The ids of the definitions in the archives of these entries, in no fixed order; entries without any are left out. */
  definitionIds(entryIds: readonly string[]): Promise<Map<string, string[]>>

  packages(): Promise<MetainfoPackage[]>
  putPackages(packages: readonly MetainfoPackage[]): Promise<void>

  /** Small named values of the installation: schema version, generated secret, that the demo data was imported. */
  setting(name: string): Promise<string | undefined>
  putSetting(name: string, value: string): Promise<void>
  /** Sets a value unless there is one already; gives the one that counts, also when several processes ask at once. */
  initSetting(name: string, value: string): Promise<string>
  /** All of them. */
  settings(): Promise<Map<string, string>>

  /**
   * Asks for a sign of life.
   * @param limit milliseconds
   * @throws Error when the store does not answer within them, or cannot be used
   */
  ping(limit: number): Promise<void>
  close(): Promise<void>
}
