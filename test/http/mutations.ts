/** Requests made odd: valid ones with members changed, dropped, repeated, nested, renamed; always the same for the same edits. */
import fc from 'fast-check'

/** A request as it is sent. */
export interface OddRequest {
  readonly method: string
  /** Below the API, as it stands in the request line. */
  readonly path: string
  readonly query: readonly (readonly [name: string, value: string])[]
  readonly body?: unknown
  /** In place of `body`: what is sent as it is. */
  readonly text?: string
}

/** One change; the numbers choose among what there is. */
export interface Edit {
  readonly what: number
  readonly where: number
  readonly which: number
}

/** Some changes, mostly few. */
export const edits: fc.Arbitrary<Edit[]> = fc.array(
  fc.record({ what: fc.nat(), where: fc.nat(), which: fc.nat() }),
  { minLength: 1, maxLength: 5 }
)

/** Characters of all parameters. */
const ADDRESS_MAX = 10_000

const LONG = 'x'.repeat(4000)

/** Values that no quantity has, or of which each layer has its own idea. */
const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  0.5,
  1e308,
  -1e308,
  5e-324,
  2 ** 31,
  2 ** 53 + 2,
  -(2 ** 63),
  1e22,
  '',
  ' ',
  '0',
  '1e999',
  'NaN',
  '-Infinity',
  '0x10',
  '99999999999999999999999999',
  'true',
  'null',
  'None',
  '~None',
  ':',
  'a:b:c',
  'None:x',
  '*',
  '**.*',
  '..',
  '/',
  '\\',
  '%',
  '%00',
  "'",
  '"',
  '\0',
  '\n',
  '\ud800',
  '\udc00x',
  '\u202e\u200b',
  '\u{1f600}',
  'É',
  'e\u0301',
  '2020',
  '2020-02-30',
  '2020-01-01T25:00',
  '-0001-01-01T00:00:00Z',
  '+275760-09-13T00:00:00.001Z',
  '2020-01-01T00:00:00+99:99',
  '1h',
  '0d',
  '__proto__',
  'constructor',
  'toString',
  LONG,
  [],
  {},
  [[]],
  [null],
  [{}],
  { '': '' },
  { and: [] },
  { or: [] },
  { not: {} },
  { any: [] },
  { gt: 1, lt: 'x' },
  { gte: '2020', lte: 1 },
  { name: 'entry_id', value: {} },
  { prefix: 'results', query: {} },
  Array.from({ length: 3000 }, (_, i) => i),
  Array.from({ length: 70_000 }, (_, i) => `v${i}`)
]

/** Names of members: quantities of every kind, operators, words of the API, and odd ones. */
const NAMES: readonly string[] = [
  'entry_id',
  'upload_id',
  'published',
  'with_embargo',
  'viewers.user_id',
  'main_author.user_id',
  'main_author',
  'datasets',
  'comment',
  'text_search_contents',
  'mainfile.path',
  'entry_name.prefix',
  'upload_create_time',
  'n_quantities',
  'results.material.elements',
  'results.material.n_elements',
  'results.material.chemical_formula_hill',
  'results.material.topology',
  'results.material.topology.elemental_composition.mass_fraction',
  'results.properties.electronic.band_gap.value',
  'results.method.simulation.dft.scf_threshold_energy_change',
  'search_quantities',
  'search_quantities.segments',
  'search_quantities.id',
  'search_quantities.int_value',
  'optimade.elements_ratios',
  'optimade.elements_ratios.elements',
  'optimade_filter',
  'quantities.path',
  'data.x#entry_id:a.Sec#str',
  'data.period#entry_id:kchUNnKHrGV2_L-nShUOY8eJKmhx.Element#int',
  'data.name#entry_id:kchUNnKHrGV2_L-nShUOY8eJKmhx.Element',
  'data.tasks.name#simulationworkflowschema.general.SimulationWorkflow',
  'data.x##',
  'data.#a',
  'data',
  'results',
  '_score',
  '_id',
  '_source',
  'and',
  'or',
  'not',
  'q',
  'json_query',
  'owner',
  'query',
  'required',
  'pagination',
  'aggregations',
  'files',
  'page',
  'page_size',
  'page_offset',
  'page_after_value',
  'order_by',
  'order',
  'include',
  'exclude',
  'size',
  'quantity',
  'interval',
  'resolve-inplace',
  'm_def',
  '*',
  '*[0]',
  'a[-1:5]',
  '',
  '.',
  'results.',
  '.results',
  '__proto__',
  'constructor',
  '\ud800',
  LONG
]

