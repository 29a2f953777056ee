/** Who may read what of an upload and its entries (`uploads.md` §1.3), and their lists (§2). */
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { viewerGroupsOf, viewersOf, writersOf } from '../../../src/access/upload-access.ts'
import type { Entry, Upload, User } from '../../../src/storage/documents.ts'
import { bearer, openTestServices, profiles, type TestServices, testApp } from '../../app.ts'

const API = '/api/v1'
const CALLERS = [
  'anonymous',
  'other',
  'reviewer',
  'inReviewers',
  'coauthor',
  'inCoauthors',
  'owner',
  'admin'
] as const
type Caller = (typeof CALLERS)[number]

const person = (user_id: string): User => ({
  user_id,
  username: user_id,
  first_name: user_id,
  last_name: 'Person',
  email: `${user_id}@secret.example`,
  ...(user_id === 'admin' ? { is_admin: true } : {})
})

const group = (group_id: string, member: string) => ({
  group_id,
  group_name: group_id,
  owner: member,
  members: [member],
  members_info: [{ user_id: member, role: 'owner' as const }]
})

const upload = (upload_id: string, day: number, extra: Partial<Upload> = {}): Upload => ({
  upload_id,
  upload_name: `Quartz ${upload_id}`,
  upload_create_time: `2024-01-0${day}T00:00:00.000Z`,
  main_author: 'owner',
  coauthors: ['coauthor'],
  coauthor_groups: ['coauthors'],
  reviewers: ['reviewer'],
  reviewer_groups: ['reviewers'],
  embargo_length: 0,
  license: 'CC BY 4.0',
  process_status: 'SUCCESS',
  errors: [],
  warnings: [],
  external_db: 'OQMD',
  import_checksum: 'private',
  ...extra
})

const publish_time = '2024-02-01T00:00:00.000Z'
const UPLOADS = [
  upload('published', 1, { publish_time, description: 'open' }),
  upload('embargoed', 2, { publish_time, embargo_length: 6 }),
  upload('unpublished', 3, { process_status: 'RUNNING' }),
  upload('shared', 4, { reviewer_groups: ['reviewers', 'all'] }),
  upload('foreign', 5, {
    main_author: 'somebody',
    coauthors: [],
    coauthor_groups: [],
    reviewers: [],
    reviewer_groups: []
  })
]

const entry = (upload_id: string, n: number, extra: Partial<Entry> = {}): Entry => ({
  entry_id: `${upload_id}-${n}`,
  upload_id,
  mainfile: `run/${n}.out`,
  parser_name: n % 2 ? 'parsers/odd' : 'parsers/even',
  process_status: n === 3 ? 'FAILURE' : 'SUCCESS',
  entry_create_time: `2024-01-0${n}T00:00:00.000Z`,
  references: [],
  entry_coauthors: [],
  datasets: [],
  errors: n === 3 ? ['broken'] : [],
  warnings: [],
  ...extra
})

const indexed = ({ entry_id, upload_id, mainfile }: Entry) => {
  const of = UPLOADS.find(u => u.upload_id === upload_id) as Upload
  const people = (ids: string[]) =>
    ids.map(user_id => ({ user_id, name: user_id, email: `${user_id}@secret.example` }))
  return {
    entry_id,
    upload_id,
    mainfile,
    published: of.publish_time !== undefined,
    with_embargo: of.embargo_length > 0,
    main_author: people([of.main_author])[0],
    writers: people(writersOf(of)),
    viewers: people(viewersOf(of)),
    viewer_groups: viewerGroupsOf(of),
    datasets: [{ dataset_id: 'd', m_annotations: { mongo: [] } }]
  }
}

