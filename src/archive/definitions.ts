/**
 * Definitions of the metainfo as the rest of the code sees them: sections, their properties, and where a reference
 * to a definition is looked up (`archive.md` §5). Types only; `definition-registry.ts` builds them from packages.
 */

/** A JSON object. */
export type JsonObject = { readonly [key: string]: unknown }

/** What a quantity's values are. */
export type ValueKind =
  | 'string'
  | 'enum'
  | 'int'
  | 'float'
  | 'bool'
  | 'datetime'
  | 'complex'
  | 'json'
  | 'other'

/** A quantity of a section. */
export interface QuantityDefinition {
  readonly kind: 'quantity'
  readonly name: string
  /** Name of the section that defines it, and its own, for example `nomad.datamodel.results.Material.elements`. */
  readonly qualifiedName: string
  readonly valueKind: ValueKind
  /** Has no shape: one value. */
  readonly scalar: boolean
  /**
   * `section`: the value is a reference to a section; `quantity`: to a quantity of a section (the last segment of the
   * value); `person`: an id of a user or a dataset, never resolved. Absent when the value is no reference.
   */
  readonly reference?: 'section' | 'quantity' | 'person'
  /** Definition of the section that a reference leads to, or into; undefined when unknown. */
  target(): SectionDefinition | undefined
  /** The definition as JSON. */
  readonly raw: JsonObject
}

/** A sub-section of a section. */
export interface SubSectionDefinition {
  readonly kind: 'sub_section'
  readonly name: string
  readonly qualifiedName: string
  readonly repeats: boolean
  /** Declared definition of its sections; undefined when it is not known. */
  section(): SectionDefinition | undefined
  readonly raw: JsonObject
}

/** A quantity or a sub-section. */
export type PropertyDefinition = QuantityDefinition | SubSectionDefinition

/** A section definition. */
export interface SectionDefinition {
  /** Qualified name: `nomad.datamodel.results.Results`, `entry_id:<entry id>.<Section>` for schemas of uploads. */
  readonly name: string
  /** 40 hexadecimal digits, where the package tells it. */
  readonly id?: string
  /** The definitions it is directly based on, as far as they are known. */
  bases(): readonly SectionDefinition[]
  /** Properties it defines itself, by name. */
  ownProperties(): ReadonlyMap<string, PropertyDefinition>
  /** This definition and all it is based on, each once and before its own bases. */
  lineage(): readonly SectionDefinition[]
  /** Own, inherited and added (`extends_base_section`) property of this name; own ones win. */
  property(name: string): PropertyDefinition | undefined
  /** All properties by name. */
  properties(): ReadonlyMap<string, PropertyDefinition>
  readonly raw: JsonObject
}

/** Where the definitions that one archive names are looked up. */
export interface DefinitionScope {
  /**
   * The section definition of an `m_def` (`archive.md` §5.4); undefined when it cannot be found, which is never an error.
   */
  section(reference: string): SectionDefinition | undefined
}

/** Gives the `definitions` section in the archive of another entry; undefined when there is none to be seen. */
export type SchemaLookup = (entryId: string) => JsonObject | undefined

/** All definitions known to a server: built-in packages and stored ones. */
export interface DefinitionRegistry extends DefinitionScope {
  /** Definition of a whole archive, `nomad.datamodel.datamodel.EntryArchive`. */
  readonly root: SectionDefinition
  /** Stands for all that is known: another text when packages were added. */
  readonly fingerprint: string
  /** The package that defines the section of a qualified name; undefined when there is none. */
  packageOf(reference: string): JsonObject | undefined
  /** All section definitions, inner ones included; the same list until packages are added. */
  sections(): readonly SectionDefinition[]
  /** Adds packages, or replaces those of the same name. */
  add(packages: readonly JsonObject[]): void
  /**
   * The scope of one archive: its own `definitions`, schemas of other entries, then this registry.
   * @param archive ids of the entry and its `definitions` section, if it has one
   * @param schemas gives the `definitions` section of another entry; undefined when it has none or may not be seen
   */
  scope(
    archive: { readonly entryId: string; readonly uploadId: string; readonly definitions?: JsonObject },
    schemas?: SchemaLookup
  ): DefinitionScope
}
