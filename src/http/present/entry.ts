/** An entry's metadata as clients see it: the index document and what is added to it (`search.md` §4). */
import type { RequiredFields } from '../../query/required-fields.ts'
import type { Hit } from '../../search/entry-index.ts'

type Json = Readonly<Record<string, unknown>>

/** The licence of published data, which the index does not hold. */
export const LICENSE = 'CC BY 4.0'

/** Members that hold persons; their e-mail addresses are nobody's business. */
const PERSONS = ['main_author', 'authors', 'writers', 'viewers']

/** Which member of a search quantity has its value: the first that is there. */
const VALUES = ['float_value', 'str_value', 'int_value', 'datetime_value', 'bool_value']

/** The metadata of an entry that was found, as `required` asks for them; the id is always there. */
export function presentEntry(hit: Pick<Hit, 'entryId' | 'document'>, required: RequiredFields): Json {
  const entry: Record<string, unknown> = { ...presentDocument(hit.document), entry_id: hit.entryId }
  if (!('license' in entry) && required.allows('license')) entry.license = LICENSE

  const data = dataOf(entry.search_quantities)
  if (data && (required.filterAgain || required.allows('data'))) entry.data = data
  return required.filterAgain ? ((filtered(entry, '', required.allows) ?? {}) as Json) : entry
}

/** What clients may see of an index document. */
export function presentDocument(document: Json): Json {
  const shown: Record<string, unknown> = { ...document }
  for (const name of PERSONS) if (name in shown) shown[name] = without(shown[name], 'email')
  // An accident of the reference's index, which documents written by it may bring along.
  if ('datasets' in shown) shown.datasets = without(shown.datasets, 'm_annotations')
  return shown
}

/** An object, or each of a list of objects, without one member. */
function without(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return value.map(item => without(item, name))
  if (typeof value !== 'object' || value === null || !(name in value)) return value
  const { [name]: _, ...rest } = value as Record<string, unknown>
  return rest
}

/** A node of the values that are put together: by name, or by number in a list. */
type Branch = Map<string, Branch | { readonly value: unknown }>

/** The member `data` of the archive, as far as its values are in the index; undefined when none is. */
function dataOf(searchQuantities: unknown): unknown {
  const root: Branch = new Map()
  for (const quantity of [searchQuantities ?? []].flat() as Json[]) {
    const member = VALUES.find(name => quantity[name] !== undefined && quantity[name] !== null)
    const path = typeof quantity.path_archive === 'string' ? quantity.path_archive.split('.') : []
    const last = path.pop()
    if (!member || last === undefined || (path[0] ?? last) !== 'data') continue
    let branch: Branch | undefined = root
    for (const name of path) {
      const next: Branch | { readonly value: unknown } = branch.get(name) ?? new Map()
      branch.set(name, next)
      branch = next instanceof Map ? next : undefined
      if (!branch) break
    }
    branch?.set(last, { value: quantity[member] })
  }
  const data = root.get('data')
  return data && json(data)
}

function json(node: Branch | { readonly value: unknown }): unknown {
  if (!(node instanceof Map)) return node.value
  const members = [...node].map(([name, inner]) => [name, json(inner)] as const)
  if (!members.every(([name]) => /^\d{1,6}$/.test(name))) return Object.fromEntries(members)
  // Items of which the index has no value are there all the same.
  const list: unknown[] = []
  for (const [name, value] of members) list[Number(name)] = value
  return Array.from(list, item => item ?? {})
}

/** What is left of a value when only allowed members stay; emptied objects and lists go. */
function filtered(value: unknown, path: string, allows: (path: string) => boolean): unknown {
  if (Array.isArray(value)) {
    const items = value.map(item => filtered(item, path, allows)).filter(item => item !== undefined)
    return items.length > 0 ? items : undefined
  }
  if (typeof value !== 'object' || value === null) return allows(path) ? value : undefined
  const members = Object.entries(value)
    .map(
      ([name, member]) => [name, filtered(member, path === '' ? name : `${path}.${name}`, allows)] as const
    )
    .filter(([, member]) => member !== undefined)
  return members.length > 0 ? Object.fromEntries(members) : undefined
}
