/** `GET /metainfo/{definition_id}`: the package that defines something (`graph.md` §10). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { Caller } from '../../access/caller.ts'
import { isVisible } from '../../access/upload-access.ts'
import {
  type DefinitionSnapshot,
  packageSnapshot,
  schemaSnapshot
} from '../../archive/definition-snapshot.ts'
import type { JsonObject } from '../../archive/definitions.ts'
import { parseRequired } from '../../archive/required.ts'
import { failure } from '../../errors.ts'
import type { Quantity } from '../../query/quantities.ts'
import { ArchiveReader } from '../../storage/archive-reader.ts'
import type { Entry, Upload } from '../../storage/documents.ts'
import { ErrorAnswer, ValidationAnswer } from '../schemas/common.ts'
import { DefinitionAnswer } from '../schemas/metainfo.ts'

/** A section as the index tells it: its qualified name and its id in the version that the entry was made with. */
interface UsedSection {
  readonly definition_qualified_name: string
  readonly definition_id: string
}

/** Registers the route. */
export const metainfoRoutes: FastifyPluginAsyncTypebox = async app => {
  const { services } = app
  const { documents, definitions, index, quantities } = services
  const reader = new ArchiveReader(services)

  /** Of entries that define the same, the one that was there first and that the caller may see. */
  const visibleSchema = async (entryIds: readonly string[], caller: Caller): Promise<Entry | undefined> => {
    const entries = await documents.entries(entryIds)
    const uploads = new Map<string, Upload | undefined>()
    const age = (entry: Entry) => `${entry.entry_create_time} ${entry.entry_id}`
    for (const entry of entries.toSorted((a, b) => (age(a) < age(b) ? -1 : 1))) {
      const { upload_id } = entry
      if (!uploads.has(upload_id)) uploads.set(upload_id, await documents.upload(upload_id))
      const upload = uploads.get(upload_id)
      if (upload && isVisible(upload, caller)) return entry
    }
    return undefined
  }

  /** The schema of an entry that the caller may see. */
  const schema = async (id: string, caller: Caller): Promise<DefinitionSnapshot | undefined> => {
    const entry = await visibleSchema(await documents.entriesDefining(id), caller)
    if (!entry) return undefined
    const wanted = parseRequired({ definitions: '*' })
    for await (const { archive } of reader.read([entry.entry_id], wanted, caller)) {
      if (archive?.definitions) return schemaSnapshot(id, entry, archive.definitions as JsonObject)
    }
    return undefined
  }

  /** A package that all entries share, found by what entries tell of the ids of its sections. */
  const sharedPackage = async (id: string): Promise<DefinitionSnapshot | undefined> => {
    const quantity = quantities.get('section_defs.definition_id') as Quantity
    const { hits } = await index.search({
      query: { kind: 'nested', path: 'section_defs', query: { kind: 'terms', quantity, values: [id] } },
      order: 'asc',
      size: 1,
      source: { include: ['section_defs'] }
    })
    const used = (hits[0]?.document.section_defs ?? []) as readonly UsedSection[]
    const name = used.find(section => section.definition_id === id)?.definition_qualified_name
    const raw = name === undefined ? undefined : definitions.packageOf(name)
    if (!raw) return undefined
    const ids = new Map(used.map(section => [section.definition_qualified_name, section.definition_id]))
    return packageSnapshot(id, raw, ids)
  }

  app.get(
    '/metainfo/:definition_id',
    {
      schema: {
        tags: ['metainfo'],
        summary: 'The package that defines a section',
        description:
          'Archives tell by `m_def_id` by which version of a definition a section was made. Packages that all entries share are for ' +
          'everybody; schemas of uploads for those who may see the entry that they stand in.',
        params: Type.Object({
          definition_id: Type.String({
            pattern: '^[a-f0-9]{40}$',
            description: 'Id of a section definition or of a package: 40 hexadecimal digits.'
          })
        }),
        response: { 200: DefinitionAnswer, 401: ErrorAnswer, 404: ErrorAnswer, 422: ValidationAnswer }
      }
    },
    async ({ params: { definition_id }, caller }) => {
      const found = (await schema(definition_id, caller)) ?? (await sharedPackage(definition_id))
      if (!found) throw failure('DEFINITION_NOT_FOUND')
      return found as never
    }
  )
}
