/** Archives in a store of their own, read as the routes read them, with counts of what a reading costs. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ANONYMOUS, type Caller } from '../../src/access/caller.ts'
import { builtInDefinitions } from '../../src/archive/definition-registry.ts'
import type { JsonObject } from '../../src/archive/definitions.ts'
import { JsonText } from '../../src/archive/json-text.ts'
import { packArchive } from '../../src/archive/pack.ts'
import { parseRequired } from '../../src/archive/required.ts'
import { archiveText } from '../../src/http/archive-text.ts'
import { ArchiveReader } from '../../src/storage/archive-reader.ts'
import type { Upload } from '../../src/storage/documents.ts'
import { openSqliteArchives } from '../../src/storage/sqlite/sqlite-archives.ts'
import { openSqliteDocuments } from '../../src/storage/sqlite/sqlite-documents.ts'
import { testUpload } from '../upload.ts'
import { kind, quantity, reference, sub, text } from './plain-definitions.ts'

/** Round trips to the stores, and bytes that came back. */
export interface Costs {
  contents: number
  blocks: number
  uploads: number
  bytes: number
}

/** The sections of the examples in `archive.md` §2.7 and §3.8. */
const PACKAGES: JsonObject[] = [
  {
    name: 'test',
    section_definitions: [
      { name: 'Anything' },
      {
        name: 'System',
        quantities: [
          quantity('formula', text),
          quantity('parameters', kind('custom', 'nomad.metainfo.data_type.JSON'))
        ]
      },
      {
        name: 'Calculation',
        quantities: [
          quantity('name', text),
          quantity('energies', kind('numpy', 'float64'), ['*']),
          quantity('labels', text, ['*']),
          quantity('value', kind('numpy', 'float64')),
          quantity('system_ref', reference('System')),
          quantity('system_refs', reference('System'), ['*']),
          quantity('loop', reference('Calculation')),
          quantity('e_ref', kind('quantity_reference', 'test.Calculation'))
        ]
      },
      {
        name: 'Run',
        quantities: [quantity('program', text)],
        sub_sections: [sub('system', 'test.System', true), sub('calculation', 'test.Calculation', true)]
      },
      {
        name: 'Workflow',
        quantities: [
          quantity('calc_ref', reference('Calculation')),
          quantity('ext', reference('Calculation')),
          quantity('anything', reference('Anything'))
        ]
      }
    ]
  },
  {
    name: 'nomad.datamodel.datamodel',
    section_definitions: [
      {
        name: 'EntryArchive',
        sub_sections: [
          sub('run', 'test.Run', true),
          sub('workflow', 'test.Workflow', true),
          sub('workflow2', 'test.Workflow'),
          sub('wf', 'test.Workflow'),
          sub('data', 'nomad.datamodel.data.EntryData'),
          sub('definitions', 'nomad.metainfo.metainfo.Package')
        ]
      }
    ]
  }
]

const UPLOAD = testUpload('U1', { main_author: 'ada', publish_time: '2024-01-02T00:00:00.000Z' })

/**
 * Opens stores that hold the published upload `U1`.
 * @param packages definitions beside the built-in ones
 */
export async function openReading(packages: readonly JsonObject[] = PACKAGES) {
  const folder = await mkdtemp(join(tmpdir(), 'serai-'))
  const archives = openSqliteArchives(join(folder, 'archives.sqlite'))
  const documents = openSqliteDocuments(join(folder, 'documents.sqlite'))
  const definitions = builtInDefinitions()
  definitions.add(packages)
  const costs: Costs = { contents: 0, blocks: 0, uploads: 0, bytes: 0 }
  const counted = {
    contents: async (ids: readonly string[]) => {
      costs.contents++
      const found = await archives.contents(ids)
      for (const { bytes } of found.values()) costs.bytes += bytes.byteLength
      return found
    },
    blocks: async (addresses: Parameters<typeof archives.blocks>[0]) => {
      costs.blocks++
      const found = await archives.blocks(addresses)
      for (const bytes of found.values()) costs.bytes += bytes.byteLength
      return found
    }
  }
  const counting: Pick<typeof documents, 'listUploads'> = {
    listUploads: (filter, page) => {
      costs.uploads++
      return documents.listUploads(filter, page)
    }
  }
  const reader = new ArchiveReader({ archives: counted, documents: counting, definitions })
  await documents.putUpload(UPLOAD)

  const readAll = async (
    ids: readonly string[],
    required: unknown,
    caller: Caller = ANONYMOUS,
    signal?: AbortSignal
  ) => {
    Object.assign(costs, { contents: 0, blocks: 0, uploads: 0, bytes: 0 })
    const read = []
    for await (const answer of reader.read(ids, parseRequired(required), caller, signal)) {
      const text = new JsonText()
      const parts = await Array.fromAsync(archiveText(text, answer))
      const json = Buffer.concat([...parts, text.rest()]).toString()
      read.push(json === 'null' ? undefined : (JSON.parse(json) as JsonObject))
    }
    return read
  }
  return {
    costs,
    /** Stores an archive. */
    put: (entryId: string, archive: JsonObject, uploadId = 'U1') =>
      archives.put(entryId, uploadId, async store => {
        const packed = packArchive(archive)
        for (const block of packed.blocks) await store(block)
        return packed.contents()
      }),
    /** Stores a further upload. */
    putUpload: (upload: Partial<Upload>) => documents.putUpload({ ...UPLOAD, ...upload }),
    /** Archives of entries as an answer has them. */
    readAll,
    /** The archive of one entry as an answer has it. */
    read: async (entryId: string, required: unknown, caller?: Caller) =>
      (await readAll([entryId], required, caller))[0],
    close: async () => {
      await archives.close()
      await documents.close()
      await rm(folder, { recursive: true })
    }
  }
}
