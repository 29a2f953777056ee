/** Schemas of uploads and their entries (`uploads.md` §1.1, §1.2). */
import Type from 'typebox'
import { RowPagination } from './lists.ts'

/** An example of the demo data, for the docs page. */
const UPLOAD_ID = 'JrwlldN3Mnf6R_mujWnCkA'

/** `upload_id` in the path. */
export const UploadParameters = {
  upload_id: Type.String({ description: 'Id of the upload.', examples: [UPLOAD_ID] })
}

const People = (description: string) => Type.Array(Type.String(), { description })

/** What uploads and entries say of their processing. */
const PROCESSING = {
  process_running: Type.Boolean({ description: 'Whether a process is running or waiting to.' }),
  current_process: Type.Optional(Type.String({ description: 'The last process.' })),
  process_status: Type.String({
    description: '`READY`, `PENDING`, `RUNNING`, `WAITING_FOR_RESULT`, `SUCCESS` or `FAILURE`.'
  }),
  last_status_message: Type.Optional(Type.String()),
  errors: Type.Array(Type.String()),
  warnings: Type.Array(Type.String()),
  complete_time: Type.Optional(Type.String({ description: 'When the last process ended.' }))
}

/** An upload. */
export const UploadObject = Type.Object(
  {
    ...PROCESSING,
    upload_id: Type.String(),
    upload_name: Type.Optional(Type.String()),
    description: Type.Optional(Type.String()),
    upload_create_time: Type.String(),
    main_author: Type.String({ description: 'Id of a person.' }),
    coauthors: People('Ids of persons who may change it too.'),
    coauthor_groups: People('Ids of groups whose members may change it too.'),
    reviewers: People('Ids of persons who may read it.'),
    reviewer_groups: People('Ids of groups whose members may read it; `all` is everybody.'),
    writers: People('Everybody who may change it.'),
    writer_groups: People('Every group whose members may change it.'),
    viewers: People('Everybody who may read it whatever its state.'),
    viewer_groups: People('Every group whose members may read it whatever its state.'),
    published: Type.Boolean(),
    published_to: Type.Array(Type.String()),
    publish_time: Type.Optional(Type.String()),
    with_embargo: Type.Boolean({
      description: 'Whether only its viewers may read it although it is published.'
    }),
    embargo_length: Type.Integer({ description: 'Months.' }),
    license: Type.String(),
    entries: Type.Integer({ description: 'Number of its entries.' })
  },
  {
    examples: [
      {
        process_running: false,
        process_status: 'SUCCESS',
        last_status_message: 'Process publish_upload completed successfully',
        errors: [],
        warnings: [],
        complete_time: '2024-02-11T09:00:20.550Z',
        upload_id: UPLOAD_ID,
        upload_name: 'Bulk semiconductors with VASP',
        upload_create_time: '2024-02-05T10:12:00.000Z',
        main_author: '3f1a2b7c-5d64-4e0f-8c21-7a9e6b3d1c02',
        coauthors: ['7c9d4e18-2a3b-4f56-b1d7-0e8c5a6f2d03'],
        coauthor_groups: [],
        reviewers: [],
        reviewer_groups: [],
        writers: ['3f1a2b7c-5d64-4e0f-8c21-7a9e6b3d1c02', '7c9d4e18-2a3b-4f56-b1d7-0e8c5a6f2d03'],
        writer_groups: [],
        viewers: ['3f1a2b7c-5d64-4e0f-8c21-7a9e6b3d1c02', '7c9d4e18-2a3b-4f56-b1d7-0e8c5a6f2d03'],
        viewer_groups: [],
        published: true,
        published_to: [],
        publish_time: '2024-02-11T09:00:17.810Z',
        with_embargo: false,
        embargo_length: 0,
        license: 'CC BY 4.0',
        entries: 11
      }
    ]
  }
)

/** An entry as a part of its upload. */
export const UploadEntryObject = Type.Object(
  {
    ...PROCESSING,
    entry_id: Type.String(),
    entry_create_time: Type.String(),
    mainfile: Type.String({ description: 'Path in the upload of the file that it was made from.' }),
    mainfile_key: Type.Optional(
      Type.String({ description: 'Which of several entries of one mainfile it is.' })
    ),
    upload_id: Type.String(),
    parser_name: Type.String(),
    entry_metadata: Type.Optional(
      Type.Object({}, { additionalProperties: true, description: 'The metadata that searches find it by.' })
    )
  },
  {
    examples: [
      {
        process_running: false,
        process_status: 'SUCCESS',
        errors: [],
        warnings: [],
        complete_time: '2024-02-05T10:12:50.690Z',
        entry_id: 'Md5XkNKf02YDUcFwelslbmSlNdkj',
        entry_create_time: '2024-02-05T10:12:02.740Z',
        mainfile: 'bands/cF/vasprun.xml.bands.xz',
        upload_id: UPLOAD_ID,
        parser_name: 'electronicparsers:vasp_parser_entry_point',
        entry_metadata: { entry_id: 'Md5XkNKf02YDUcFwelslbmSlNdkj', entry_type: 'Calculation' }
      }
    ]
  }
)

/** Answer of `GET /uploads`. */
export const UploadsAnswer = Type.Object({
  query: Type.Object({}, { additionalProperties: true, description: 'The filters that were given.' }),
  pagination: RowPagination,
  data: Type.Array(UploadObject)
})

/** Answer of `GET /uploads/{upload_id}`. */
export const UploadAnswer = Type.Object({ upload_id: Type.String(), data: UploadObject })

/** Answer of `GET /uploads/{upload_id}/entries`. */
export const UploadEntriesAnswer = Type.Object({
  pagination: RowPagination,
  processing_successful: Type.Integer({ description: 'Number of entries that were processed.' }),
  processing_failed: Type.Integer({ description: 'Number of entries whose processing failed.' }),
  upload: UploadObject,
  data: Type.Array(UploadEntryObject)
})

/** Answer of `GET /uploads/{upload_id}/entries/{entry_id}`. */
export const UploadEntryAnswer = Type.Object({ entry_id: Type.String(), data: UploadEntryObject })
