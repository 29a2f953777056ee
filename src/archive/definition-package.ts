/**
 * One package of definitions: its sections by name and by path, and the model of a section (`archive.md` §5.3).
 * Everything is made when it is first asked for.
 */
import { quantityType } from './definition-type.ts'
import type {
  JsonObject,
  PropertyDefinition,
  QuantityDefinition,
  SectionDefinition,
  SubSectionDefinition
} from './definitions.ts'

/** Finds the section that a package names outside itself, by qualified name or by URL. */
export type ForeignLookup = (reference: string) => SectionDefinition | undefined

/** The sections that extend the section of this qualified name (`extends_base_section`). */
export type ExtensionLookup = (qualifiedName: string) => readonly SectionDefinition[]

/** Members of a list that are JSON objects. */
export function objectsOf(list: unknown): JsonObject[] {
  return Array.isArray(list) ? list.filter(item => typeof item === 'object' && item !== null) : []
}

/** Members of a list that are strings. */
function stringsOf(list: unknown): string[] {
  return Array.isArray(list) ? list.filter(item => typeof item === 'string') : []
}

/** A reference without the id of the definition behind it: `name@<40 hex>` gives `name`. */
export function withoutDefinitionId(reference: string): string {
  // A mainfile may contain `@`, a name does not.
  return reference.includes('#') ? reference.replace(/@[0-9a-f]{40}$/, '') : reference.replace(/@.*$/s, '')
}

/** Sections of one package. */
export class DefinitionPackage {
  /** What qualified names begin with: the package's name, or `entry_id:<entry id>` for schemas of uploads. */
  readonly prefix: string
  readonly raw: JsonObject
  readonly foreign: ForeignLookup
  readonly extensions: ExtensionLookup
  readonly #sections = new Map<JsonObject, PackageSection>()

  constructor(prefix: string, raw: JsonObject, foreign: ForeignLookup, extensions: ExtensionLookup) {
    this.prefix = prefix
    this.raw = raw
    this.foreign = foreign
    this.extensions = extensions
  }

  /** The section with this name, `Section` or `Section.InnerSection`. */
  named(name: string): PackageSection | undefined {
    let list = objectsOf(this.raw.section_definitions)
    let section: PackageSection | undefined
    for (const part of name.split('.')) {
      const raw = list.find(item => item.name === part)
      if (!raw) return undefined
      section = this.section(raw, section)
      list = objectsOf(raw.inner_section_definitions)
    }
    return section
  }

  /** All sections, inner ones included. */
  sections(): PackageSection[] {
    const within = (list: unknown, parent: PackageSection | undefined): PackageSection[] =>
      objectsOf(list).flatMap(raw => {
        const section = this.section(raw, parent)
        return [section, ...within(raw.inner_section_definitions, section)]
      })
    return within(this.raw.section_definitions, undefined)
  }

  /** The section at a path such as `/section_definitions/3/inner_section_definitions/0`. */
  at(path: string): PackageSection | undefined {
    const segments = path.split('/').filter(segment => segment !== '')
    let node: JsonObject = this.raw
    let section: PackageSection | undefined
    for (let i = 0; i < segments.length; i += 2) {
      if (!/section_definitions$/.test(segments[i]!)) return undefined
      const list = node[segments[i]!]
      const index = segments[i + 1] ?? ''
      const raw = Array.isArray(list) && /^-?\d+$/.test(index) ? list.at(Number(index)) : undefined
      if (typeof raw !== 'object' || raw === null) return undefined
      node = raw
      section = this.section(raw, section)
    }
    return section
  }

