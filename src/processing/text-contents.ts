/**
 * `text_search_contents` of the index document: what the search by words looks through (`search.md` §10.4).
 */

/** Longest text, in characters. */
const TEXT_LENGTH = 500
/** Most texts of one entry. */
const TEXT_COUNT = 10_000
/** Longer lists of persons or datasets are left out. */
const LIST_LENGTH = 20

function texts(value: unknown): string[] {
  if (Array.isArray(value)) return value.length > LIST_LENGTH ? [] : value.flatMap(texts)
  return typeof value === 'string' && value !== '' ? [value] : []
}

function names(list: unknown, ...members: string[]): unknown[] {
  const items = Array.isArray(list) ? list : list === undefined ? [] : [list]
  return items.flatMap(item => members.map(member => item?.[member]))
}

/**
 * Distinct texts of an entry, the longest cut.
 * @param document index document with `main_author`, `authors`, `viewers` and `datasets` as objects
 * @param dataTexts texts below `data`
 */
export function textContents(
  document: Readonly<Record<string, unknown>>,
  dataTexts: readonly string[]
): string[] {
  const { upload_name, description, entry_name, comment, origin, domain } = document
  const all = [
    ...texts([upload_name, description, entry_name, comment, origin, domain]),
    // Reviewers are viewers who are not authors.
    ...['main_author', 'authors', 'viewers'].flatMap(people => texts(names(document[people], 'name'))),
    ...texts(names(document.datasets, 'dataset_name', 'doi')),
    ...dataTexts
  ]
  const cut = all.map(text => (text.length > TEXT_LENGTH ? [...text].slice(0, TEXT_LENGTH).join('') : text))
  return [...new Set(cut)].slice(0, TEXT_COUNT)
}
