/** Schemas of datasets (`datasets-users-groups.md` §1). */
import Type from 'typebox'
import { RowPagination } from './lists.ts'

/** A dataset of the demo data, as an example for the docs page. */
const DATASET_ID = 'dsBulkSemiconductors01'

/** `dataset_id` in the path. */
export const DatasetParameters = Type.Object({
  dataset_id: Type.String({ description: 'Id of the dataset.', examples: [DATASET_ID] })
})

const DatasetObject = Type.Object(
  {
    dataset_id: Type.String(),
    dataset_name: Type.String(),
    user_id: Type.String({ description: 'Id of the person who made it.' }),
    doi: Type.Optional(Type.String()),
    pid: Type.Optional(Type.String()),
    dataset_create_time: Type.String(),
    dataset_modified_time: Type.String(),
    dataset_type: Type.String({
      description: '`owned`: entries name it. `foreign`: it describes entries by a query or their ids.'
    }),
    query: Type.Optional(Type.Unknown({ description: 'Of a foreign dataset.' })),
    entries: Type.Optional(
      Type.Array(Type.String(), { description: 'Of a foreign dataset: ids of entries.' })
    )
  },
  {
    examples: [
      {
        dataset_id: DATASET_ID,
        dataset_name: 'Bulk semiconductors: electronic structure',
        user_id: '3f1a2b7c-5d64-4e0f-8c21-7a9e6b3d1c02',
        doi: '10.17172/NOMAD/2024.02.11-1',
        dataset_create_time: '2024-02-11T09:30:00.000Z',
        dataset_modified_time: '2024-02-11T09:30:00.000Z',
        dataset_type: 'owned'
      }
    ]
  }
)

/** Answer of `GET /datasets/{dataset_id}`. */
export const DatasetAnswer = Type.Object({ dataset_id: Type.String(), data: DatasetObject })

/** Answer of `GET /datasets`. */
export const DatasetsAnswer = Type.Object({ pagination: RowPagination, data: Type.Array(DatasetObject) })
