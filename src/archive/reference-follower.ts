/** Following references: to the same archive and to others, with targets in place or at their own places (`archive.md` §3). */
import { failure } from '../errors.ts'
import type { Slot } from './answer.ts'
import type { ArchiveDefinitions } from './archive-definitions.ts'
import type { ArchiveSet } from './archive-set.ts'
import type { SectionDefinition } from './definitions.ts'
import { wantPath } from './prefetch.ts'
import { parseReference, pathSteps, type Reference } from './reference.ts'
import type { Required, RequiredRequest } from './required.ts'
import {
  definitionOf,
  isOnChain,
  LONGEST_CHAIN,
  type Site,
  typeOf,
  type ValueCount,
  type ValueType,
  waitingSite
} from './site.ts'
import { type ArchiveNode, MISSING, type Missing, type StoredArchive } from './stored-archive.ts'
import type { Work } from './work.ts'

/** Applies `required` to a value. */
export type ApplyRequired = (
  site: Site,
  required: Required,
  node: ArchiveNode,
  type: ValueType,
  slot: Slot
) => void

/** Takes nothing: the reference itself stays as it is. */
const NOWHERE: Slot = { set: () => {}, drop: () => {} }

/** Follows the references of one reading. */
export class ReferenceFollower {
  readonly #archives: ArchiveSet
  readonly #definitions: ArchiveDefinitions
  readonly #request: RequiredRequest
  readonly #work: Work
  readonly #count: ValueCount
  readonly #apply: ApplyRequired

  /** @param apply is called with what references lead to */
  constructor(
    archives: ArchiveSet,
    definitions: ArchiveDefinitions,
    request: RequiredRequest,
    work: Work,
    count: ValueCount,
    apply: ApplyRequired
  ) {
    this.#archives = archives
    this.#definitions = definitions
    this.#request = request
    this.#work = work
    this.#count = count
    this.#apply = apply
  }

  /** A text that is taken as a reference, whatever its type (`archive.md` §5.1). */
  text(site: Site, required: Required, text: string, type: ValueType, slot: Slot): void {
    const { property } = type
    const person = property?.kind === 'quantity' && property.reference === 'person'
    const reference: Reference = person ? { kind: 'none' } : parseReference(text, site.archive)
    if (reference.kind === 'remote' && this.#request.inPlace) {
      throw failure('REFERENCE_REMOTE', { reference: text })
    }
    if (reference.kind === 'none' || reference.kind === 'remote') {
      slot.set(text)
      return
    }
    const keep: Slot = type.guessed ? { set: slot.set, drop: () => slot.set(text) } : slot
    const steps = pathSteps(reference.path)
    if (!steps) {
      keep.drop()
      return
    }
    const archive = reference.kind === 'local' ? site.archive : this.#archives.get(reference.entryId)
    if (archive === MISSING) {
      const later = waitingSite(site)
      this.#work.wait(() => this.text(later, required, text, type, slot))
      return
    }
    const length = (site.chain?.length ?? 0) + 1
    if (!archive || length > LONGEST_CHAIN) {
      slot.set(text)
      return
    }
    const name = `${archive.entryId}#${steps.join('/')}`
    if (isOnChain(site.chain, name)) {
      slot.set(text)
      if (!this.#request.inPlace)
        this.#cut({ ...site, archive }, reference, name, steps, required, type.section)
      return
    }
    this.#count.add(site.answer, 1)
    const from = { ...site, archive, chain: { target: name, length, outer: site.chain } }
    if (this.#request.inPlace) {
      wantPath(archive, steps, required)
      this.#work.add(() => this.#target(from, steps, required, type.section, keep))
    } else {
      site.answer.cuts.followed(site.chain?.target ?? '', name)
      this.#placed(from, reference, steps, required, type.section, keep)
    }
  }

  /** A reference that leads back to what it came from: on another way it may not. */
  #cut(
    site: Site,
    reference: Reference & { kind: 'local' | 'foreign' },
    name: string,
    steps: readonly (string | number)[],
    required: Required,
    declared: SectionDefinition | undefined
  ): void {
    const { answer } = site
    const home = reference.kind === 'foreign' ? answer.home(reference.archiveUrl) : site.home
    const isPlaced = () => answer.hasTarget(home, steps, required)
    if (isPlaced()) return
    const later = waitingSite({ ...site, chain: { target: name, length: 1, outer: undefined } })
    answer.cuts.cut({
      from: site.chain?.target ?? '',
      to: name,
      isPlaced,
      follow: () => this.#placed(later, reference, steps, required, declared, NOWHERE)
    })
  }