  /**
   * The section that a reference means when it stands in this package: a path in the package, a bare name (inner
   * sections of the enclosing ones first, then the package's), a qualified name or a URL.
   */
  resolve(reference: string, from?: PackageSection): SectionDefinition | undefined {
    const text = withoutDefinitionId(reference)
    if (/^#?\/(?:definitions\/)?section_definitions\//.test(text)) {
      return this.at(text.replace(/^#?\/(?:definitions\/)?/, ''))
    }
    for (let around = from; around; around = around.parent) {
      const inner = around.inner(text)
      if (inner) return inner
    }
    return this.named(text) ?? this.foreign(text)
  }

  /** The model of a section of this package, for the same JSON always the same object. */
  section(raw: JsonObject, parent: PackageSection | undefined): PackageSection {
    let section = this.#sections.get(raw)
    if (!section) {
      section = new PackageSection(this, raw, parent)
      this.#sections.set(raw, section)
    }
    return section
  }
}

/** A section of a package. */
export class PackageSection implements SectionDefinition {
  readonly name: string
  readonly id?: string
  readonly raw: JsonObject
  /** The section in which this one is defined. */
  readonly parent: PackageSection | undefined
  readonly #package: DefinitionPackage
  #lineage: readonly SectionDefinition[] | undefined
  #own: ReadonlyMap<string, PropertyDefinition> | undefined
  #properties: ReadonlyMap<string, PropertyDefinition> | undefined

  constructor(pkg: DefinitionPackage, raw: JsonObject, parent: PackageSection | undefined) {
    this.#package = pkg
    this.raw = raw
    this.parent = parent
    this.name = `${parent ? parent.name : pkg.prefix}.${raw.name}`
    if (typeof raw.definition_id === 'string') this.id = raw.definition_id
  }

  /** The inner section with this name. */
  inner(name: string): PackageSection | undefined {
    const raw = objectsOf(this.raw.inner_section_definitions).find(item => item.name === name)
    return raw && this.#package.section(raw, this)
  }

  bases(): SectionDefinition[] {
    return stringsOf(this.raw.base_sections)
      .map(reference => this.#package.resolve(reference, this))
      .filter(base => base !== undefined)
  }

  lineage(): readonly SectionDefinition[] {
    if (this.#lineage) return this.#lineage
    // From the last base to the first, and a section before all it is based on: every section stands before its
    // bases, also where two bases share one. A circle of bases ends at what was seen.
    const seen = new Set<SectionDefinition>()
    const lineage: SectionDefinition[] = []
    const visit = (section: SectionDefinition): void => {
      if (seen.has(section)) return
      seen.add(section)
      section.bases().toReversed().forEach(visit)
      lineage.unshift(section)
    }
    visit(this)
    this.#lineage = lineage
    return lineage
  }

  property(name: string): PropertyDefinition | undefined {
    return this.properties().get(name)
  }

  properties(): ReadonlyMap<string, PropertyDefinition> {
    if (this.#properties) return this.#properties
    const all = new Map<string, PropertyDefinition>()
    const take = (section: SectionDefinition) => {
      for (const [name, property] of section.ownProperties()) if (!all.has(name)) all.set(name, property)
    }
    for (const section of this.lineage()) {
      take(section)
      for (const extension of this.#package.extensions(section.name)) take(extension)
    }
    this.#properties = all
    return all
  }

  ownProperties(): ReadonlyMap<string, PropertyDefinition> {
    if (this.#own) return this.#own
    const own = new Map<string, PropertyDefinition>()
    for (const raw of objectsOf(this.raw.quantities)) own.set(String(raw.name), this.#quantity(raw))
    for (const raw of objectsOf(this.raw.sub_sections)) own.set(String(raw.name), this.#subSection(raw))
    this.#own = own
    return own
  }

  #quantity(raw: JsonObject): QuantityDefinition {
    const { valueKind, reference, target } = quantityType(raw.type)
    return {
      kind: 'quantity',
      name: String(raw.name),
      qualifiedName: `${this.name}.${raw.name}`,
      valueKind,
      scalar: !Array.isArray(raw.shape) || raw.shape.length === 0,
      ...(reference ? { reference } : {}),
      target: once(() => (target === undefined ? undefined : this.#target(target, reference === 'quantity'))),
      raw
    }
  }

  #target(target: string, ofQuantity: boolean): SectionDefinition | undefined {
    const section = this.#package.resolve(target, this)
    if (section || !ofQuantity) return section
    // `pkg.Section.quantity` or `…/section_definitions/3/quantities/1`: the section is what stands before.
    return this.#package.resolve(target.replace(/(?:\.[^./]+|\/quantities\/\d+)$/, ''), this)
  }

  #subSection(raw: JsonObject): SubSectionDefinition {
    const { sub_section: reference } = raw
    return {
      kind: 'sub_section',
      name: String(raw.name),
      qualifiedName: `${this.name}.${raw.name}`,
      repeats: raw.repeats === true,
      section: once(() =>
        typeof reference === 'string' ? this.#package.resolve(reference, this) : undefined
      ),
      raw
    }
  }
}

/** The function's first result, from then on. */
function once<T>(compute: () => T): () => T {
  let known: { value: T } | undefined
  return () => {
    known ??= { value: compute() }
    return known.value
  }
}
