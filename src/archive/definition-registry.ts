/**
 * All definitions that the server knows, and where one archive's are looked up (`archive.md` §5.3, §5.4).
 * Nothing is read out of a package before it is asked for, so that a start does not wait for definitions.
 */
import { createHash } from 'node:crypto'
import builtIn from './data/metainfo-packages.json' with { type: 'json' }
import { DefinitionPackage, objectsOf, withoutDefinitionId } from './definition-package.ts'
import type {
  DefinitionRegistry,
  DefinitionScope,
  JsonObject,
  SchemaLookup,
  SectionDefinition
} from './definitions.ts'
import { parseEntryUrl } from './entry-url.ts'

const ROOT = 'nomad.datamodel.datamodel.EntryArchive'
const SCHEMA_PREFIX = 'entry_id:'

/** The definitions that come with the server; further packages are added to them. */
export function builtInDefinitions(): DefinitionRegistry {
  const registry = new PackageRegistry()
  registry.add(builtIn as unknown as JsonObject[])
  return registry
}

class PackageRegistry implements DefinitionRegistry {
  readonly #raw = new Map<string, JsonObject>()
  #packages: ReadonlyMap<string, DefinitionPackage> | undefined
  #extensions: ReadonlyMap<string, SectionDefinition[]> | undefined
  /** Found definitions by the names they were asked for; archives name the same few again and again. */
  readonly #known = new Map<string, SectionDefinition>()
  #sections: readonly SectionDefinition[] | undefined
  #fingerprint: string | undefined

  get fingerprint(): string {
    if (this.#fingerprint) return this.#fingerprint
    const hash = createHash('sha256')
    for (const raw of this.#raw.values()) hash.update(JSON.stringify(raw))
    this.#fingerprint = hash.digest('base64url')
    return this.#fingerprint
  }

  get root(): SectionDefinition {
    return this.section(ROOT)!
  }

  add(packages: readonly JsonObject[]): void {
    for (const raw of packages) this.#raw.set(String(raw.name), raw)
    this.#packages = undefined
    this.#extensions = undefined
    this.#sections = undefined
    this.#fingerprint = undefined
    this.#known.clear()
  }

  packageOf(reference: string): JsonObject | undefined {
    const section = this.section(reference)
    if (!section) return undefined
    // The name that the package has itself, whatever the section was asked for by.
    for (let dot = section.name.lastIndexOf('.'); dot > 0; dot = section.name.lastIndexOf('.', dot - 1)) {
      const raw = this.#raw.get(section.name.slice(0, dot))
      if (raw) return raw
    }
    return undefined
  }

  sections(): readonly SectionDefinition[] {
    this.#sections ??= [...new Set(this.#byName().values())].flatMap(pkg => pkg.sections())
    return this.#sections
  }

  section(reference: string): SectionDefinition | undefined {
    const name = withoutDefinitionId(reference)
    const known = this.#known.get(name)
    if (known) return known
    const section = this.#find(name)
    if (section) this.#known.set(name, section)
    return section
  }

  scope(
    archive: { readonly entryId: string; readonly uploadId: string; readonly definitions?: JsonObject },
    schemas?: SchemaLookup
  ): DefinitionScope {
    return new ArchiveScope(this, archive, schemas)
  }

  #find(name: string): SectionDefinition | undefined {
    const packages = this.#byName()
    for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
      const prefix = name.slice(0, dot)
      const section = packages.get(prefix)?.named(name.slice(dot + 1))
      if (section) return section
    }
    return this.#reExported(name)
  }