  /** A target that goes to its own place. */
  #placed(
    from: Site,
    reference: Reference & { kind: 'local' | 'foreign' },
    steps: readonly (string | number)[],
    required: Required,
    declared: SectionDefinition | undefined,
    slot: Slot
  ): void {
    const { answer } = from
    const foreign = reference.kind === 'foreign'
    const home = foreign ? answer.home(reference.archiveUrl) : from.home
    const text = foreign ? `${reference.archiveUrl}#${reference.path}` : reference.path
    const named: Slot = { set: () => slot.set(text), drop: slot.drop }
    const shown = home === answer.placed && this.#shows(steps[0] as string, required)
    const { target, isNew } = answer.target(home, steps, required)
    from.targets.push(target)
    if (!isNew) {
      if (target.state === 'open') target.waiting.push(named)
      else if (target.state === 'found') named.set(undefined)
      else named.drop()
      return
    }
    target.waiting.push(named)
    const settle = (state: 'found' | 'lost') => {
      target.state = state
      for (const each of target.waiting.splice(0)) state === 'found' ? each.set(undefined) : each.drop()
    }
    const found: Slot = {
      set: value => {
        if (!shown) target.value = value
        settle('found')
      },
      drop: () => settle('lost')
    }
    const inside = { ...from, home, targets: target.targets }
    wantPath(from.archive, steps, shown ? { members: [] } : required)
    this.#work.add(() => this.#target(inside, steps, shown ? { members: [] } : required, declared, found))
  }

  /**
   * Whether the answer shows, references followed, everything below a top-level section anyway. Only where nothing else is
   * asked for of any section: of two ways to ask for a place the last one counts, so each has to be gone through.
   */
  #shows(section: string, required: Required): boolean {
    const { tree } = this.#request
    if (required !== 'resolved' || tree === 'all') return false
    if (tree === 'resolved') return true
    if (typeof tree.others === 'object' || tree.members.some(m => typeof m.value === 'object')) return false
    return tree.members.some(m => m.name === section && m.value === 'resolved' && !m.index)
  }

  /** What stands at a path, with `required` applied to it. */
  #target(
    site: Site,
    steps: readonly (string | number)[],
    required: Required,
    declared: SectionDefinition | undefined,
    slot: Slot
  ): void {
    const found = this.#at(site.archive, steps)
    if (found === MISSING) this.#work.wait(() => this.#target(site, steps, required, declared, slot))
    else if (!found || found.node.rest() === null) slot.drop()
    else {
      // A reference to sections in general says nothing of its target: it has its own definition (spec README, decision 12).
      const general = !declared || declared.properties().size === 0
      const type = general ? found.type : { ...found.type, section: declared }
      this.#apply(site, required, found.node, type, slot)
    }
  }

  #at(
    archive: StoredArchive,
    steps: readonly (string | number)[]
  ): { node: ArchiveNode; type: ValueType } | Missing | undefined {
    let node = archive.root
    let type: ValueType = { section: this.#definitions.root }
    for (const step of steps) {
      const kind = node.kind()
      if (kind === MISSING) return MISSING
      let next: ArchiveNode | Missing | undefined
      if (typeof step === 'number') {
        const length = kind === 'list' ? node.length() : 0
        if (length === MISSING) return MISSING
        next = step < length ? node.item(step) : undefined
      } else if (kind === 'map') {
        const definition = definitionOf(this.#definitions, archive, node, type.section)
        next = node.member(step)
        if (definition === MISSING) return MISSING
        type = typeOf(definition?.property(step))
      }
      if (next === undefined || next === MISSING) return next
      node = next
    }
    return node.kind() === MISSING ? MISSING : { node, type }
  }
}
