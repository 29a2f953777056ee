/** The tests of a filter as queries (`optimade.md` §3 to §5). */
import type { Quantities } from '../quantities.ts'
import { ALL, NONE, type Query, type Scalar } from '../tree.ts'
import { comparison, type Subject } from './comparison.ts'
import type { Filter, Member, Name, Operator, Test, Value } from './filter.ts'
import { FaultAt } from './filter-error.ts'
import { allOf, type Condition, decided, exists, not, oneOf, UNKNOWN, within } from './logic.ts'
import type { IndexedProperty, Properties, Property } from './properties.ts'
import { compareScalars, outside } from './scalar-order.ts'

type Has = Extract<Test, { kind: 'has' }>

/** A property together with the name that the filter gives it. */
type Named<P> = P & { readonly name: string; readonly at: number }

/** Compiles one filter. */
export class TestCompiler {
  readonly #quantities: Quantities
  readonly #properties: Properties
  /** Names with the prefix of an unknown provider that were met. */
  readonly foreignNames = new Set<string>()

  constructor(quantities: Quantities, properties: Properties) {
    this.#quantities = quantities
    this.#properties = properties
  }

  /**
   * The entries for which the filter, or its negation, is true.
   * @throws FaultAt
   */
  compile(filter: Filter, negated: boolean): Query {
    switch (filter.kind) {
      case 'not':
        return this.compile(filter.of, !negated)
      case 'and':
      case 'or': {
        const of = filter.of.map(part => this.compile(part, negated))
        return (filter.kind === 'and') === negated ? oneOf(of) : allOf(of)
      }
      case 'compare': {
        const { property, operator, value } = filter
        return operator === '!='
          ? decided(this.#compare(property, '=', value), !negated)
          : decided(this.#compare(property, operator, value), negated)
      }
      case 'length': {
        const { property, operator, count } = filter
        return operator === '!='
          ? decided(this.#length(property, '=', count), !negated)
          : decided(this.#length(property, operator, count), negated)
      }
      case 'known':
        return decided({ holds: this.#known(filter.property), known: ALL }, negated === filter.known)
      case 'has':
        return decided(this.#has(filter), negated)
      case 'bare':
        return decided(this.#bare(filter.property), negated)
      case 'constants':
        throw new FaultAt('unsupported', filter.at, 'two constants cannot be compared')
    }
  }

  /** What a name stands for (§3.3). @throws FaultAt */
  #property({ path, at }: Name): Named<Exclude<Property, { kind: 'relationship' }>> {
    const [first, ...below] = path as [string, ...string[]]
    const name = path.join('.')
    const property = this.#properties(first)
    if (!property) throw new FaultAt('semantic', at, `${name} is not a known property`)
    if (property.kind === 'relationship') {
      throw new FaultAt('unsupported', at, `${name}: relationships cannot be filtered by`)
    }
    if (property.kind === 'foreign') {
      if (!property.registered) this.foreignNames.add(name)
    } else if (below.length > 0 && property.kind !== 'unqueryable') {
      throw new FaultAt('semantic', at, `${name} is not a known property: ${first} has no members with names`)
    } else if (below.length > 0) {
      return { kind: 'unqueryable', name, at }
    }
    return { ...property, name, at }
  }

  #compare(name: Name, operator: Exclude<Operator, '!='>, value: Value): Condition {
    const property = this.#property(name)
    switch (property.kind) {
      case 'foreign':
        return UNKNOWN
      case 'unqueryable':
        throw unqueryable(property)
      case 'constant':
        return this.#constant(property, operator, value)
      case 'indexed':
        if (property.list) {
          throw new FaultAt(
            'unsupported',
            property.at,
            `${property.name} is a list: use HAS instead of ${operator}`
          )
        }
        return this.#some(property, comparison(property, operator, value))
    }
  }

  /** The condition that a value of the property meets a query. */
  #some({ quantity, knownBy }: IndexedProperty, query: Query): Condition {
    return {
      holds: within(quantity, query, this.#quantities),
      known: exists(knownBy, this.#quantities)
    }
  }

  #constant(
    { name, at, value: own, knownBy }: Named<Extract<Property, { kind: 'constant' }>>,
    operator: Exclude<Operator, '!='>,
    value: Value
  ): Condition {
    if (value.type !== 'string') {
      throw new FaultAt('unsupported', at, `${name} is a string and can only be compared with strings`)
    }
    const known = exists(knownBy, this.#quantities)
    return { holds: compares(own, operator, value.value) ? known : NONE, known }
  }

  #known(name: Name): Query {
    const property = this.#property(name)
    if (property.kind === 'foreign') return NONE
    if (property.kind === 'unqueryable') throw unqueryable(property)
    return exists(property.knownBy, this.#quantities)
  }

  #length(name: Name, operator: Exclude<Operator, '!='>, count: Value): Condition {
    const property = this.#property(name)
    if (property.kind === 'foreign') return UNKNOWN
    const quantity = property.kind === 'constant' ? undefined : property.count
    if (!quantity) {
      const list = property.kind === 'unqueryable' || (property.kind === 'indexed' && property.list)
      const reason = list ? 'the number of its members is not indexed' : 'it is not a list'
      throw new FaultAt('unsupported', property.at, `LENGTH cannot be used with ${property.name}: ${reason}`)
    }
    const subject: Subject = { name: `the length of ${property.name}`, type: 'integer', quantity }
    return {
      holds: within(quantity, comparison(subject, operator, count), this.#quantities),
      known: exists(quantity, this.#quantities)
    }
  }

  /** A name by itself (§5.2). */
  #bare(name: Name): Condition {
    const property = this.#property(name)
    if (property.kind === 'foreign') return UNKNOWN
    if (property.kind !== 'indexed' || property.type !== 'boolean' || property.list) {
      const message = `${property.name} is no boolean and needs an operator, for example ${property.name} IS KNOWN`
      throw new FaultAt('unsupported', property.at, message)
    }
    return this.#some(property, comparison(property, '=', { type: 'boolean', value: true, at: property.at }))
  }

  #has(test: Has): Condition {
    const properties = test.properties.map(name => this.#property(name))
    for (const property of properties) if (property.kind === 'unqueryable') throw unqueryable(property)
    if (properties.some(p => p.kind === 'foreign')) return UNKNOWN
    const lists = properties.map(property => {
      if (property.kind === 'indexed' && property.list) return property
      throw new FaultAt('unsupported', property.at, `HAS is for lists, ${property.name} is none`)
    })
    const [list, ...others] = lists as [Named<IndexedProperty>, ...Named<IndexedProperty>[]]
    if (others.length > 0) return this.#correlated(lists, test)
    const members = test.tuples.map(tuple => tuple[0] as Member)
    return test.quantifier === 'ONLY'
      ? this.#only(list, members)
      : this.#members(list, members, test.quantifier)
  }

  /** Each, or one, of the conditions is met by some member of the list (§4.3). */
  #members(list: Named<IndexedProperty>, members: readonly Member[], quantifier: 'ALL' | 'ANY'): Condition {
    const queries = members.map(({ operator, value }) => {
      if (operator !== '!=') return comparison(list, operator, value)
      throw new FaultAt(
        'unsupported',
        value.at,
        `HAS != cannot be answered; NOT ${list.name} HAS … may be meant`
      )
    })
    if (quantifier === 'ANY') return this.#some(list, oneOf(inOneLookup(queries)))
    const parts = queries.map(query => this.#some(list, query))
    return { holds: allOf(parts.map(part => part.holds)), known: exists(list.knownBy, this.#quantities) }
  }

  /** No member of the list is another than these. */
  #only(list: Named<IndexedProperty>, members: readonly Member[]): Condition {
    const values = members.map(({ operator, value }) => {
      const query = operator === '=' && comparison(list, operator, value)
      if (query && query.kind === 'terms' && list.type !== 'boolean') return query.values[0] as Scalar
      throw new FaultAt(
        'unsupported',
        value.at,
        `HAS ONLY with ${list.name} takes plain values that are compared with =`
      )
    })
    const { quantity } = list
    const others = outside(values).map((bounds): Query => ({ kind: 'range', quantity, bounds }))
    const known = exists(list.knownBy, this.#quantities)
    return { holds: allOf([known, not(within(quantity, oneOf(others), this.#quantities))]), known }
  }

  /** Conditions on members at the same position of several lists (§4.4). */
  #correlated(lists: readonly Named<IndexedProperty>[], { quantifier, tuples }: Has): Condition {
    const at = (lists[0] as Named<IndexedProperty>).at
    const names = lists.map(list => list.name).join(':')
    const subjects = lists.flatMap((list): Subject[] =>
      list.correlated ? [{ ...list, quantity: list.correlated }] : []
    )
    const quantity = subjects[0]?.quantity
    const together = subjects.every(subject => subject.quantity.nestedPath === quantity?.nestedPath)
    if (!quantity || !together || subjects.length < lists.length) {
      throw new FaultAt('unsupported', at, `the members of ${names} are not indexed together`)
    }
    if (quantifier === 'ONLY') throw new FaultAt('unsupported', at, `HAS ONLY cannot be used with ${names}`)
    const queries = tuples.map(tuple => {
      if (tuple.length !== lists.length) {
        const message = `${names} takes ${lists.length} values, separated by colons, not ${tuple.length}`
        throw new FaultAt('semantic', (tuple[0] as Member).value.at, message)
      }
      return within(
        quantity,
        allOf(tuple.map((member, i) => correlatedMember(subjects[i] as Subject, member))),
        this.#quantities
      )
    })
    return {
      holds: quantifier === 'ALL' ? allOf(queries) : oneOf(queries),
      known: exists(quantity, this.#quantities)
    }
  }
}

function correlatedMember(subject: Subject, { operator, value }: Member): Query {
  if (operator !== '!=') return comparison(subject, operator, value)
  const { quantity } = subject
  return allOf([{ kind: 'exists', quantity }, not(comparison(subject, '=', value))])
}

function unqueryable({ name, at }: { readonly name: string; readonly at: number }): FaultAt {
  return new FaultAt('unsupported', at, `${name} cannot be filtered by`)
}

/** The same queries, values of one quantity looked up together. */
function inOneLookup(queries: readonly Query[]): Query[] {
  const terms = queries.filter(query => query.kind === 'terms')
  const [first] = terms
  if (!first) return [...queries]
  const values = [...new Set(terms.flatMap(query => query.values))]
  return [{ ...first, values }, ...queries.filter(query => query.kind !== 'terms')]
}

function compares(own: string, operator: Exclude<Operator, '!='>, other: string): boolean {
  switch (operator) {
    case 'CONTAINS':
      return own.includes(other)
    case 'STARTS':
      return own.startsWith(other)
    case 'ENDS':
      return own.endsWith(other)
    case '=':
      return own === other
    case '<':
      return compareScalars(own, other) < 0
    case '<=':
      return compareScalars(own, other) <= 0
    case '>':
      return compareScalars(own, other) > 0
    case '>=':
      return compareScalars(own, other) >= 0
  }
}
