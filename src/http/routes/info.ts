/** `GET /info` (`datasets-users-groups.md` §4). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { ANONYMOUS } from '../../access/caller.ts'
import { ownerQuery } from '../../access/owner.ts'
import { REFERENCE_VERSION } from '../../version.ts'

/** Registers the route. */
export const infoRoutes: FastifyPluginAsyncTypebox = async app => {
  const { index, quantities } = app.services
  // Unpublished entries are not counted: their number is nobody's business.
  const published = ownerQuery('all', ANONYMOUS, quantities)
  const programs = quantities.get('results.method.simulation.program_name')?.values ?? []
  const searchQuantities = Object.fromEntries(
    quantities.list.map(q => [q.name, { name: q.name, many: q.many }])
  )

  app.get(
    '/info',
    {
      schema: {
        tags: ['info'],
        summary: 'About this server',
        description:
          'Versions, program names that are known, quantities that can be searched, and how many entries are published.',
        response: { 200: Type.Object({ version: Type.String() }, { additionalProperties: true }) }
      }
    },
    async () => ({
      parsers: ['archive'],
      metainfo_packages: ['general', 'general.experimental', 'common', 'public', 'archive'],
      codes: programs.map(code_name => ({ code_name, code_homepage: null })),
      normalizers: [],
      plugin_entry_points: [],
      plugin_packages: [],
      statistics: { n_entries: await index.count(published) },
      search_quantities: searchQuantities,
      version: REFERENCE_VERSION,
      deployment: 'serai',
      oasis: true,
      git: {}
    })
  )
}
