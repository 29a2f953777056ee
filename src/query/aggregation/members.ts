/**
 * Members of a JSON object of a request, read with the conversions and errors that clients know (`auth.md` §1): numbers
 * may be texts, null is absent, unknown members are ignored.
 */
import { invalid, type SeraiError } from '../../errors.ts'

/** A place in the request, for errors. */
export type Loc = readonly (string | number)[]

/** The words that stand for truth values. */
const WORDS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ...['true', 't', 'yes', 'y', 'on', '1', 1, 1.0, true].map(word => [word, true] as const),
  ...['false', 'f', 'no', 'n', 'off', '0', 0, false].map(word => [word, false] as const)
])

const INTEGER = /^\s*[+-]?\d{1,15}(?:\.0*)?\s*$/
const NUMBER = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i

/** A JSON object with its place. */
export class Members {
  readonly loc: Loc
  readonly #json: Readonly<Record<string, unknown>>

  /** @throws SeraiError INVALID (422) when the value is no object */
  constructor(value: unknown, loc: Loc) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw invalid(loc, 'Input should be a valid dictionary or object to extract fields from', {
        type: 'model_attributes_type',
        input: shown(value)
      })
    }
    this.#json = value as Record<string, unknown>
    this.loc = loc
  }

  /** The member as it is; undefined when it is absent or null. */
  get(name: string): unknown {
    const value = Object.hasOwn(this.#json, name) ? this.#json[name] : undefined
    return value === null ? undefined : value
  }

  /** @throws SeraiError INVALID (422) when it is absent */
  required(name: string): unknown {
    const value = this.get(name)
    if (value !== undefined) return value
    if (Object.hasOwn(this.#json, name)) return null
    throw invalid(this.at(name), 'Field required', { type: 'missing', input: shown(this.#json) })
  }

  /** The place of a member. */
  at(...names: readonly (string | number)[]): Loc {
    return [...this.loc, ...names]
  }

  /** An error about a member. */
  error(name: string, type: string, msg: string, ctx?: Record<string, unknown>): SeraiError {
    return invalid(this.at(name), msg, { type, input: shown(this.get(name)), ...(ctx ? { ctx } : {}) })
  }

  /** An error about the object. */
  wrong(msg: string): SeraiError {
    return invalid(this.loc, `Value error, ${msg}`, { input: shown(this.#json) })
  }

  object(name: string): Members | undefined {
    const value = this.get(name)
    return value === undefined ? undefined : new Members(value, this.at(name))
  }

  text(name: string): string | undefined {
    const value = this.get(name)
    return value === undefined ? undefined : text(value, this.at(name))
  }

  requiredText(name: string): string {
    return text(this.required(name), this.at(name))
  }

  boolean(name: string, absent: boolean): boolean {
    const value = this.get(name)
    if (value === undefined) return absent
    const found = WORDS.get(typeof value === 'string' ? value.toLowerCase() : value)
    if (found !== undefined) return found
    throw this.error(name, 'bool_parsing', 'Input should be a valid boolean, unable to interpret input')
  }

  /** A whole number above 0. */
  positiveWhole(name: string): number | undefined {
    const n = this.whole(name)
    if (n === undefined || n > 0) return n
    throw this.error(name, 'greater_than', 'Input should be greater than 0', { gt: 0 })
  }

  whole(name: string): number | undefined {
    const value = this.get(name)
    if (value === undefined) return undefined
    const n = typeof value === 'string' && INTEGER.test(value) ? Number(value) : value
    if (Number.isSafeInteger(n)) return (n as number) + 0
    const form = 'Input should be a valid integer'
    if (typeof value === 'number') {
      throw this.error(name, 'int_from_float', `${form}, got a number with a fractional part`)
    }
    if (typeof value !== 'string') throw this.error(name, 'int_type', form)
    throw this.error(name, 'int_parsing', `${form}, unable to parse string as an integer`)
  }

  number(name: string): number | undefined {
    const value = this.get(name)
    return value === undefined ? undefined : number(value, this.at(name))
  }

  requiredNumber(name: string): number {
    return number(this.required(name), this.at(name))
  }

  /** Items of a list, each read. */
  list<T>(name: string, read: (item: unknown, loc: Loc) => T): T[] | undefined {
    const value = this.get(name)
    if (value === undefined) return undefined
    if (!Array.isArray(value)) throw this.error(name, 'list_type', 'Input should be a valid list')
    return value.map((item, i) => read(item, this.at(name, i)))
  }
}

/** @throws SeraiError INVALID (422) */
export function text(value: unknown, loc: Loc): string {
  if (typeof value === 'string') return value
  throw invalid(loc, 'Input should be a valid string', { type: 'string_type', input: shown(value) })
}

/** A finite number, also as text. @throws SeraiError INVALID (422) */
export function number(value: unknown, loc: Loc): number {
  const n = typeof value === 'string' && NUMBER.test(value) ? Number(value) : value
  if (typeof n === 'number' && Number.isFinite(n)) return n
  const form = 'Input should be a valid number'
  if (typeof value === 'string') {
    throw invalid(loc, `${form}, unable to parse string as a number`, {
      type: 'float_parsing',
      input: shown(value)
    })
  }
  throw invalid(loc, form, { type: 'float_type', input: shown(value) })
}

/** An input as errors repeat it: whole when it is short. */
function shown(value: unknown): unknown {
  const json = JSON.stringify(value) ?? 'null'
  return json.length <= 1000 ? (value ?? null) : `${json.slice(0, 1000)}…`
}
