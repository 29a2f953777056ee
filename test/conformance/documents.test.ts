import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DocumentStore, Entry, Upload, UploadFilter, UploadPage } from '../../src/storage/documents.ts'
import { profiles } from '../app.ts'
import { newPlace, type Place } from './places.ts'

const upload = (upload_id: string, extra: Partial<Upload> = {}): Upload => ({
  upload_id,
  upload_create_time: '2024-01-01T00:00:00.000Z',
  main_author: 'ann',
  coauthors: [],
  coauthor_groups: [],
  reviewers: [],
  reviewer_groups: [],
  embargo_length: 0,
  license: 'CC BY 4.0',
  process_status: 'SUCCESS',
  errors: [],
  warnings: [],
  ...extra
})

const entry = (entry_id: string, upload_id: string, mainfile: string): Entry => ({
  entry_id,
  upload_id,
  mainfile,
  parser_name: 'parsers/archive',
  process_status: 'SUCCESS',
  entry_create_time: '2024-01-01T00:00:00.000Z',
  references: [],
  entry_coauthors: [],
  datasets: [],
  errors: [],
  warnings: []
})

const PAGE: UploadPage = { orderBy: 'upload_create_time', order: 'asc', offset: 0, limit: 100 }

describe.each(profiles())('the documents store of the %s profile', profile => {
  let place: Place
  let store: DocumentStore

  beforeEach(async () => {
    place = await newPlace(profile)
    store = await place.openDocuments()
  })

  afterEach(async () => {
    await store.close()
    await place.drop()
  })

  const ids = async (filter: UploadFilter, page: Partial<UploadPage> = {}) =>
    (await store.listUploads(filter, { ...PAGE, ...page })).uploads.map(u => u.upload_id)

  test('keeps people and finds them by id and name', async () => {
    const ann = { user_id: 'ann', username: 'Ann', first_name: 'Ann', last_name: 'Lee' }
    await store.putUsers([ann, { ...ann, user_id: 'bob', username: 'bob' }])
    await store.putUsers([{ ...ann, last_name: 'Li' }])
    expect(await store.user('ann')).toEqual({ ...ann, last_name: 'Li' })
    expect((await store.userByName('bob'))?.user_id).toBe('bob')
    expect(await store.userByName('ann')).toBeUndefined()
    expect((await store.users(['bob', 'none', 'bob', 'ann'])).map(u => u.user_id).sort()).toEqual([
      'ann',
      'bob'
    ])
  })

  test('knows the groups of a person as they are now', async () => {
    const group = (group_id: string, owner: string, members: string[]) => ({
      group_id,
      group_name: group_id,
      owner,
      members,
      members_info: []
    })
    await store.putGroups([
      group('g1', 'ann', ['ann', 'bob']),
      group('g2', 'bob', ['bob']),
      group('g3', 'ann', [])
    ])
    expect(await store.groupIdsOf('bob')).toEqual(['g1', 'g2'])
    expect(await store.groupIdsOf('ann')).toEqual(['g1', 'g3'])
    await store.putGroups([group('g1', 'ann', ['ann'])])
    expect(await store.groupIdsOf('bob')).toEqual(['g2'])
    expect((await store.group('g1'))?.members).toEqual(['ann'])
  })

  test('keeps datasets, packages and settings', async () => {
    const dataset = {
      dataset_id: 'd1',
      dataset_name: 'D',
      user_id: 'ann',
      dataset_create_time: '2024-01-01T00:00:00.000Z',
      dataset_modified_time: '2024-01-01T00:00:00.000Z',
      dataset_type: 'owned' as const
    }
    await store.putDatasets([dataset])
    expect(await store.dataset('d1')).toEqual(dataset)
    expect(await store.datasets(['d1', 'd2'])).toEqual([dataset])
    await store.putPackages([{ name: 'p', definition: { a: [1] } }])
    expect(await store.packages()).toEqual([{ name: 'p', definition: { a: [1] } }])
    expect(await store.setting('secret')).toBeUndefined()
    await store.putSetting('secret', 'x')
    await store.putSetting('secret', 'y')
    expect(await store.setting('secret')).toBe('y')
  })

  test('tells which entries define something', async () => {
    await store.putDefinitionIds('e2', ['d1', 'd2', 'd1'])
    await store.putDefinitionIds('e1', ['d1'])
    expect(await store.entriesDefining('d1')).toEqual(['e1', 'e2'])
    expect(await store.entriesDefining('d2')).toEqual(['e2'])
    await store.putDefinitionIds('e2', ['d3'])
    await store.putDefinitionIds('e1', [])
    expect(await store.entriesDefining('d1')).toEqual([])
    expect(await store.entriesDefining('d3')).toEqual(['e2'])
    await store.removeEntries(['e2'])
    expect(await store.entriesDefining('d3')).toEqual([])
  })

  test('gives the entries of an upload in the order of their mainfiles, however many', async () => {
    const many = Array.from({ length: 1203 }, (_, i) =>
      entry(`e${i}`, 'u1', `f${String(i % 600).padStart(4, '0')}`)
    )
    await store.putEntries([...many, entry('other', 'u2', 'a')])
    const found = await store.entriesOfUpload('u1')
    const key = (e: Entry) => `${e.mainfile} ${e.entry_id}`
    expect(found.map(key)).toEqual(many.map(key).sort())
    expect(await store.countEntries(['u1', 'u2', 'u3'])).toEqual(
      new Map([
        ['u1', 1203],
        ['u2', 1],
        ['u3', 0]
      ])
    )
    expect((await store.entries(many.map(e => e.entry_id))).length).toBe(1203)
    await store.removeEntries(['other', 'none'])
    expect(await store.entry('other')).toBeUndefined()
    expect((await store.entry('e7'))?.mainfile).toBe('f0007')
  })

  test('lists the uploads in which a person or a group has a role', async () => {
    await store.putUpload(upload('main'))
    await store.putUpload(upload('co', { main_author: 'bob', coauthors: ['ann'] }))
    await store.putUpload(upload('review', { main_author: 'bob', reviewers: ['ann'] }))
    await store.putUpload(
      upload('group', { main_author: 'bob', coauthor_groups: ['g1'], reviewer_groups: ['g2'] })
    )
    const member = (roles: ('main_author' | 'coauthor' | 'reviewer')[], groupIds: string[] = []) =>
      ids({ member: { userId: 'ann', groupIds, roles } })
    expect(await member(['main_author', 'coauthor', 'reviewer'])).toEqual(['co', 'main', 'review'])
    expect(await member(['main_author'])).toEqual(['main'])
    expect(await member(['coauthor'], ['g1'])).toEqual(['co', 'group'])
    expect(await member(['coauthor'], ['g2'])).toEqual(['co'])
    expect(await member(['reviewer'], ['g2'])).toEqual(['group', 'review'])
    expect(await ids({ owned: { userId: 'ann', is: false } })).toEqual(['co', 'group', 'review'])
    await store.putUpload(upload('co', { main_author: 'bob' }))
    expect(await member(['coauthor'])).toEqual([])
  })

  test('filters uploads by what is asked, all of it', async () => {
    await store.putUpload(
      upload('a', { upload_name: 'Čedič Quartz', publish_time: '2024-02-01T00:00:00.000Z' })
    )
    await store.putUpload(upload('b', { upload_name: 'quartz', process_status: 'RUNNING' }))
    await store.putUpload(upload('c'))
    expect(await ids({ nameContains: 'QUARTZ' })).toEqual(['a', 'b'])
    expect(await ids({ nameContains: 'čedIČ' })).toEqual(['a'])
    expect(await ids({ nameContains: '%' })).toEqual([])
    expect(await ids({ uploadNames: ['quartz', 'x'] })).toEqual(['b'])
    expect(await ids({ uploadIds: ['c', 'a', 'none'] })).toEqual(['a', 'c'])
    expect(await ids({ uploadIds: [] })).toEqual([])
    expect(await ids({ published: true })).toEqual(['a'])
    expect(await ids({ published: false, processStatus: ['SUCCESS'] })).toEqual(['c'])
    expect(await ids({ nameContains: 'quartz', published: false })).toEqual(['b'])
  })

  test('orders and pages uploads; ties by creation and id, ascending', async () => {
    await store.putUpload(upload('b', { upload_name: 'x', upload_create_time: '2024-01-02T00:00:00.000Z' }))
    await store.putUpload(upload('a', { upload_name: 'x', upload_create_time: '2024-01-02T00:00:00.000Z' }))
    await store.putUpload(upload('c', { upload_name: 'x' }))
    await store.putUpload(upload('d'))
    await store.putUpload(upload('e', { upload_name: 'X' }))
    expect(await ids({}, { orderBy: 'upload_name' })).toEqual(['d', 'e', 'c', 'a', 'b'])
    expect(await ids({}, { orderBy: 'upload_name', order: 'desc' })).toEqual(['c', 'a', 'b', 'e', 'd'])
    expect(await store.listUploads({}, { ...PAGE, offset: 1, limit: 2 })).toMatchObject({
      total: 5,
      uploads: [{ upload_id: 'd' }, { upload_id: 'e' }]
    })
    expect(await ids({}, { limit: 0 })).toEqual([])
  })
})