const OPERATORS = ['any', 'all', 'none', 'gt', 'gte', 'lt', 'lte', 'not', '', 'ANY']

const OWNERS = ['public', 'visible', 'all', 'shared', 'user', 'staging', 'admin', null]

/** Parts of a path. */
const SEGMENTS = [
  '..',
  '%2e%2e',
  '%2F',
  '%00',
  '%ff',
  '%',
  'a%20b',
  '*',
  '-',
  'nope',
  'x'.repeat(3000),
  '%F0%9F%98%80'
]

type Json = unknown
type Container = Record<string, Json> | Json[]

/** A place in a JSON value. */
interface Slot {
  readonly holder: Container
  readonly key: string
}

function isContainer(value: Json): value is Container {
  return typeof value === 'object' && value !== null
}

function slotsOf(value: Json, found: Slot[] = []): Slot[] {
  if (!isContainer(value)) return found
  for (const key of Object.keys(value).slice(0, 50)) {
    found.push({ holder: value, key })
    slotsOf((value as Record<string, Json>)[key], found)
  }
  return found
}

const pick = <T>(list: readonly T[], n: number): T => list[n % list.length] as T

function get({ holder, key }: Slot): Json {
  return (holder as Record<string, Json>)[key]
}

/** Also for keys that are special to assignments. */
function set(holder: Container, key: string, value: Json): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true })
}

function nested(value: Json, levels: number, wrap: (inner: Json) => Json): Json {
  let result = value
  for (let i = 0; i < levels; i++) result = wrap(result)
  return result
}

/** A list of the value, so many times as a body has room for. */
function repeated(value: Json, times: number): Json[] {
  const room = Math.floor(1_000_000 / ((JSON.stringify(value) ?? '').length + 1))
  return Array.from({ length: Math.min(times, room + 1) }, () => structuredClone(value))
}

function otherType(value: Json): Json {
  if (Array.isArray(value)) return value[0] ?? null
  if (isContainer(value)) return Object.entries(value)
  if (typeof value === 'string')
    return value.trim() !== '' && !Number.isNaN(Number(value)) ? Number(value) : [value]
  return value === null ? {} : String(value)
}

const WRAPPERS = [
  'and',
  'or',
  'not',
  'any',
  'all',
  'none',
  'gt',
  'query',
  'value',
  'data',
  'search_quantities',
  'x'
]

/** Changes of one place of the body; the number chooses. */
const CHANGES: readonly ((slot: Slot, n: number, all: readonly Slot[]) => void)[] = [
  ({ holder, key }, n) => set(holder, key, structuredClone(pick(VALUES, n))),
  (slot, n) => set(slot.holder, slot.key, structuredClone(pick(VALUES, n >> 3))),
  ({ holder, key }) => {
    if (Array.isArray(holder)) holder.splice(Number(key), 1)
    else delete holder[key]
  },
  ({ holder, key }, n) => rename(holder, key, pick(NAMES, n)),
  ({ holder, key }, n) => rename(holder, key, `${key}:${pick(OPERATORS, n)}`),
  ({ holder, key }, n) => set(holder, `${key}:${pick(OPERATORS, n)}`, structuredClone(pick(VALUES, n >> 4))),
  (slot, n) =>
    set(slot.holder, Array.isArray(slot.holder) ? slot.key : pick(NAMES, n), structuredClone(get(slot))),
  slot => set(slot.holder, slot.key, otherType(get(slot))),
  (slot, n) => set(slot.holder, slot.key, [get(slot), structuredClone(pick(VALUES, n))]),
  (slot, n) => set(slot.holder, slot.key, repeated(get(slot), pick([2, 60, 2000], n))),
  (slot, n) => set(slot.holder, slot.key, { [pick(WRAPPERS, n)]: get(slot) }),
  (slot, n) =>
    set(
      slot.holder,
      slot.key,
      nested(get(slot), pick([3, 25, 70, 500], n), inner =>
        n % 5 === 0 ? [inner] : { [pick(WRAPPERS, n >> 3)]: n % 3 === 0 ? [inner] : inner }
      )
    ),
  (slot, n, all) => {
    const other = pick(all, n)
    const value = structuredClone(get(other))
    set(other.holder, other.key, structuredClone(get(slot)))
    set(slot.holder, slot.key, value)
  }
]

