/**
 * The mapping of the entries index, generated from the quantities (`search.md` §10; the reference's is
 * `es-mapping-entry.json`). Completion fields are not part of it yet.
 */
import type { estypes } from '@elastic/elasticsearch'
import type { Quantities, Quantity } from '../../query/quantities.ts'

/** Longest keyword, in UTF-16 units, that is searchable (`search.md` §10). */
const KEYWORD_MAX = 8191

/** Objects whose members are not known beforehand. Terms hold the member's path too, and must stay below 32,766 bytes. */
const FLATTENED: Node = { type: 'flattened', ignore_above: 8000 }

/** Analyzer of paths: segments between slashes, case kept. */
const PATH_ANALYZER = 'path_analyzer'

/** Counts up with every change of what an index holds beside the quantities; a later one is refused. */
export const INDEX_FORMAT = 1

/** Settings of the index: the analyzer of the mapping, and what documents may hold. */
export const INDEX_SETTINGS: estypes.IndicesIndexSettings = {
  analysis: {
    tokenizer: { path_tokenizer: { type: 'pattern', pattern: '/' } },
    analyzer: { [PATH_ANALYZER]: { type: 'custom', tokenizer: 'path_tokenizer' } }
  },
  mapping: {
    // A bad date or number is kept but not found, and does not cost the whole entry.
    ignore_malformed: true,
    total_fields: { limit: 2000 },
    // Long trajectories and many section definitions are nested objects, all counted together.
    nested_objects: { limit: 1_000_000 }
  }
}

/** A node of the mapping while it is made. */
interface Node {
  properties?: Record<string, Node>
  fields?: Record<string, Node>
  type?: string
  ignore_above?: number
  analyzer?: string
}

/** The mapping of the quantities. What no quantity names is kept, but cannot be found. */
export function entryMapping(quantities: Quantities): estypes.MappingTypeMapping {
  const root: Node = {}
  for (const path of quantities.nestedPaths) at(root, path).type = 'nested'
  // One field for all members of such objects, however many there are; they are found by their paths.
  const flattened = quantities.list.filter(q => q.type === 'json').map(q => q.source)
  for (const path of flattened) Object.assign(at(root, path), FLATTENED)
  for (const quantity of [...quantities.list, ...quantities.hidden]) {
    if (quantity.kind === 'none' || flattened.some(path => quantity.source.startsWith(`${path}.`))) continue
    add(root, quantity)
  }
  return { dynamic: false, properties: root.properties as Record<string, estypes.MappingProperty> }
}

/** The node of a dot path, made when it is missing. */
function at(root: Node, path: string): Node {
  let node = root
  for (const name of path.split('.')) {
    node.properties ??= {}
    node.properties[name] ??= {}
    node = node.properties[name]
  }
  return node
}

/** A field where the values stand, or a further one over the same values (`name.keyword`). */
function add(root: Node, quantity: Quantity): void {
  const node = at(root, quantity.source)
  if (quantity.field === quantity.source) {
    Object.assign(node, fieldOf(quantity))
    return
  }
  node.fields ??= {}
  node.fields[quantity.field.slice(quantity.source.length + 1)] = fieldOf(quantity)
}

function fieldOf({ kind }: Quantity): Node {
  switch (kind) {
    case 'keyword':
      return { type: 'keyword', ignore_above: KEYWORD_MAX }
    case 'path':
      return { type: 'text', analyzer: PATH_ANALYZER }
    default:
      return { type: kind }
  }
}
