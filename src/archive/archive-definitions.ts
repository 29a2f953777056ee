/**
 * What an `m_def` in an archive means (`archive.md` §5.4). Schemas that stand in archives are read when they are named,
 * with all schemas that they build on, before anything is looked up in them.
 */
import type { ArchiveSet } from './archive-set.ts'
import type { DefinitionRegistry, DefinitionScope, JsonObject, SectionDefinition } from './definitions.ts'
import { parseEntryUrl } from './entry-url.ts'
import { MISSING, type Missing, type StoredArchive } from './stored-archive.ts'

const BY_ENTRY = /^entry_id:([^.]+)\./

/** Schemas that are read for one request. */
const MOST_SCHEMAS = 1000

/** A schema in an archive. */
interface Schema {
  readonly raw: JsonObject | undefined
  /** Entries whose schemas it names. */
  readonly names: readonly string[]
}

const NO_SCHEMA: Schema = { raw: undefined, names: [] }

/** Looks definitions up for the archives of one request. */
export class ArchiveDefinitions {
  readonly root: SectionDefinition
  readonly #registry: DefinitionRegistry
  readonly #archives: ArchiveSet
  readonly #schemas = new Map<string, Schema>()
  readonly #scopes = new Map<string, DefinitionScope>()

  constructor(registry: DefinitionRegistry, archives: ArchiveSet) {
    this.root = registry.root
    this.#registry = registry
    this.#archives = archives
  }

  /** The section that an `m_def` in this archive names; undefined when it cannot be found. */
  section(archive: StoredArchive, reference: string): SectionDefinition | Missing | undefined {
    const known = reference.includes('#') ? undefined : this.#registry.section(reference)
    if (known) return known
    const entryId = schemaOf(reference, archive) ?? archive.entryId
    if (!this.#complete(entryId, new Set())) return MISSING
    return this.#scope(archive).section(reference)
  }

  #scope(archive: StoredArchive): DefinitionScope {
    let scope = this.#scopes.get(archive.entryId)
    if (!scope) {
      const schemas = this.#schemas
      const { entryId, uploadId } = archive
      // The archive's own schema is looked at only when something in it is named: it is complete by then.
      const own = {
        entryId,
        uploadId,
        get definitions() {
          return schemas.get(entryId)?.raw as JsonObject
        }
      }
      scope = this.#registry.scope(own, id => schemas.get(id)?.raw)
      this.#scopes.set(entryId, scope)
    }
    return scope
  }

  /** Whether a schema and all that it builds on are there; what is missing is wanted. */
  #complete(entryId: string, visited: Set<string>): boolean {
    if (visited.has(entryId)) return true
    visited.add(entryId)
    const schema = this.#schema(entryId)
    if (schema === MISSING) return false
    let complete = true
    for (const name of schema.names) complete = this.#complete(name, visited) && complete
    return complete
  }

  #schema(entryId: string): Schema | Missing {
    const known = this.#schemas.get(entryId)
    if (known) return known
    const schema = this.#schemas.size < MOST_SCHEMAS ? this.#read(entryId) : NO_SCHEMA
    if (schema !== MISSING) this.#schemas.set(entryId, schema)
    return schema
  }

  #read(entryId: string): Schema | Missing {
    const archive = this.#archives.get(entryId)
    if (archive === MISSING) return MISSING
    const node = archive?.root.member('definitions')
    if (node === MISSING) return MISSING
    const raw = node?.whole()
    if (raw === MISSING) return MISSING
    if (!archive || typeof raw !== 'object' || raw === null) return NO_SCHEMA
    const names = new Set<string>()
    collectSchemas(raw, archive, names)
    return { raw: raw as JsonObject, names: [...names] }
  }
}

/** Id of the other entry in whose schema a reference leads; undefined when it leads to none. */
function schemaOf(reference: string, from: StoredArchive): string | undefined {
  const byEntry = BY_ENTRY.exec(reference)
  if (byEntry) return byEntry[1]
  if (!reference.includes('#') || reference.startsWith('#')) return undefined
  const url = parseEntryUrl(reference, from.uploadId)
  return url && !url.remote ? url.entryId : undefined
}

function collectSchemas(value: unknown, from: StoredArchive, names: Set<string>): void {
  if (typeof value === 'string') {
    const name = schemaOf(value, from)
    if (name !== undefined) names.add(name)
  } else if (Array.isArray(value)) {
    for (const item of value) collectSchemas(item, from, names)
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      if (key !== 'description' && key !== 'default') collectSchemas(member, from, names)
    }
  }
}
