/**
 * Applying `required` to archives (`archive.md` §2 to §4). Pure: what is not loaded yet is wanted, the step that needs it
 * waits, and everything else goes on; so what a round of steps wants can be fetched at once.
 */
import { failure, invalid } from '../errors.ts'
import { ArchiveAnswer, memberSlot, type Slot, type Target, TargetGroups } from './answer.ts'
import type { ArchiveDefinitions } from './archive-definitions.ts'
import type { ArchiveSet } from './archive-set.ts'
import type { PropertyDefinition, SectionDefinition } from './definitions.ts'
import { wantPath, wantRequired } from './prefetch.ts'
import { parseReference, pathSteps, type Reference } from './reference.ts'
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
import { type ArchiveNode, MISSING, type Missing, type StoredArchive } from './stored-archive.ts'

/** References that lead from one to the next before the last is left as text. */
const LONGEST_CHAIN = 100

/** Values that the references of one archive may bring into an answer. */
const MOST_VALUES = 300_000

/** Items of a list from which on other work may come in between. */
const LONG_LIST = 200

/** Definition of what `definitions` holds: its references are for the metainfo, not for answers. */
const PACKAGE = 'nomad.metainfo.metainfo.Package'

/** The targets that lead to what is read, innermost first. */
interface Chain {
  readonly target: string
  readonly length: number
  readonly outer: Chain | undefined
}

/** In which archive values are read, and where the targets of their references go. */
interface Site {
  readonly archive: StoredArchive
  readonly answer: ArchiveAnswer
  readonly home: Record<string, unknown>
  readonly targets: Target[]
  readonly chain: Chain | undefined
}

/** What is known of a value. */
interface ValueType {
  readonly property?: PropertyDefinition | undefined
  /** Declared definition of the section that it is, or that it refers to. */
  readonly section?: SectionDefinition | undefined
  /** No definition is known above it: a text that leads nowhere as a reference is a text. */
  readonly guessed?: boolean
}

function typeOf(property: PropertyDefinition | undefined): ValueType {
  if (!property) return {}
  return { property, section: property.kind === 'sub_section' ? property.section() : property.target() }
}

/** Reads archives with one `required`. */
export class ArchiveWalk {
  readonly #archives: ArchiveSet
  readonly #definitions: ArchiveDefinitions
  readonly #request: RequiredRequest
  #steps: (() => void)[] = []
  #waiting: (() => void)[] = []
  readonly #values = new Map<ArchiveAnswer, number>()

  constructor(archives: ArchiveSet, definitions: ArchiveDefinitions, request: RequiredRequest) {
    this.#archives = archives
    this.#definitions = definitions
    this.#request = request
  }

  /** Begins to read an archive; the answer is complete when nothing is left to be done. */
  start(archive: StoredArchive): ArchiveAnswer {
    const answer = new ArchiveAnswer()
    const { placed: home, targets } = answer
    const site: Site = { archive, answer, home, targets, chain: undefined }
    const { tree } = this.#request
    wantRequired(archive, tree)
    const type = { section: this.#definitions.root }
    this.#steps.push(() => this.#value(site, tree, archive.root, type, answer))
    return answer
  }

  /**
   * Goes on until everything is done or waits, or `pause` says so.
   * @returns whether it paused
   * @throws SeraiError REQUIRED_INDEX, REFERENCE_REMOTE (400), INVALID (422)
   */
  run(pause: () => boolean): boolean {
    while (this.#steps.length > 0) {
      const steps = this.#steps
      this.#steps = []
      for (let i = 0; i < steps.length; i++) {
        steps[i]!()
        if (!pause()) continue
        this.#steps = [...steps.slice(i + 1), ...this.#steps]
        return true
      }
    }
    return false
  }

  /** Lets what waited go on, when what was wanted has been given. Says whether anything waited. */
  resume(): boolean {
    this.#steps.push(...this.#waiting.splice(0))
    return this.#steps.length > 0
  }

  #value(site: Site, required: Required, node: ArchiveNode, type: ValueType, slot: Slot): void {
    if (required === 'all' || (required === 'resolved' && type.section?.name === PACKAGE)) {
      this.#whole(node, slot)
      return
    }
    const kind = node.kind()
    if (kind === MISSING) {
      this.#waiting.push(() => this.#value(site, required, node, type, slot))
    } else if (kind === 'list') this.#list(site, required, undefined, node, type, slot)
    else if (kind === 'map') this.#section(site, required, node, type, slot)
    else {
      const value = node.rest()
      if (typeof value === 'string') this.#text(site, required, value, type, slot)
      else slot.set(value)
    }
  }