function rename(holder: Container, key: string, name: string): void {
  if (Array.isArray(holder)) return
  const value = holder[key]
  delete holder[key]
  set(holder, name, value)
}

/** Bodies that are no JSON, or hardly any. */
const TEXTS: readonly ((text: string) => string)[] = [
  text => text.slice(0, -1),
  () => '',
  () => 'null',
  () => '[]',
  () => '"x"',
  () => '1e999',
  () => '{"query": {"n_quantities": 1e400}}',
  () => '{"query": {"n_quantities:gt": 12345678901234567890123456789}}',
  () => '{"query": {"entry_id": "a"}, "query": {"entry_id": ["b"]}}',
  () => '{"query": {"__proto__": {"x": 1}, "constructor": {"prototype": 1}}}',
  () => `${'['.repeat(100_000)}`,
  () => `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
  text => `\ufeff${text}`,
  text => text.replaceAll(':', '='),
  () => '\0'
]

/** The request with the changes. */
export function mutated(request: OddRequest, changes: readonly Edit[]): OddRequest {
  let { path, text } = request
  const root: { body?: Json } = 'body' in request ? { body: structuredClone(request.body) } : {}
  let query = request.query.map(pair => [...pair] as [string, string])
  for (const { what, where, which } of changes) {
    const slots = slotsOf(root)
    // Of five changes one is of the address, another one of the body as a whole.
    const kind = what % 5
    if (kind === 0) [path, query] = changedAddress(path, query, where, which)
    else if (kind === 1 && isContainer(root.body)) changeBody(root.body as Record<string, Json>, where, which)
    else if (kind === 1 && what % 7 === 0) text = pick(TEXTS, which)(JSON.stringify(root.body) ?? '')
    else if (slots.length > 0) pick(CHANGES, what >> 3)(pick(slots, where), which, slots)
    else query.push([pick(NAMES, where), valueText(pick(VALUES, which))])
  }
  // Longer addresses are cut off by the HTTP parser, whatever they say.
  const sizes = query.map(([name, value]) => encodeURIComponent(`${name}${value}`.toWellFormed()).length)
  const kept = query.filter((_, i) => sizes.slice(0, i + 1).reduce((sum, size) => sum + size) < ADDRESS_MAX)
  return {
    method: request.method,
    path,
    query: kept,
    ...(text !== undefined ? { text } : 'body' in root ? { body: root.body } : {})
  }
}

function changedAddress(
  path: string,
  query: [string, string][],
  where: number,
  which: number
): [string, [string, string][]] {
  const at = where % (query.length + 1)
  const pair = query[at]
  switch (which % 6) {
    case 0: {
      const parts = path.split('/')
      const i = 2 + (where % Math.max(1, parts.length - 2))
      if (i < parts.length) parts[i] = pick(SEGMENTS, which >> 3)
      return [parts.join('/'), query]
    }
    case 1:
      return [path, [...query, [pick(NAMES, where), valueText(pick(VALUES, which >> 3))]]]
    case 2:
      return [path, [...query, [`${pick(NAMES, where)}__${pick(OPERATORS, which >> 3)}`, '1']]]
    case 3:
      return [path, pair ? [...query, pair, pair] : [...query, ['owner', String(pick(OWNERS, which >> 3))]]]
    case 4:
      return [path, pair ? query.with(at, [pair[0], valueText(pick(VALUES, which >> 3))]) : query]
    default:
      return [path, pair ? query.with(at, [`${pair[0]}__${pick(OPERATORS, which >> 3)}`, pair[1]]) : query]
  }
}

function changeBody(body: Record<string, Json>, where: number, which: number): void {
  switch (where % 4) {
    case 0:
      body.owner = pick(OWNERS, which)
      return
    case 1:
      set(body, pick(NAMES, which), structuredClone(pick(VALUES, which >> 4)))
      return
    case 2:
      body.query = {
        [`${pick(NAMES, which)}${which % 3 ? '' : ':any'}`]: structuredClone(pick(VALUES, which >> 4))
      }
      return
    default:
      body.pagination = {
        page_size: pick([0, 1, 5, 10_000, 10_001, '3', null], which),
        order_by: pick(NAMES, which >> 2),
        ...(which % 2 ? { page_after_value: valueText(pick(VALUES, which >> 5)) } : { order: 'desc' })
      }
  }
}

function valueText(value: Json): string {
  return (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).slice(0, 3000)
}
