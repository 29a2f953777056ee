/** Reading of a query in JSON into {@link Criteria} (`search.md` §1.1 to §1.3). */
import { invalid } from '../errors.ts'
import {
  type Comparison,
  type Criteria,
  type Criterion,
  type CriterionValue,
  type SetOperator,
  splitOperator
} from './criteria.ts'
import { CriterionValues, isObject, isRange, type JsonObject, setOf, shown } from './criterion-value.ts'
import { findQuantity, unknownQuantity } from './custom-names.ts'
import { type CompiledFilter, filterCompiler, QUERY_DIALECT } from './optimade/compile-filter.ts'
import { FILTER_NAME, filterQuery } from './optimade/filter-criterion.ts'
import type { Quantities, Quantity } from './quantities.ts'

/** Deepest query in levels of JSON objects. */
const MAX_LEVELS = 64

/** Where an object stands: names below `prefix`, inside of the nested object `nested`. */
interface Place {
  readonly prefix: string
  readonly nested: string
  readonly level: number
}

/** Bare references stand for what people call them by (spec README, decision 1): the first of these that exists. */
const NAME_MEMBERS = ['name', 'dataset_name']

/** Reads queries over one kind of document. */
class Reader {
  readonly #quantities: Quantities
  /** Part of the request that holds the query, for errors of form. */
  readonly #where: readonly string[]
  readonly #values: CriterionValues
  /** Made when the first filter is met. */
  #filterCompiler: ((text: string) => CompiledFilter) | undefined

  constructor(quantities: Quantities, where: readonly string[]) {
    this.#quantities = quantities
    this.#where = where
    this.#values = new CriterionValues(where)
  }

  /** A whole query, or an operand of `and`, `or`, `not`. */
  query(json: unknown, place: Place): Criteria {
    if (!isObject(json)) throw this.#notAQuery(json)
    this.#checkLevel(place)
    const normalised = this.#normalised(json, place)
    if (normalised) return normalised

    // Names with an operator come after plain ones, as the answer has always shown them.
    const keys = Object.keys(json)
    const sorted = [
      ...keys.filter(k => !splitOperator(k).operator),
      ...keys.filter(k => splitOperator(k).operator)
    ]
    const parts: Criteria[] = []
    const byName = new Map<string, number>()
    for (const key of sorted) {
      const part = this.#logical(key, json[key], place) ?? this.#member(key, json[key], place)
      const criterion = innermost(part)
      const before = criterion && byName.get(fullName(criterion))
      if (before !== undefined && criterion) {
        parts[before] = this.#merged(parts[before] as Criteria, criterion, json)
        continue
      }
      if (criterion) byName.set(fullName(criterion), parts.length)
      parts.push(part)
    }
    return parts.length === 1 ? (parts[0] as Criteria) : { kind: 'and', of: parts }
  }

