/**
 * Applying `required` to archives (`archive.md` §2 to §4). Pure: what is not loaded yet is wanted, the step that needs it
 * waits, and everything else goes on; so what a round of steps wants can be fetched at once.
 */
import { failure } from '../errors.ts'
import { ArchiveAnswer, memberSlot, type Slot, TargetGroups } from './answer.ts'
import type { ArchiveDefinitions } from './archive-definitions.ts'
import type { ArchiveSet } from './archive-set.ts'
import type { SectionDefinition } from './definitions.ts'
import { wantRequired } from './prefetch.ts'
import { ReferenceFollower } from './reference-follower.ts'
import {
  indexRange,
  invalidValue,
  isWrong,
  type ListIndex,
  type Required,
  type RequiredMember,
  type RequiredMembers,
  type RequiredRequest
} from './required.ts'
import { definitionOf, type Site, typeOf, ValueCount, type ValueType, waitingSite } from './site.ts'
import { type ArchiveNode, MISSING, type Missing, type StoredArchive } from './stored-archive.ts'
import type { Work } from './work.ts'

/** Items of a list from which on other work may come in between. */
const LONG_LIST = 200

/** Definition of what `definitions` holds: its references are for the metainfo, not for answers. */
const PACKAGE = 'nomad.metainfo.metainfo.Package'

/** Reads archives with one `required`. */
export class ArchiveWalk {
  readonly #definitions: ArchiveDefinitions
  readonly #request: RequiredRequest
  readonly #work: Work
  readonly #count = new ValueCount()
  readonly #references: ReferenceFollower
  readonly #answers: ArchiveAnswer[] = []

