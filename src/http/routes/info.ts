/** `GET /info` (`datasets-users-groups.md` §4). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { REFERENCE_VERSION } from '../../version.ts'
import homepages from '../data/code-homepages.json' with { type: 'json' }
import { PublishedStatistics } from '../published-statistics.ts'
import { Nullable } from '../schemas/common.ts'

/** Milliseconds for which an answer waits for statistics; it can do without. */
const PATIENCE = 1000

const Answer = Type.Object({
  parsers: Type.Array(Type.String()),
  metainfo_packages: Type.Array(Type.String()),
  codes: Type.Array(Type.Object({ code_name: Type.String(), code_homepage: Nullable(Type.String()) }), {
    description: 'Programs whose results are known.'
  }),
  normalizers: Type.Array(Type.String()),
  plugin_entry_points: Type.Array(Type.Unknown()),
  plugin_packages: Type.Array(Type.Unknown()),
  statistics: Type.Optional(
    Type.Object(
      {
        n_entries: Type.Integer(),
        n_uploads: Type.Integer(),
        n_quantities: Type.Integer(),
        n_calculations: Type.Integer(),
        n_materials: Type.Integer(),
        public_data_size: Type.Integer({ description: 'Bytes of the files of uploads without embargo.' })
      },
      { description: 'How much is published; absent until it is counted.' }
    )
  ),
  collect_time: Type.Optional(Type.String({ description: 'When it was counted.' })),
  search_quantities: Type.Object(
    {},
    {
      additionalProperties: true,
      description: 'What entries can be searched by: `{name, description, many}` by name.'
    }
  ),
  version: Type.String({ description: 'Release of NOMAD whose API this is.' }),
  deployment: Type.String(),
  oasis: Type.Boolean(),
  git: Type.Object({}, { additionalProperties: true })
})

/** Registers the route. */
export const infoRoutes: FastifyPluginAsyncTypebox = async app => {
  const { quantities } = app.services
  const statistics = new PublishedStatistics(app.services)
  app.addHook('onClose', () => statistics.stop())

  const programs = quantities.get('results.method.simulation.program_name')?.values ?? []
  const codes = programs
    .filter(name => name !== 'unavailable')
    .map(code_name => ({
      code_name,
      code_homepage: (homepages as Readonly<Record<string, string>>)[code_name] ?? null
    }))

  // The data of quantities have no descriptions.
  const searchQuantities = Object.fromEntries(
    quantities.list.map(({ name, many }) => [name, { name, description: null, many }])
  )

  app.get(
    '/info',
    {
      schema: {
        tags: ['info'],
        summary: 'About this server',
        description:
          'Versions, program names that are known, quantities that can be searched, and how much is published.',
        response: { 200: Answer }
      }
    },
    async (_request, reply) => {
      const counted = await statistics.current(PATIENCE)
      reply.header('cache-control', 'max-age=60')
      return {
        parsers: ['archive'],
        metainfo_packages: ['general', 'general.experimental', 'common', 'public', 'archive'],
        codes,
        normalizers: [],
        plugin_entry_points: [],
        plugin_packages: [],
        ...counted,
        search_quantities: searchQuantities,
        version: REFERENCE_VERSION,
        deployment: 'serai',
        oasis: true,
        git: {}
      } as never
    }
  )
}
