/**
 * The archive of an answer: what was asked for, the targets of references at their own places, and the targets in other
 * archives under `m_ref_archives` (`archive.md` §3.6, §4).
 */
import { setMember } from './block.ts'
import { CutReferences } from './cut-references.ts'
import type { JsonObject } from './definitions.ts'
import type { Required } from './required.ts'

/** Where a value goes that is found later. */
export interface Slot {
  set(value: unknown): void
  /** The value cannot be given: its property is left out. */
  drop(): void
}

/** Definition of an archive as `m_ref_archives` names it. */
const ARCHIVE = 'nomad.datamodel.EntryArchive'

/** The target of a reference, on its way to its place. */
export interface Target {
  readonly home: Record<string, unknown>
  readonly steps: readonly (string | number)[]
  state: 'open' | 'found' | 'lost'
  value?: unknown
  /** Targets of the references in it. */
  readonly targets: Target[]
  /** References to the same that were met before it was looked at. */
  readonly waiting: Slot[]
}

/** One archive on its way into an answer. */
export class ArchiveAnswer implements Slot {
  readonly placed: Record<string, unknown> = {}
  readonly targets: Target[] = []
  readonly cuts = new CutReferences()
  #result: JsonObject = {}
  readonly #homes = new Map<string, Record<string, unknown>>()
  readonly #known = new Map<Record<string, unknown>, Map<string, Map<Required, Target>>>()
  /** Containers made here, which may be changed; all others belong to the stored archive. */
  readonly #own = new WeakSet<object>()

  set(value: unknown): void {
    this.#result = value as JsonObject
  }

  drop(): void {}

  /** Where the targets in another archive go. */
  home(archiveUrl: string): Record<string, unknown> {
    const home = this.#homes.get(archiveUrl) ?? {}
    this.#homes.set(archiveUrl, home)
    return home
  }

  /** The target at this path that was asked for in the same way before, or a new one with `isNew`. */
  target(
    home: Record<string, unknown>,
    steps: readonly (string | number)[],
    required: Required
  ): { target: Target; isNew: boolean } {
    const paths = this.#known.get(home) ?? new Map<string, Map<Required, Target>>()
    this.#known.set(home, paths)
    const path = steps.join('/')
    const ways = paths.get(path) ?? new Map<Required, Target>()
    paths.set(path, ways)
    const known = ways.get(required)
    if (known) return { target: known, isNew: false }
    const target: Target = { home, steps, state: 'open', targets: [], waiting: [] }
    ways.set(required, target)
    return { target, isNew: true }
  }

  /** Whether there is one already. */
  hasTarget(home: Record<string, unknown>, steps: readonly (string | number)[], required: Required): boolean {
    return this.#known.get(home)?.get(steps.join('/'))?.has(required) === true
  }

  /** The finished archive. */
  finish(): JsonObject {
    this.#placeAll(this.targets)
    const refs: Record<string, unknown> = {}
    for (const [url, home] of this.#homes) {
      if (Object.keys(home).length > 0)
        setMember(refs, url, 'm_def' in home ? home : { ...home, m_def: ARCHIVE })
    }
    return { ...this.placed, ...this.#result, m_ref_archives: refs }
  }

  /**
   * Targets of a target come before it; of two at one place the one that is met last stays (`archive.md` §4). Gone through
   * from the end, so that a target has the place of its last reference.
   */
  #placeAll(targets: readonly Target[]): void {
    const met = new Set<Target>()
    const stack = [...targets]
    for (let target = stack.pop(); target; target = stack.pop()) {
      if (target.state === 'lost' || met.has(target)) continue
      met.add(target)
      stack.push(...target.targets)
    }
    for (const target of [...met].reverse()) if (target.value !== undefined) this.#place(target)
  }

  #place({ home, steps, value }: Target): void {
    let at: Record<string, unknown> | unknown[] = home
    for (const [i, step] of steps.slice(0, -1).entries()) {
      const present = Object.hasOwn(at, step) ? (at as JsonObject)[step] : undefined
      const container = this.#container(present, typeof steps[i + 1] === 'number')
      put(at, step, container)
      at = container
    }
    put(at, steps.at(-1)!, value)
  }

  /** The container at a step, as one that may be changed. */
  #container(present: unknown, list: boolean): Record<string, unknown> | unknown[] {
    const fits = typeof present === 'object' && present !== null && Array.isArray(present) === list
    if (fits && this.#own.has(present)) return present as Record<string, unknown> | unknown[]
    const made = list ? [...(fits ? (present as unknown[]) : [])] : { ...(fits ? present : {}) }
    this.#own.add(made)
    return made
  }
}

/** Sets a step of a path; lists are filled up with null. */
function put(at: Record<string, unknown> | unknown[], step: string | number, value: unknown): void {
  if (!Array.isArray(at)) {
    setMember(at, String(step), value)
    return
  }
  while (at.length < Number(step)) at.push(null)
  at[Number(step)] = value
}

/** A member of an object; its key has its place in the order at once. */
export function memberSlot(object: Record<string, unknown>, name: string): Slot {
  setMember(object, name, undefined)
  return {
    set: value => setMember(object, name, value),
    drop: () => {
      delete object[name]
    }
  }
}

/** Keeps a place among targets for those that are found later. */
export function reserveTargets(all: Target[]): Target[] {
  return reserved(all).targets
}

function reserved(all: Target[]): Target {
  // A group is a target without a value of its own.
  const group: Target = { home: {}, steps: [], state: 'open', targets: [], waiting: [] }
  all.push(group)
  return group
}

/** The targets that the items of a list lead to, item by item. */
export class TargetGroups {
  readonly #all: Target[]
  readonly #groups: Target[] = []
  #dropped = false

  /** @param all where the targets of the whole list belong */
  constructor(all: Target[]) {
    this.#all = all
  }

  /** Where the targets of the next item go. */
  next(): Target[] {
    const group = reserved(this.#all)
    if (this.#dropped) group.state = 'lost'
    this.#groups.push(group)
    return group.targets
  }

  /** Forgets the targets of all items after this one. */
  dropAfter(index: number): void {
    this.#dropped = true
    for (const group of this.#groups.slice(index + 1)) group.state = 'lost'
  }
}