  /** @param work takes the steps of the reading; running them throws REQUIRED_INDEX, REFERENCE_REMOTE, INVALID */
  constructor(archives: ArchiveSet, definitions: ArchiveDefinitions, request: RequiredRequest, work: Work) {
    this.#definitions = definitions
    this.#request = request
    this.#work = work
    this.#references = new ReferenceFollower(archives, definitions, request, work, this.#count, (...target) =>
      this.#value(...target)
    )
  }

  /** Begins to read an archive; the answer is complete when nothing is left to be done, see {@link closeCircles}. */
  start(archive: StoredArchive): ArchiveAnswer {
    const answer = new ArchiveAnswer()
    this.#answers.push(answer)
    const { placed: home, targets } = answer
    const site: Site = { archive, answer, home, targets, chain: undefined }
    const { tree } = this.#request
    wantRequired(archive, tree)
    const type = { section: this.#definitions.root }
    this.#work.add(() => this.#value(site, tree, archive.root, type, answer))
    return answer
  }

  /**
   * To be asked when nothing is left to be done: adds what turns out to be missing where circles of references were cut.
   * @returns whether there is something
   */
  closeCircles(): boolean {
    const due = this.#answers.flatMap(answer => answer.cuts.take())
    for (const cut of due) this.#work.add(() => cut.follow())
    return due.length > 0
  }

  #value(site: Site, required: Required, node: ArchiveNode, type: ValueType, slot: Slot): void {
    if (required === 'all' || (required === 'resolved' && type.section?.name === PACKAGE)) {
      this.#whole(node, slot)
      return
    }
    const kind = node.kind()
    if (kind === MISSING) {
      const later = waitingSite(site)
      this.#work.wait(() => this.#value(later, required, node, type, slot))
    } else if (kind === 'list') this.#list(site, required, undefined, node, type, slot)
    else if (kind === 'map') this.#section(site, required, node, type, slot)
    else {
      const value = node.rest()
      if (typeof value === 'string') this.#references.text(site, required, value, type, slot)
      else slot.set(value)
    }
  }

  #whole(node: ArchiveNode, slot: Slot): void {
    const value = node.whole()
    if (value === MISSING) this.#work.wait(() => this.#whole(node, slot))
    else slot.set(value)
  }

  #list(
    site: Site,
    required: Required,
    index: ListIndex | undefined,
    node: ArchiveNode,
    type: ValueType,
    slot: Slot
  ): void {
    const wait = () => {
      const later = waitingSite(site)
      this.#work.wait(() => this.#list(later, required, index, node, type, slot))
    }
    const length = node.length()
    if (length === MISSING) {
      wait()
      return
    }
    const range = indexRange(index, length)
    if (!range) {
      slot.drop()
      return
    }
    const plain = plainItems(node, range)
    if (plain) {
      slot.set(plain)
      return
    }
    const items: (ArchiveNode | Missing)[] = []
    for (let i = range[0]; i < range[1]; i++) items.push(node.item(i))
    if (items.includes(MISSING)) {
      wait()
      return
    }
    const list: unknown[] = Array(items.length).fill(null)
    slot.set(list)
    const groups = new TargetGroups(site.targets)
    items.forEach((item, i) => {
      const targets = groups.next()
      const ofItem: Slot = {
        set: value => {
          list[i] = value
        },
        // A list of which an item cannot be given is left out, and what comes after that item is not looked at.
        drop: () => {
          groups.dropAfter(i)
          slot.drop()
        }
      }
      const step = () => this.#value({ ...site, targets }, required, item as ArchiveNode, type, ofItem)
      if (items.length < LONG_LIST) step()
      else this.#work.add(step)
    })
  }

  #section(site: Site, required: Required, node: ArchiveNode, type: ValueType, slot: Slot): void {
    // Maps of a quantity are JSON, not sections (`archive.md` §2.6).
    if (type.property?.kind === 'quantity') {
      this.#whole(node, slot)
      return
    }
    const definition = definitionOf(this.#definitions, site.archive, node, type.section)
    const keys = node.keys()
    if (definition === MISSING || keys === MISSING) {
      const later = waitingSite(site)
      this.#work.wait(() => this.#section(later, required, node, type, slot))
      return
    }
    this.#count.add(site.answer, keys.length)
    const section: Record<string, unknown> = {}
    slot.set(section)
    const mDef = node.member('m_def') as ArchiveNode | undefined
    if (mDef) section.m_def = mDef.rest()
    if (typeof required === 'object') this.#pick(site, required, keys, node, definition, section)
    else this.#copy(site, keys, node, definition, section)
  }

  /** The members that `required` names. */
  #pick(
    site: Site,
    { members, others }: RequiredMembers,
    keys: readonly string[],
    node: ArchiveNode,
    definition: SectionDefinition | undefined,
    section: Record<string, unknown>
  ): void {
    const named = new Map<string, RequiredMember[]>()
    for (const member of members) named.set(member.name, [...(named.get(member.name) ?? []), member])
    for (const name of others === undefined ? named.keys() : keys) {
      const property = definition?.property(name)
      if (name === 'm_def' || (definition && !property)) continue
      const ways = named.get(name) ?? [{ name, value: others as Required }]
      this.#member(site, ways, name, node, typeOf(property), section)
    }
  }

  /** @param ways the keys for this property; the last one that gives something wins (`archive.md` §2.3) */
  #member(
    site: Site,
    ways: readonly RequiredMember[],
    name: string,
    node: ArchiveNode,
    type: ValueType,
    section: Record<string, unknown>
  ): void {
    const { value, index } = ways.at(-1)!
    const child = value === 'exclude' ? undefined : node.member(name)
    if (child === undefined || value === 'exclude') return
    const kind = child === MISSING ? MISSING : child.kind()
    const length = kind === 'list' ? (child as ArchiveNode).length() : undefined
    if (kind === MISSING || length === MISSING) {
      memberSlot(section, name)
      const later = waitingSite(site)
      this.#work.wait(() => this.#member(later, ways, name, node, type, section))
      return
    }
    if (isWrong(value)) throw invalidValue(name, value)
    if (index && length === undefined) throw failure('REQUIRED_INDEX', { name })
    if (length !== undefined && !indexRange(index, length)) {
      delete section[name]
      if (ways.length > 1) this.#member(site, ways.slice(0, -1), name, node, type, section)
      return
    }
    const slot = memberSlot(section, name)
    if (index) this.#list(site, value, index, child as ArchiveNode, type, slot)
    else this.#value(site, value, child as ArchiveNode, type, slot)
  }

  /** Everything that the definition knows, references followed; everything where there is no definition. */
  #copy(
    site: Site,
    keys: readonly string[],
    node: ArchiveNode,
    definition: SectionDefinition | undefined,
    section: Record<string, unknown>
  ): void {
    for (const name of keys) {
      const property = definition?.property(name)
      if (name === 'm_def' || (definition && !property)) continue
      const followed =
        property?.kind !== 'quantity' || property.reference === 'section' || property.reference === 'quantity'
      const type = definition ? typeOf(property) : { guessed: true }
      this.#member(site, [{ name, value: followed ? 'resolved' : 'all' }], name, node, type, section)
    }
  }
}

/** The items of a range, if they are numbers and the like: nothing in them can be picked or followed. */
function plainItems(node: ArchiveNode, [from, to]: readonly [number, number]): unknown[] | undefined {
  if (node.place) return undefined
  const items = (node.rest() as unknown[]).slice(from, to)
  return items.every(item => typeof item !== 'string' && (typeof item !== 'object' || item === null))
    ? items
    : undefined
}
