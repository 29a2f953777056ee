/**
 * The tables of the search file.
 *
 * Entries are numbered from 0 (`entry.row`), nested objects per path likewise. A set of rows is stored in chunks of
 * {@link CHUNK_ROWS} rows. `term` holds the distinct values of every keyword, boolean, text and path field, `posting`
 * the rows of each; so a criterion, a complement or a facet over a million entries reads some hundred small blobs.
 * Numbers and dates are kept per chunk as pairs of place and value (`number`), words of texts in their order
 * (`sequence`) for phrases.
 *
 * A term of field 0 names a set itself: the rows that have any value of a field, all entries (''), or all nested
 * objects of a path.
 */
import type { FileFormat } from '../../storage/sqlite/database.ts'

/** Format of `search.sqlite`. */
export const SEARCH_FORMAT: FileFormat = {
  version: 1,
  schema: `
    CREATE TABLE setting (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE entry (row INTEGER PRIMARY KEY, entry_id TEXT NOT NULL UNIQUE);
    -- nested: JSON [[path field, first row, count], ...]; body: zstd with the stored dictionary
    CREATE TABLE document (row INTEGER PRIMARY KEY, nested TEXT NOT NULL, body BLOB NOT NULL);
    -- terms: number of distinct values so far; next_row: of a nested path
    CREATE TABLE field (
      id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
      terms INTEGER NOT NULL DEFAULT 0, next_row INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE term (
      field INTEGER NOT NULL, value TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (field, value)
    ) WITHOUT ROWID;
    CREATE TABLE posting (
      term INTEGER NOT NULL, chunk INTEGER NOT NULL, rows BLOB NOT NULL, PRIMARY KEY (term, chunk)
    ) WITHOUT ROWID;
    CREATE TABLE number (
      id INTEGER PRIMARY KEY, field INTEGER NOT NULL, chunk INTEGER NOT NULL,
      low REAL NOT NULL, high REAL NOT NULL, type INTEGER NOT NULL, places BLOB NOT NULL, data BLOB NOT NULL,
      UNIQUE (field, chunk)
    );
    CREATE TABLE sequence (
      id INTEGER PRIMARY KEY, field INTEGER NOT NULL, chunk INTEGER NOT NULL, words BLOB NOT NULL, UNIQUE (field, chunk)
    );
    `
}

/** Where the nested objects of a path stand that are in a document: as in `document.nested`. */
export type NestedSpan = [field: number, first: number, count: number]

/** Field of the terms that name sets of rows. */
export const SETS = 0

/** Term of {@link SETS}: all entries. */
export const ALL_ENTRIES = ''

/** Name in `field` of a nested path, whose numbers are the rows that the objects stand in. */
export function nestedName(path: string): string {
  return `nested ${path}`
}