  /** Python packages offer what their modules define: `nomad.datamodel.EntryArchive` is `nomad.datamodel.datamodel.EntryArchive`. */
  #reExported(name: string): SectionDefinition | undefined {
    const dot = name.lastIndexOf('.')
    const module = name.slice(0, dot + 1)
    if (dot < 1) return undefined
    for (const [prefix, pkg] of this.#byName()) {
      if (!prefix.startsWith(module) || prefix.includes('.', module.length)) continue
      const section = pkg.named(name.slice(dot + 1))
      if (section) return section
    }
    return undefined
  }

  #byName(): ReadonlyMap<string, DefinitionPackage> {
    if (this.#packages) return this.#packages
    const packages = new Map<string, DefinitionPackage>()
    const foreign = (reference: string) => this.section(reference)
    const extensions = (name: string) => this.#extending().get(name) ?? []
    for (const [name, raw] of this.#raw) {
      packages.set(name, new DefinitionPackage(name, raw, foreign, extensions))
    }
    for (const [name, raw] of this.#raw) {
      const aliases = Array.isArray(raw.aliases) ? raw.aliases : []
      for (const alias of aliases) if (!packages.has(alias)) packages.set(alias, packages.get(name)!)
    }
    this.#packages = packages
    return packages
  }

  /** Sections with `extends_base_section`, by the qualified names of the sections they add to. */
  #extending(): ReadonlyMap<string, SectionDefinition[]> {
    if (this.#extensions) return this.#extensions
    const extensions = new Map<string, SectionDefinition[]>()
    for (const pkg of new Set(this.#byName().values())) {
      for (const raw of objectsOf(pkg.raw.section_definitions)) {
        if (raw.extends_base_section !== true) continue
        const extension = pkg.section(raw, undefined)
        for (const { name } of extension.bases()) {
          extensions.set(name, [...(extensions.get(name) ?? []), extension])
        }
      }
    }
    this.#extensions = extensions
    return extensions
  }
}

/** The definitions that one archive can name: its own, those in archives of other entries, the registry's. */
class ArchiveScope implements DefinitionScope {
  readonly #registry: PackageRegistry
  readonly #archive: {
    readonly entryId: string
    readonly uploadId: string
    readonly definitions?: JsonObject
  }
  readonly #lookup: SchemaLookup | undefined
  readonly #schemas = new Map<string, DefinitionPackage | undefined>()

  constructor(
    registry: PackageRegistry,
    archive: { readonly entryId: string; readonly uploadId: string; readonly definitions?: JsonObject },
    lookup: SchemaLookup | undefined
  ) {
    this.#registry = registry
    this.#archive = archive
    this.#lookup = lookup
  }

  section(reference: string): SectionDefinition | undefined {
    const { entryId, uploadId } = this.#archive
    if (/^#?\//.test(reference)) return this.#schema(entryId, uploadId)?.resolve(reference)
    return this.#outside(reference, uploadId) ?? this.#schema(entryId, uploadId)?.named(reference)
  }

  /** What a name or URL means that stands in an archive of this upload. */
  #outside(reference: string, uploadId: string): SectionDefinition | undefined {
    const text = withoutDefinitionId(reference)
    if (text.startsWith(SCHEMA_PREFIX)) {
      const dot = text.indexOf('.')
      if (dot < 0) return undefined
      return this.#schema(text.slice(SCHEMA_PREFIX.length, dot), uploadId)?.named(text.slice(dot + 1))
    }
    if (!text.includes('#')) return this.#registry.section(text)
    const url = parseEntryUrl(text, uploadId)
    if (!url || url.remote) return undefined
    return this.#schema(url.entryId, url.uploadId ?? uploadId)?.resolve(url.path)
  }

  /** The schema in the archive of an entry. `uploadId` is the upload that its own URLs start from. */
  #schema(entryId: string, uploadId: string): DefinitionPackage | undefined {
    if (this.#schemas.has(entryId)) return this.#schemas.get(entryId)
    const raw = entryId === this.#archive.entryId ? this.#archive.definitions : this.#lookup?.(entryId)
    const schema =
      raw &&
      new DefinitionPackage(
        SCHEMA_PREFIX + entryId,
        raw,
        reference => this.#outside(reference, uploadId),
        () => []
      )
    this.#schemas.set(entryId, schema)
    return schema
  }
}