describe.each(profiles())('uploads and their entries (%s)', profile => {
  let services: TestServices
  let app: FastifyInstance

  beforeAll(async () => {
    services = await openTestServices(profile)
    app = await testApp(services)
    const { documents, index } = services
    await documents.putUsers([...CALLERS.slice(1), 'somebody'].map(person))
    await documents.putGroups([group('reviewers', 'inReviewers'), group('coauthors', 'inCoauthors')])
    for (const u of UPLOADS) await documents.putUpload(u)
    const entries = UPLOADS.flatMap(u => [1, 2, 3].map(n => entry(u.upload_id, n)))
    await documents.putEntries([
      ...entries,
      entry('published', 4, { mainfile: 'run/3.out', mainfile_key: 'b' })
    ])
    // The fourth entry is not in the index: its processing did not come so far.
    await index.put(entries.map(indexed))
  })
  afterAll(async () => {
    await app?.close()
    await services?.close()
  })

  const get = async (path: string, as: Caller = 'anonymous') =>
    app.inject({
      url: API + path,
      headers: as === 'anonymous' ? {} : { authorization: await bearer(services, as) }
    })
  const json = async (path: string, as: Caller = 'anonymous') => {
    const response = await get(path, as)
    expect([path, as, response.statusCode, response.statusCode === 200 ? '' : response.body]).toEqual([
      path,
      as,
      200,
      ''
    ])
    return response.json()
  }
  const ids = async (path: string, as: Caller) =>
    (await json(path, as)).data.map((u: { upload_id: string }) => u.upload_id)

  // Status by caller, in the order of CALLERS.
  const MATRIX: readonly [path: string, statuses: readonly number[]][] = [
    ['/uploads/published', [200, 200, 200, 200, 200, 200, 200, 200]],
    ['/uploads/embargoed', [403, 403, 200, 200, 200, 200, 200, 200]],
    ['/uploads/unpublished', [401, 403, 200, 200, 200, 200, 200, 200]],
    ['/uploads/shared', [200, 200, 200, 200, 200, 200, 200, 200]],
    ['/uploads/foreign', [401, 403, 403, 403, 403, 403, 403, 200]],
    ['/uploads/none', [404, 404, 404, 404, 404, 404, 404, 404]],
    ['/uploads/published/entries', [200, 200, 200, 200, 200, 200, 200, 200]],
    ['/uploads/embargoed/entries', [403, 403, 200, 200, 200, 200, 200, 200]],
    ['/uploads/unpublished/entries', [401, 403, 200, 200, 200, 200, 200, 200]],
    ['/uploads/shared/entries', [200, 200, 200, 200, 200, 200, 200, 200]],
    ['/uploads/none/entries', [404, 404, 404, 404, 404, 404, 404, 404]],
    ['/uploads/published/entries/published-1', [401, 403, 200, 200, 200, 200, 200, 200]],
    ['/uploads/embargoed/entries/embargoed-1', [401, 403, 200, 200, 200, 200, 200, 200]],
    ['/uploads/unpublished/entries/unpublished-1', [401, 403, 200, 200, 200, 200, 200, 200]],
    ['/uploads/shared/entries/shared-1', [401, 200, 200, 200, 200, 200, 200, 200]],
    ['/uploads/foreign/entries/foreign-1', [401, 403, 403, 403, 403, 403, 403, 200]],
    ['/uploads/unpublished/entries/none', [401, 403, 404, 404, 404, 404, 404, 404]],
    // An entry of another upload is none of this one, whoever may see it there.
    ['/uploads/unpublished/entries/published-1', [401, 403, 404, 404, 404, 404, 404, 404]],
    ['/uploads/none/entries/published-1', [401, 404, 404, 404, 404, 404, 404, 404]],
    ['/uploads', [401, 200, 200, 200, 200, 200, 200, 200]]
  ]

  it.each(MATRIX)('%s is for whom the permissions say', async (path, statuses) => {
    const found = await Promise.all(CALLERS.map(async as => [as, (await get(path, as)).statusCode]))
    expect(found).toEqual(CALLERS.map((as, i) => [as, statuses[i]]))
  })

  it('never tell an e-mail address, a checksum or what is internal to the index', async () => {
    for (const [path] of MATRIX) {
      for (const as of CALLERS) {
        const { body } = await get(path, as)
        expect([
          path,
          as,
          /secret\.example|"email"|private|OQMD|m_annotations|__suggestion/.exec(body)?.[0]
        ]).toEqual([path, as, undefined])
      }
    }
  })

  it('are told with everything that is known of them', async () => {
    const { upload_id, data } = await json('/uploads/embargoed', 'reviewer')
    expect(upload_id).toBe('embargoed')
    expect(data).toEqual({
      process_running: false,
      process_status: 'SUCCESS',
      errors: [],
      warnings: [],
      upload_id: 'embargoed',
      upload_name: 'Quartz embargoed',
      upload_create_time: '2024-01-02T00:00:00.000Z',
      main_author: 'owner',
      coauthors: ['coauthor'],
      coauthor_groups: ['coauthors'],
      reviewers: ['reviewer'],
      reviewer_groups: ['reviewers'],
      writers: ['owner', 'coauthor'],
      writer_groups: ['coauthors'],
      viewers: ['owner', 'coauthor', 'reviewer'],
      viewer_groups: ['coauthors', 'reviewers'],
      published: true,
      published_to: [],
      publish_time,
      with_embargo: true,
      embargo_length: 6,
      license: 'CC BY 4.0',
      entries: 3
    })
    expect((await json('/uploads/unpublished', 'owner')).data).toMatchObject({
      process_running: true,
      published: false
    })
    expect((await json('/uploads/unpublished', 'owner')).data).not.toHaveProperty('publish_time')
  })

  it('list those in which the caller has a part, the administrator too', async () => {
    const own = ['published', 'embargoed', 'unpublished', 'shared']
    for (const as of ['reviewer', 'inReviewers', 'coauthor', 'inCoauthors', 'owner'] as const) {
      expect([as, await ids('/uploads', as)]).toEqual([as, own])
    }
    for (const as of ['other', 'admin'] as const) {
      expect(await ids('/uploads', as)).toEqual([])
      expect(await ids('/uploads?include_all=true', as)).toEqual(['shared'])
    }
    expect(await ids('/uploads?roles=main_author', 'coauthor')).toEqual([])
    expect(await ids('/uploads?roles=coauthor&roles=main_author', 'inCoauthors')).toEqual(own)
    expect(await ids('/uploads?roles=coauthor', 'reviewer')).toEqual([])
    expect(await ids('/uploads?roles=coauthor&include_all=true', 'other')).toEqual([])
  })

  it('are found by every filter, and the answer repeats it', async () => {
    const query = 'is_published=no&is_processing=1'
    expect(await ids(`/uploads?${query}`, 'owner')).toEqual(['unpublished'])
    expect((await json(`/uploads?${query}`, 'owner')).query).toEqual({
      is_published: false,
      is_processing: true
    })
    expect(await ids('/uploads?is_processing=false', 'owner')).toEqual(['published', 'embargoed', 'shared'])
    expect(await ids('/uploads?process_status=running&is_processing=false', 'owner')).toEqual(['unpublished'])
    expect(await ids('/uploads?upload_id=shared&upload_id=foreign', 'owner')).toEqual(['shared'])
    expect(await ids('/uploads?upload_name=Quartz%20shared&upload_name=x', 'owner')).toEqual(['shared'])
    expect(
      await ids(`/uploads?upload_name=${encodeURIComponent('{"value":"TZ s","type":"fuzzy"}')}`, 'owner')
    ).toEqual(['shared'])
    expect(await ids('/uploads?is_owned=false', 'owner')).toEqual([])
    expect(await ids('/uploads?is_owned=true', 'owner')).toHaveLength(4)
    expect(await ids('/uploads?doi=10.1/x', 'owner')).toEqual([])
    expect(await ids('/uploads?order_by=publish_time', 'owner')).toEqual([
      'unpublished',
      'shared',
      'published',
      'embargoed'
    ])
    expect(await ids('/uploads?order_by=upload_name&order=desc&page_size=2', 'owner')).toEqual([
      'unpublished',
      'shared'
    ])
  })

  it('list entries with how they fared, and metadata where there are some', async () => {
    const answer = await json('/uploads/published/entries?page_size=9')
    expect(answer).toMatchObject({
      pagination: { page_size: 9, order_by: 'mainfile', order: 'asc', page: 1, total: 4 },
      processing_successful: 3,
      processing_failed: 1,
      upload: { upload_id: 'published', entries: 4 }
    })
    expect(answer.data.map((e: { entry_id: string }) => e.entry_id)).toEqual(
      [1, 2, 3, 4].map(n => `published-${n}`)
    )
    expect(answer.data[2]).toEqual({
      process_running: false,
      process_status: 'FAILURE',
      errors: ['broken'],
      warnings: [],
      entry_id: 'published-3',
      entry_create_time: '2024-01-03T00:00:00.000Z',
      mainfile: 'run/3.out',
      upload_id: 'published',
      parser_name: 'parsers/odd',
      entry_metadata: expect.objectContaining({ entry_id: 'published-3', license: 'CC BY 4.0' })
    })
    expect(answer.data[3]).toMatchObject({ mainfile_key: 'b' })
    expect(answer.data[3]).not.toHaveProperty('entry_metadata')
  })

  it('give metadata of entries to everybody who may read the upload', async () => {
    for (const [as, path] of [
      ['admin', 'unpublished'],
      ['inReviewers', 'unpublished'],
      ['anonymous', 'shared'],
      ['reviewer', 'embargoed']
    ] as const) {
      const { data } = await json(`/uploads/${path}/entries`, as)
      expect(data.map((e: { entry_metadata?: object }) => e.entry_metadata !== undefined)).toEqual([
        true,
        true,
        true
      ])
    }
    const one = await json('/uploads/unpublished/entries/unpublished-3', 'admin')
    expect(one).toMatchObject({
      entry_id: 'unpublished-3',
      data: { process_status: 'FAILURE', entry_metadata: { entry_id: 'unpublished-3', published: false } }
    })
  })

  it('order and page entries', async () => {
    const page = async (query: string) =>
      (await json(`/uploads/published/entries?${query}`)).data
        .map((e: { entry_id: string }) => e.entry_id.slice(-1))
        .join('')
    expect(await page('order=desc')).toBe('3421')
    expect(await page('order_by=mainfile_path')).toBe('1234')
    expect(await page('order_by=parser_name')).toBe('2413')
    expect(await page('order_by=process_status')).toBe('3124')
    expect(await page('order_by=entry_create_time&order=desc')).toBe('4321')
    expect(await page('order_by=current_process')).toBe('1234')
    expect(await page('page_size=3&page=2')).toBe('4')
    expect(await page('page_offset=2')).toBe('34')
    expect(await page('page_after_value=0&page_size=2')).toBe('23')
    expect(await page('page_size=0')).toBe('')
    expect(await page('page_size=99999')).toBe('1234')
    const { pagination } = await json('/uploads/published/entries?page_size=1&page=2&order_by=mainfile_path')
    expect(pagination).toMatchObject({
      order_by: 'mainfile',
      page_after_value: '0',
      next_page_after_value: '1'
    })
    expect(pagination.next_page_url).toMatch(
      /\/uploads\/published\/entries\?page_size=1&order_by=mainfile_path&page_after_value=1$/
    )
  })

  it('give pages of any size whole', async () => {
    const many = Array.from({ length: 350 }, (_, i) =>
      entry('foreign', 1, {
        entry_id: `many-${String(i).padStart(3, '0')}`,
        mainfile: `z/${String(i).padStart(3, '0')}`
      })
    )
    await services.documents.putEntries(many)
    await services.index.put(many.map(indexed))
    const { data, pagination } = await json('/uploads/foreign/entries?page_size=1000', 'admin')
    expect(pagination.total).toBe(353)
    expect(
      data.slice(3).map((e: { entry_metadata: { entry_id: string } }) => e.entry_metadata.entry_id)
    ).toEqual(many.map(e => e.entry_id))
    expect((await json('/uploads/foreign/entries?page_size=200&page_offset=101', 'admin')).data).toHaveLength(
      200
    )
    await services.documents.removeEntries(many.map(e => e.entry_id))
    await services.index.remove(many.map(e => e.entry_id))
  })

  const REFUSED: readonly [query: string, status: number][] = [
    ['page_size=-1', 422],
    ['page_size=x', 422],
    ['page_size=1.5', 422],
    ['page_size=', 422],
    ['page_size=1e300', 422],
    ['page_size=99999999999999999999', 422],
    ['page=0', 422],
    ['page=9', 400],
    ['page=9007199254740991&page_size=9007199254740991', 400],
    ['page_offset=-1', 422],
    ['page_offset=99', 400],
    ['page_after_value=abc', 422],
    ['page_after_value=-1', 422],
    ['page_after_value=99', 400],
    ['page=1&page_after_value=1', 422],
    ['page_size=0&page=1', 422],
    ['order=up', 422],
    ['order_by=upload_id', 422],
    ['order_by=entry_id', 422],
    ['order_by=constructor', 422]
  ]

  it.each(REFUSED)('refuse %s with a text that says what is wrong', async (query, status) => {
    for (const path of ['/uploads', '/uploads/published/entries']) {
      const response = await get(`${path}?${query}`, 'owner')
      expect([path, response.statusCode]).toEqual([path, status])
      const { detail } = response.json()
      if (status === 422)
        expect(detail[0]).toMatchObject({ loc: expect.arrayContaining(['query']), msg: expect.any(String) })
      else expect(detail).toBe('Page out of range requested.')
    }
  })

  it('refuse filters that mean nothing', async () => {
    for (const [query, status] of [
      ['roles=friend', 422],
      ['is_published=perhaps', 422],
      ['is_owned=', 422],
      ['include_all=2', 422],
      [`upload_name=${encodeURIComponent('{"value":"a","type":"like"}')}`, 400],
      [`upload_name=${encodeURIComponent('{"value":"a","type":"fuzzy","more":1}')}`, 400],
      [`upload_name=${encodeURIComponent('{"value":1,"type":"fuzzy"}')}`, 400]
    ] as const) {
      expect([query, (await get(`/uploads?${query}`, 'owner')).statusCode]).toEqual([query, status])
      // Who is nobody is told that first.
      expect([query, (await get(`/uploads?${query}`)).statusCode]).toEqual([query, 401])
    }
  })

  it('answer HEAD like GET, without a body', async () => {
    for (const path of ['/uploads/published', '/uploads/published/entries']) {
      const response = await app.inject({ method: 'HEAD', url: API + path })
      expect([path, response.statusCode, response.body]).toEqual([path, 200, ''])
      expect(response.headers['content-type']).toMatch(/^application\/json/)
    }
  })

  it('send on who writes a slash at the end of a list', async () => {
    const response = await get('/uploads/?page_size=1', 'owner')
    expect([response.statusCode, response.headers.location]).toEqual([307, `${API}/uploads?page_size=1`])
  })

  it('stand ids of any form', async () => {
    for (const id of [
      '%00',
      '%F0%9F%9A%80',
      '%2e%2e%2f',
      "'%20OR%201=1--",
      '%7B%22$ne%22:1%7D',
      'a'.repeat(500)
    ]) {
      expect([id, (await get(`/uploads/${id}`)).statusCode]).toEqual([id, 404])
      expect([id, (await get(`/uploads/published/entries/${id}`, 'owner')).statusCode]).toEqual([id, 404])
    }
  })
})
