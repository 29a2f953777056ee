/**
 * The `required` language: which parts of an archive an answer shows (`archive.md` §2). Here its JSON form is read and
 * checked; `walk.ts` applies it.
 */
import { failure, invalid, SeraiError } from '../errors.ts'

/**
 * What to do with a value.
 *
 * - `all`: copy it as it is (`"*"`, `"include"`).
 * - `resolved`: copy what the definitions know, and follow every reference in it (`"include-resolved"`).
 * - an object: only some members; a reference is followed.
 */
export type Required = 'all' | 'resolved' | RequiredMembers

/** A key with its value. */
export interface RequiredMember {
  /** Name of the property. */
  readonly name: string
  /** Which items of a list; absent for all. */
  readonly index?: ListIndex
  readonly value: Required | 'exclude' | WrongValue
}

/**
 * A value that means nothing. It is an error only where the archive has the property: keys that no definition knows
 * are ignored with whatever they hold (`archive.md` §2.1, §2.6).
 */
export interface WrongValue {
  readonly wrong: unknown
}

/** Some members of a section. */
export interface RequiredMembers {
  readonly members: readonly RequiredMember[]
  /** What is done with members that are not named (key `"*"`). */
  readonly others?: Required
}

/** `[i]` or `[start:end]`, as written; ends are clamped to the list (`archive.md` §2.4). */
export type ListIndex =
  | { readonly at: number }
  | { readonly start: number | undefined; readonly end: number | undefined }

/** A checked `required`. */
export interface RequiredRequest {
  readonly tree: Required
  /** Targets replace the references to them, instead of standing at their own places. */
  readonly inPlace: boolean
}

/** Everything, as it is. */
export const EVERYTHING: RequiredRequest = { tree: 'all', inPlace: false }

const IN_PLACE = 'resolve-inplace'
const KEY = /^([\p{L}\p{M}\p{N}_\s-]+)(?:\[\s*(?:(-?\d+)|(-?\d+)?\s*(:)\s*(-?\d+)?)?\s*\])?$/u

/** Levels of objects, and keys, that a request may have. */
const MOST_LEVELS = 100
const MOST_KEYS = 10_000

/**
 * Reads `required`.
 * @param json as it stands in the body; undefined and null mean everything
 * @throws SeraiError INVALID (422) for wrong types and keys, REQUIRED_DIRECTIVE (400)
 */
export function parseRequired(json: unknown): RequiredRequest {
  if (json === undefined || json === null) return EVERYTHING
  if (typeof json === 'string') return { tree: directive(json), inPlace: false }
  if (typeof json !== 'object' || Array.isArray(json)) throw notRequired(json)
  const { [IN_PLACE]: inPlace = false, ...rest } = json as Record<string, unknown>
  if (typeof inPlace !== 'boolean' && inPlace !== null) {
    throw invalid(['required', IN_PLACE], 'resolve-inplace is not a bool', {
      type: 'bool_type',
      input: inPlace
    })
  }
  return { tree: new Reading().members(rest, 1), inPlace: inPlace === true }
}

/**
 * The items of a list of `length` that an index means; undefined when it is out of range (`archive.md` §2.4).
 * @returns first index, and the index after the last
 */
export function indexRange(index: ListIndex | undefined, length: number): [number, number] | undefined {
  if (!index) return [0, length]
  const clamp = (i: number) => (i < 0 ? Math.max(i, -length) : Math.min(i, length))
  const fromStart = (i: number) => (i < 0 ? i + length : i)
  const one = (i: number): [number, number] | undefined => (i < length ? [i, i + 1] : undefined)
  if ('at' in index) return one(fromStart(clamp(index.at)))
  if (index.start === undefined && index.end === undefined) return [0, length]
  const [from, to] = [clamp(index.start ?? 0), clamp(index.end ?? length)]
  // Equal ends mean that one item, in whatever way they are written.
  if (from === to) return one(fromStart(from))
  const [first, last] = [fromStart(from), fromStart(to)]
  return [first, Math.max(first, last)]
}

/** Whether a value means nothing. */
export function isWrong(value: Required | 'exclude' | WrongValue): value is WrongValue {
  return typeof value === 'object' && 'wrong' in value
}

/** The error of a value that means nothing. */
export function invalidValue(key: string, { wrong }: WrongValue): SeraiError {
  return invalid([key], 'invalid required value', { input: wrong })
}

function notRequired(input: unknown): SeraiError {
  const item = (type: string, kind: string, msg: string) => ({
    type,
    loc: ['body', 'required', kind],
    msg,
    input
  })
  return new SeraiError('INVALID', [
    item('string_type', 'str', 'Input should be a valid string'),
    item('dict_type', 'dict[str,any]', 'Input should be a valid dictionary')
  ])
}

function directive(text: string): Required {
  if (text === '*' || text === 'include') return 'all'
  if (text === 'include-resolved') return 'resolved'
  throw failure('REQUIRED_DIRECTIVE', { directive: text })
}

class Reading {
  #keys = 0

  members(json: Readonly<Record<string, unknown>>, level: number): RequiredMembers {
    if (level > MOST_LEVELS) throw invalid(['required'], `required has more than ${MOST_LEVELS} levels`)
    const members: RequiredMember[] = []
    let others: Required | WrongValue | undefined
    for (const [key, value] of Object.entries(json)) {
      if (++this.#keys > MOST_KEYS) throw invalid(['required'], `required has more than ${MOST_KEYS} keys`)
      const text = key.trim()
      if (text === '*') {
        others = this.#value(value, level)
        if (isWrong(others)) throw invalidValue(text, others)
        continue
      }
      const match = KEY.exec(text)
      if (!match) throw invalid([text], 'invalid required key')
      const index = listIndex(match)
      members.push({
        name: match[1]!,
        ...(index ? { index } : {}),
        value: value === 'exclude' ? 'exclude' : this.#value(value, level)
      })
    }
    return others === undefined ? { members } : { members, others: others as Required }
  }

  #value(value: unknown, level: number): Required | WrongValue {
    if (typeof value === 'string') return directive(value)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return { wrong: value }
    return this.members(value as Record<string, unknown>, level + 1)
  }
}

function listIndex([, , at, start, colon, end]: RegExpExecArray): ListIndex | undefined {
  if (at !== undefined) return { at: Number(at) }
  if (colon === undefined) return undefined
  const number = (text: string | undefined) => (text === undefined ? undefined : Number(text))
  return { start: number(start), end: number(end) }
}
