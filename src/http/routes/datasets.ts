/** Datasets (`datasets-users-groups.md` §1). They are public; which entries they have is found by searching entries. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type, { type Static } from 'typebox'
import { failure } from '../../errors.ts'
import type { Dataset, DatasetFilter, DatasetOrder } from '../../storage/documents.ts'
import { requestUrl } from '../request-url.ts'
import { rowPage, rowPagination } from '../row-pagination.ts'
import { ErrorAnswer, ValidationAnswer } from '../schemas/common.ts'
import { DatasetAnswer, DatasetParameters, DatasetsAnswer } from '../schemas/datasets.ts'
import { RowPageUrl } from '../schemas/lists.ts'
import { withoutSlash } from '../without-slash.ts'

const ORDERS: readonly DatasetOrder[] = ['dataset_create_time', 'dataset_modified_time', 'dataset_name']

const Query = Type.Object({
  dataset_id: Type.Optional(Type.String({ description: 'Only this dataset.' })),
  dataset_name: Type.Optional(Type.String({ description: 'Only datasets of this name.' })),
  user_id: Type.Optional(
    Type.Array(Type.String(), { description: 'Only datasets of one of these persons.' })
  ),
  dataset_type: Type.Optional(Type.String({ description: '`owned` or `foreign`.' })),
  doi: Type.Optional(Type.String({ description: 'Only the dataset with this DOI.' })),
  prefix: Type.Optional(
    Type.String({
      description: 'How the name begins, in any case; used instead of `dataset_name`.',
      examples: ['code']
    })
  ),
  ...RowPageUrl(ORDERS, 'the time of creation')
})

function datasetFilter(query: Static<typeof Query>): DatasetFilter {
  const { dataset_id, dataset_name, user_id, dataset_type, doi, prefix } = query
  return {
    ...(dataset_id !== undefined ? { datasetId: dataset_id } : {}),
    ...(dataset_name !== undefined && !prefix ? { name: dataset_name } : {}),
    ...(prefix ? { namePrefix: prefix } : {}),
    ...(user_id ? { userIds: user_id } : {}),
    ...(dataset_type !== undefined ? { type: dataset_type } : {}),
    ...(doi !== undefined ? { doi } : {})
  }
}

/** The dataset's JSON; absent members are left out. */
function presentDataset(dataset: Dataset) {
  const { entries, ...rest } = dataset
  return entries ? { ...rest, entries: [...entries] } : rest
}

/** Registers the routes. */
export const datasetRoutes: FastifyPluginAsyncTypebox = async app => {
  const { documents } = app.services

  app.get(
    '/datasets',
    {
      onRequest: withoutSlash,
      schema: {
        tags: ['datasets'],
        summary: 'List datasets',
        description:
          'Datasets that meet all of the filters. Their entries are found with `GET /entries?datasets.dataset_id=…`.',
        querystring: Query,
        response: { 200: DatasetsAnswer, 400: ErrorAnswer, 422: ValidationAnswer }
      }
    },
    async request => {
      const page = rowPage(request.query, ORDERS, null)
      const { total, datasets } = await documents.listDatasets(datasetFilter(request.query), {
        orderBy: (page.order_by ?? 'dataset_create_time') as DatasetOrder,
        order: page.order,
        offset: page.start,
        limit: page.page_size
      })
      const pagination = rowPagination(page, total, requestUrl(request))
      return { pagination: pagination as never, data: datasets.map(presentDataset) }
    }
  )

  app.get(
    '/datasets/:dataset_id',
    {
      schema: {
        tags: ['datasets'],
        summary: 'One dataset',
        params: DatasetParameters,
        response: { 200: DatasetAnswer, 404: ErrorAnswer }
      }
    },
    async ({ params: { dataset_id } }) => {
      const dataset = await documents.dataset(dataset_id)
      if (!dataset) throw failure('DATASET_NOT_FOUND')
      return { dataset_id, data: presentDataset(dataset) }
    }
  )
}