  #whole(node: ArchiveNode, slot: Slot): void {
    const value = node.whole()
    if (value === MISSING) this.#waiting.push(() => this.#whole(node, slot))
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
    const again = () => this.#list(site, required, index, node, type, slot)
    const length = node.length()
    if (length === MISSING) {
      this.#waiting.push(again)
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
      this.#waiting.push(again)
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
      else this.#steps.push(step)
    })
  }

  #section(site: Site, required: Required, node: ArchiveNode, type: ValueType, slot: Slot): void {
    // Maps of a quantity are JSON, not sections (`archive.md` §2.6).
    if (type.property?.kind === 'quantity') {
      this.#whole(node, slot)
      return
    }
    const definition = this.#definitionOf(site.archive, node, type.section)
    const keys = node.keys()
    if (definition === MISSING || keys === MISSING) {
      this.#waiting.push(() => this.#section(site, required, node, type, slot))
      return
    }
    this.#count(site.answer, keys.length)
    const section: Record<string, unknown> = {}
    slot.set(section)
    const mDef = node.member('m_def') as ArchiveNode | undefined
    if (mDef) section.m_def = mDef.rest()
    if (typeof required === 'object') this.#pick(site, required, keys, node, definition, section)
    else this.#copy(site, keys, node, definition, section)
  }

  /** The definition that a section names by its `m_def`, else the declared one. */
  #definitionOf(
    archive: StoredArchive,
    node: ArchiveNode,
    declared: SectionDefinition | undefined
  ): SectionDefinition | Missing | undefined {
    const mDef = node.member('m_def')
    if (mDef === undefined || mDef === MISSING) return mDef ?? declared
    const reference = mDef.rest()
    if (reference === MISSING) return MISSING
    if (typeof reference !== 'string') return declared
    return this.#definitions.section(archive, reference) ?? declared
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
      this.#waiting.push(() => this.#member(site, ways, name, node, type, section))
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

  /** A text that is taken as a reference, whatever its type (`archive.md` §5.1). */
  #text(site: Site, required: Required, text: string, type: ValueType, slot: Slot): void {
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
      this.#waiting.push(() => this.#text(site, required, text, type, slot))
      return
    }
    const name = archive && `${archive.entryId}#${steps.join('/')}`
    if (!archive || isOnChain(site.chain, name as string)) {
      slot.set(text)
      return
    }
    this.#count(site.answer, 1)
    const chain = { target: name as string, length: (site.chain?.length ?? 0) + 1, outer: site.chain }
    const from = { ...site, archive, chain }
    if (this.#request.inPlace) {
      wantPath(archive, steps, required)
      this.#steps.push(() => this.#target(from, steps, required, type.section, keep))
    } else this.#placed(from, reference, steps, required, type.section, keep)
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
    this.#steps.push(() => this.#target(inside, steps, shown ? { members: [] } : required, declared, found))
  }

  /** Whether the answer shows, references followed, everything below a top-level section anyway. */
  #shows(section: string, required: Required): boolean {
    const { tree } = this.#request
    if (required !== 'resolved' || tree === 'all') return false
    if (tree === 'resolved') return true
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
    if (found === MISSING) this.#waiting.push(() => this.#target(site, steps, required, declared, slot))
    else if (!found || found.node.rest() === null) slot.drop()
    else {
      // A reference to sections in general says nothing of its target: it has its own definition (spec README, decision 12).
      const general = !declared || declared.properties().size === 0
      const type = general ? found.type : { ...found.type, section: declared }
      this.#value(site, required, found.node, type, slot)
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
        const definition = this.#definitionOf(archive, node, type.section)
        next = node.member(step)
        if (definition === MISSING) return MISSING
        type = typeOf(definition?.property(step))
      }
      if (next === undefined || next === MISSING) return next
      node = next
    }
    return node.kind() === MISSING ? MISSING : { node, type }
  }

  #count(answer: ArchiveAnswer, values: number): void {
    const sum = (this.#values.get(answer) ?? 0) + values
    this.#values.set(answer, sum)
    if (sum <= MOST_VALUES) return
    throw invalid(
      ['required'],
      `required leads to more than ${MOST_VALUES} values in one archive: ask for fewer, or without include-resolved`
    )
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

function isOnChain(chain: Chain | undefined, target: string): boolean {
  if (chain && chain.length >= LONGEST_CHAIN) return true
  for (let at = chain; at; at = at.outer) if (at.target === target) return true
  return false
}
