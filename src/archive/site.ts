/** What is known where a value of an archive is read: its archive, its definition, and the way that led to it. */
import { invalid } from '../errors.ts'
import { type ArchiveAnswer, reserveTargets, type Target } from './answer.ts'
import type { ArchiveDefinitions } from './archive-definitions.ts'
import type { PropertyDefinition, SectionDefinition } from './definitions.ts'
import { type ArchiveNode, MISSING, type Missing, type StoredArchive } from './stored-archive.ts'

/** References that lead from one to the next before the last is left as text. */
export const LONGEST_CHAIN = 100

/** Values that one archive and its references may bring into an answer. */
const MOST_VALUES = 300_000

/** The targets that lead to what is read, innermost first. */
export interface Chain {
  readonly target: string
  readonly length: number
  readonly outer: Chain | undefined
}

/** In which archive values are read, and where the targets of their references go. */
export interface Site {
  readonly archive: StoredArchive
  readonly answer: ArchiveAnswer
  readonly home: Record<string, unknown>
  readonly targets: Target[]
  readonly chain: Chain | undefined
}

/** The site for a step that waits: its targets keep their place before those of later steps. */
export function waitingSite(site: Site): Site {
  return { ...site, targets: reserveTargets(site.targets) }
}

/** What is known of a value. */
export interface ValueType {
  readonly property?: PropertyDefinition | undefined
  /** Declared definition of the section that it is, or that it refers to. */
  readonly section?: SectionDefinition | undefined
  /** No definition is known above it: a text that leads nowhere as a reference is a text. */
  readonly guessed?: boolean
}

/** What a property says of its value. */
export function typeOf(property: PropertyDefinition | undefined): ValueType {
  if (!property) return {}
  return { property, section: property.kind === 'sub_section' ? property.section() : property.target() }
}

/**
 * The definition that a section names by its `m_def`, else the declared one.
 * @param node a map
 */
export function definitionOf(
  definitions: ArchiveDefinitions,
  archive: StoredArchive,
  node: ArchiveNode,
  declared: SectionDefinition | undefined
): SectionDefinition | Missing | undefined {
  const mDef = node.member('m_def')
  if (mDef === undefined || mDef === MISSING) return mDef ?? declared
  const reference = mDef.rest()
  if (reference === MISSING) return MISSING
  if (typeof reference !== 'string') return declared
  return definitions.section(archive, reference) ?? declared
}

/** Counts what an answer shows, so that references cannot make it grow without bound. */
export class ValueCount {
  readonly #values = new Map<ArchiveAnswer, number>()

  /** @throws SeraiError INVALID (422) when it is too much */
  add(answer: ArchiveAnswer, values: number): void {
    const sum = (this.#values.get(answer) ?? 0) + values
    this.#values.set(answer, sum)
    if (sum <= MOST_VALUES) return
    throw invalid(
      ['required'],
      `required leads to more than ${MOST_VALUES} values in one archive: ask for fewer, or without include-resolved`
    )
  }
}

/** Whether a target is being read already. */
export function isOnChain(chain: Chain | undefined, target: string): boolean {
  for (let at = chain; at; at = at.outer) if (at.target === target) return true
  return false
}
