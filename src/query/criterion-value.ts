/** Reading of the values of criteria in JSON: one, a list, or a range (`search.md` §1.1). */
import { invalid } from '../errors.ts'
import {
  COMPARISONS,
  type Comparison,
  type CriterionValue,
  isSetOperator,
  type SetOperator
} from './criteria.ts'
import type { Scalar } from './tree.ts'

/** An object of the request. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Reads the values of one query; all its methods throw SeraiError INVALID (422) for what is none. */
export class CriterionValues {
  /** Part of the request that holds the query, for errors of form. */
  readonly #where: readonly string[]

  constructor(where: readonly string[]) {
    this.#where = where
  }

  /** A value without an operator; of a list all count. */
  plain(name: string, value: unknown): CriterionValue {
    if (Array.isArray(value)) return this.set('all', value)
    return { kind: 'is', value: this.#scalar(value, [name]) }
  }

  /** The values of a list. */
  set(operator: SetOperator, value: unknown): CriterionValue {
    if (!Array.isArray(value)) {
      throw invalid([...this.#where, operator], 'Input should be a valid list', {
        type: 'list_type',
        input: shown(value)
      })
    }
    return {
      kind: 'set',
      operator,
      values: value.map((v, i) => this.#scalar(v, [...this.#where, operator, i]))
    }
  }

  /** The value of a name with an operator. */
  withOperator(operator: SetOperator | Comparison, value: unknown): CriterionValue {
    if (isSetOperator(operator)) return this.set(operator, value)
    return { kind: 'range', bounds: { [operator]: this.#bound(operator, value) } }
  }

  /** An object of comparisons. */
  range(name: string, json: JsonObject): CriterionValue {
    const bounds: Partial<Record<Comparison, Scalar>> = {}
    for (const [key, value] of Object.entries(json) as [Comparison, unknown][])
      bounds[key] = this.#bound(key, value)
    checkBounds(bounds, name, json)
    return { kind: 'range', bounds }
  }

  #bound(operator: Comparison, value: unknown): Scalar {
    const loc = [...this.#where, operator]
    const bound = this.#scalar(value, loc)
    if (typeof bound === 'boolean') {
      throw invalid(loc, 'Input should be a number, a text or a date', {
        type: 'scalar_type',
        input: shown(value)
      })
    }
    return bound
  }

  #scalar(value: unknown, loc: readonly (string | number)[]): Scalar {
    if (typeof value === 'string' || typeof value === 'boolean') return value
    if (typeof value === 'number' && Number.isFinite(value)) return value
    throw invalid(loc, 'Input should be a number, a boolean, a text or a date', {
      type: 'scalar_type',
      input: shown(value)
    })
  }

  /**
   * The bounds of two values of one quantity as one range.
   * @param json the object that both stand in
   * @throws SeraiError INVALID (422) for all else
   */
  merged(a: CriterionValue, b: CriterionValue, name: string, json: JsonObject): CriterionValue {
    if (a.kind !== 'range' || b.kind !== 'range' || Object.keys(b.bounds).some(bound => bound in a.bounds)) {
      throw invalid(this.#where, 'A quantity can only appear once in a query', {
        type: 'duplicate_quantity',
        input: shown(json),
        ctx: { quantity: name }
      })
    }
    const bounds = { ...a.bounds, ...b.bounds }
    checkBounds(bounds, name, json)
    return { kind: 'range', bounds }
  }
}

/** Whether it is an object, and no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether all members of an object are comparisons. */
export function isRange(json: JsonObject): boolean {
  const keys = Object.keys(json)
  return keys.length > 0 && keys.every(key => COMPARISONS.includes(key as Comparison))
}

/** The operator of an object that is a list under one. */
export function setOf(json: JsonObject): SetOperator | undefined {
  const [key, ...others] = Object.keys(json)
  return key !== undefined && others.length === 0 && isSetOperator(key) && Array.isArray(json[key])
    ? key
    : undefined
}

function checkBounds(bounds: Partial<Record<Comparison, Scalar>>, name: string, json: JsonObject): void {
  for (const [open, closed] of [
    ['gt', 'gte'],
    ['lt', 'lte']
  ] as const) {
    if (bounds[open] === undefined || bounds[closed] === undefined) continue
    throw invalid([name], `Only one of ${open} and ${closed} can be given`, {
      type: 'conflicting_bounds',
      input: shown(json)
    })
  }
}

/** An input as errors repeat it: whole when it is short. */
export function shown(value: unknown): unknown {
  const text = JSON.stringify(value) ?? 'null'
  return text.length <= 1000 ? (value ?? null) : `${text.slice(0, 1000)}…`
}
