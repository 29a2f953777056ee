/**
 * Persons of an entry as the index document holds them (`search.md` §2, §10.1).
 */
import { viewerGroupsOf, viewersOf, writersOf } from '../access/upload-access.ts'
import type { Entry, Upload, User } from '../storage/documents.ts'

/** A person in the index document. */
export interface IndexedPerson {
  readonly user_id: string
  readonly name?: string
}

/** The persons of an entry by their part in it. */
export interface IndexedPeople {
  readonly main_author: IndexedPerson
  readonly authors: readonly IndexedPerson[]
  readonly writers: readonly IndexedPerson[]
  readonly writer_groups: readonly string[]
  readonly viewers: readonly IndexedPerson[]
  readonly viewer_groups: readonly string[]
}

/** A name as the reference writes it, and names are what people are searched by: `Mei-Lin` becomes `Mei-lin`. */
export function capitalised(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1).toLowerCase()
}

/** A person's name, `first last`. */
export function personName(user: User): string {
  return `${capitalised(user.first_name)} ${capitalised(user.last_name)}`.trim()
}

/** Whether only the entry's own coauthors are its authors: entries that were taken over from elsewhere. */
function hasOwnAuthorsOnly(entry: Entry, upload: Upload, entryType: unknown): boolean {
  return (
    entry.entry_coauthors.length > 0 &&
    (upload.external_db === 'EELS Data Base' || entryType === 'AIToolkitNotebook')
  )
}

/**
 * The persons of an entry. Persons that are not known have an id only.
 * @param entryType `entry_type` of the entry
 */
export function indexedPeople(
  entry: Entry,
  upload: Upload,
  persons: ReadonlyMap<string, User>,
  entryType: unknown
): IndexedPeople {
  const person = (id: string): IndexedPerson => {
    const user = persons.get(id)
    return user ? { user_id: id, name: personName(user) } : { user_id: id }
  }
  const authors = hasOwnAuthorsOnly(entry, upload, entryType)
    ? entry.entry_coauthors
    : [upload.main_author, ...upload.coauthors, ...entry.entry_coauthors]
  return {
    main_author: person(upload.main_author),
    authors: [...new Set(authors)].map(person),
    writers: writersOf(upload).map(person),
    writer_groups: [...new Set(upload.coauthor_groups)],
    viewers: viewersOf(upload).map(person),
    viewer_groups: viewerGroupsOf(upload)
  }
}