  /** `and`, `or`, `not` with operands; undefined when the key is an ordinary name. */
  #logical(key: string, value: unknown, place: Place): Criteria | undefined {
    const below = { ...place, level: place.level + 1 }
    if ((key === 'and' || key === 'or') && Array.isArray(value)) {
      if (value.length === 0) return { kind: 'vacant', name: key }
      return { kind: key, of: value.map(operand => this.query(operand, below)) }
    }
    if (key === 'not' && !(isObject(value) && Object.keys(value).length === 0)) {
      return { kind: 'not', of: this.query(value, below) }
    }
    return undefined
  }

  /** A query in the form in which answers repeat it (`search.md` §6), so that an echo can be sent again. */
  #normalised(json: JsonObject, place: Place): Criteria | undefined {
    if (Object.keys(json).length !== 2) return undefined
    if (typeof json.name === 'string' && 'value' in json) {
      if (json.name === 'and' || json.name === 'or') return { kind: 'vacant', name: json.name }
      return this.#member(json.name, json.value, place)
    }
    if (typeof json.prefix === 'string' && 'query' in json) {
      const inner = { prefix: `${json.prefix}.`, nested: json.prefix, level: place.level + 1 }
      return this.#wrapped(json.prefix, place.nested, this.query(json.query, inner))
    }
    return undefined
  }

  /** One name with its value. */
  #member(key: string, value: unknown, place: Place): Criteria {
    const { name, operator } = splitOperator(key)
    const full = place.prefix + name
    if (full === FILTER_NAME) return this.#filter(operator, value, place)
    if (operator) return this.#criterion(full, this.#values.withOperator(operator, value), place)
    if (!isObject(value)) return this.#criterion(full, this.#values.plain(full, value), place)
    if (isRange(value)) return this.#criterion(full, this.#values.range(full, value), place)
    const set = setOf(value)
    if (set) return this.#criterion(full, this.#values.set(set, value[set]), place)
    return this.#subObject(full, value, place)
  }

  /** OPTIMADE filters: one, or a list of which all, any or none hold (`optimade.md` §1.1). */
  #filter(operator: SetOperator | Comparison | undefined, given: unknown, place: Place): Criteria {
    const set = operator === undefined && isObject(given) ? setOf(given) : undefined
    if (isObject(given) && !set && !isRange(given)) return this.#subObject(FILTER_NAME, given, place)
    const value = set
      ? this.#values.set(set, (given as JsonObject)[set])
      : operator
        ? this.#values.withOperator(operator, given)
        : this.#values.plain(FILTER_NAME, given)
    if (value.kind === 'range') throw unknownQuantity(FILTER_NAME, this.#quantities, [FILTER_NAME])
    this.#filterCompiler ??= filterCompiler(this.#quantities, QUERY_DIALECT)
    return { kind: 'filter', value, query: filterQuery(value, this.#filterCompiler) }
  }

  /** Criteria below a common prefix (§1.2); one nested object meets all of them if the prefix is one (§1.3). */
  #subObject(path: string, json: JsonObject, place: Place): Criteria {
    const nested = this.#quantities.nestedAbove(path).at(-1) ?? ''
    const below = { prefix: `${path}.`, nested, level: place.level + 1 }
    this.#checkLevel(below)
    const of = Object.entries(json).map(([key, value]) => this.#member(key, value, below))
    if (of.length === 0) return { kind: 'and', of }
    return this.#wrapped(path, place.nested, { kind: 'and', of })
  }

  #criterion(name: string, value: CriterionValue, place: Place): Criteria {
    const quantity = this.#quantity(name)
    if (quantity.within) return { kind: 'criterion', quantity, name, value }
    const nested = quantity.nestedPath ?? ''
    const relative = nested === '' ? quantity.name : quantity.name.slice(nested.length + 1)
    return this.#wrapped(quantity.name, place.nested, { kind: 'criterion', quantity, name: relative, value })
  }

  /** Puts a query into the nested objects on the way to a path that it is not inside of yet. */
  #wrapped(path: string, inside: string, of: Criteria): Criteria {
    const paths = this.#quantities.nestedAbove(path).filter(p => p.length > inside.length)
    return paths.reduceRight<Criteria>((inner, p) => ({ kind: 'nested', path: p, of: inner }), of)
  }

  /** @throws SeraiError INVALID (422) for an unknown one */
  #quantity(name: string): Quantity {
    const quantity = findQuantity(name, this.#quantities, [name])
    if (quantity.type !== 'reference') return quantity
    const named = NAME_MEMBERS.map(member => this.#quantities.get(`${name}.${member}`)).find(q => q)
    return named ?? quantity
  }

  /** Two criteria of one quantity in one object: comparisons become one range, all else is refused. */
  #merged(before: Criteria, criterion: Criterion, json: JsonObject): Criteria {
    const name = fullName(criterion)
    const replace = (node: Criteria): Criteria => {
      if (node.kind === 'nested') return { ...node, of: replace(node.of) }
      if (node.kind !== 'criterion') return node
      return { ...node, value: this.#values.merged(node.value, criterion.value, name, json) }
    }
    return replace(before)
  }

  #notAQuery(value: unknown) {
    return invalid(this.#where, 'Input should be a valid dictionary or object to extract fields from', {
      type: 'model_attributes_type',
      input: shown(value)
    })
  }

  #checkLevel({ level }: Place): void {
    if (level <= MAX_LEVELS) return
    throw invalid(this.#where, `The query is nested too deeply, more than ${MAX_LEVELS} levels`, {
      type: 'query_too_deep'
    })
  }
}

/**
 * The criteria of a query in JSON; `undefined` and `null` match everything.
 * @param where the part of the request that holds the query, for errors of form
 * @throws SeraiError INVALID (422)
 */
export function readCriteria(
  json: unknown,
  quantities: Quantities,
  where: readonly string[] = ['body', 'query']
): Criteria {
  return new Reader(quantities, where).query(json ?? {}, { prefix: '', nested: '', level: 1 })
}

/** The criterion of a part that is one, alone in its nested objects. */
function innermost(part: Criteria): Criterion | undefined {
  if (part.kind === 'nested') return innermost(part.of)
  return part.kind === 'criterion' ? part : undefined
}

/** The name by which requests call the quantity; that of a custom quantity tells the type too. */
function fullName({ quantity, name }: Criterion): string {
  return quantity.within ? name : quantity.name
}
