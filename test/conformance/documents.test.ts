import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type {
  Dataset,
  DatasetFilter,
  DocumentStore,
  Entry,
  EntryOrder,
  Group,
  GroupFilter,
  ListPage,
  UploadFilter,
  UploadPage
} from '../../src/storage/documents.ts'
import { typedNames } from '../../src/storage/person-names.ts'
import { profiles } from '../app.ts'
import { testUpload as upload } from '../upload.ts'
import { newPlace, type Place } from './places.ts'

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

const dataset = (dataset_id: string, extra: Partial<Dataset> = {}): Dataset => ({
  dataset_id,
  dataset_name: dataset_id,
  user_id: 'ann',
  dataset_create_time: '2024-01-01T00:00:00.000Z',
  dataset_modified_time: '2024-01-01T00:00:00.000Z',
  dataset_type: 'owned',
  ...extra
})

const group = (group_id: string, owner: string, members: string[], group_name = group_id): Group => ({
  group_id,
  group_name,
  owner,
  members,
  members_info: []
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

  test('finds people by user names and e-mail addresses', async () => {
    const ann = { user_id: 'ann', username: 'ann.lee', first_name: 'Ann', last_name: 'Lee' }
    const bob = { ...ann, user_id: 'bob', username: 'bob', email: 'Bob@Example.org' }
    await store.putUsers([ann, bob])
    expect(await store.usersByName(['bob', 'none', 'Ann.Lee'])).toEqual([bob])
    expect(await store.usersByEmail(['none', 'bob@example.ORG'])).toEqual([bob])
    expect(await store.usersByEmail(['bob@example.or'])).toEqual([])
    const { email, ...silent } = bob
    await store.putUsers([silent])
    expect(await store.usersByEmail([email])).toEqual([])
  })

  test('finds people by what is typed of their names, however they are written', async () => {
    await store.putUsers([
      { user_id: '1', username: 'tomas.novak', first_name: 'Tomáš', last_name: 'Novák', email: 'zed@x.org' },
      { user_id: '2', username: 'meilin', first_name: 'Mei-Lin', last_name: 'Zhou' },
      { user_id: '3', username: 'cruz', first_name: 'Ana Lucía', last_name: "de la Cruz O'Neil" },
      { user_id: '4', username: 'novara', first_name: 'Bo', last_name: 'Novara' }
    ])
    const named = async (typed: string, limit = 10) =>
      (await store.usersNamed(typedNames(typed), limit)).map(u => u.user_id)
    expect(await named('nov')).toEqual(['4', '1'])
    expect(await named('nov', 1)).toEqual(['4'])
    expect(await named('NOVÁK')).toEqual(['1'])
    expect(await named('novak tom')).toEqual(['1'])
    expect(await named('tomas.n')).toEqual(['1'])
    expect(await named('lin')).toEqual(['2'])
    expect(await named('mei-lin')).toEqual(['2'])
    expect(await named('de la cruz lucia')).toEqual(['3'])
    expect(await named("o'neil")).toEqual(['3'])
    expect(await named('ovak')).toEqual([])
    // No beginning of an e-mail address, and no pattern, finds anybody.
    for (const typed of ['zed', 'zed@x.org', '.*', '%', '_', '^', '(']) expect(await named(typed)).toEqual([])
    await store.putUsers([
      { user_id: '1', username: 'tomas.novak', first_name: 'Tomáš', last_name: 'Dvořák' }
    ])
    expect(await named('novak')).toEqual(['1'])
    expect(await named('novák tomáš dvor')).toEqual(['1'])
    await store.putUsers([{ user_id: '1', username: 'td', first_name: 'Tomáš', last_name: 'Dvořák' }])
    expect(await named('novak')).toEqual([])
  })

  test('gives everybody, by user name and id', async () => {
    const person = (user_id: string, username: string) => ({
      user_id,
      username,
      first_name: '',
      last_name: ''
    })
    expect(await store.everyUser()).toEqual([])
    await store.putUsers([person('3', 'bob'), person('2', 'ann'), person('1', 'bob'), person('4', 'Zoe')])
    expect((await store.everyUser()).map(user => user.user_id)).toEqual(['4', '2', '1', '3'])
  })

  test('lists groups by id, person and parts of their names', async () => {
    await store.putGroups([
      group('g1', 'ann', ['ann', 'bob'], 'Thin film ALLIANCE'),
      group('g2', 'bob', ['bob'], 'Film theory'),
      group('g3', 'ann', [], 'a+b (Film)')
    ])
    const ids = async (
      filter: GroupFilter,
      page: Partial<ListPage<'group_id' | 'group_name' | 'owner'>> = {}
    ) => {
      const { total, groups } = await store.listGroups(filter, {
        orderBy: 'group_id',
        order: 'asc',
        offset: 0,
        limit: 10,
        ...page
      })
      return [total, ...groups.map(g => g.group_id)]
    }
    expect(await ids({})).toEqual([3, 'g1', 'g2', 'g3'])
    expect(await ids({ groupIds: ['g3', 'g1', 'none'] })).toEqual([2, 'g1', 'g3'])
    expect(await ids({ groupIds: [] })).toEqual([0])
    expect(await ids({ userId: 'bob' })).toEqual([2, 'g1', 'g2'])
    expect(await ids({ userId: 'ann' })).toEqual([2, 'g1', 'g3'])
    expect(await ids({ nameContains: ['FILM', 'alli'] })).toEqual([1, 'g1'])
    expect(await ids({ nameContains: ['film'], userId: 'ann' })).toEqual([2, 'g1', 'g3'])
    expect(await ids({ nameContains: ['.'] })).toEqual([0])
    expect(await ids({ nameContains: ['+b ('] })).toEqual([1, 'g3'])
    expect(await ids({}, { order: 'desc', limit: 2 })).toEqual([3, 'g3', 'g2'])
    expect(await ids({}, { orderBy: 'group_name' })).toEqual([3, 'g2', 'g1', 'g3'])
    expect(await ids({}, { orderBy: 'owner', order: 'desc' })).toEqual([3, 'g2', 'g1', 'g3'])
    expect(await ids({}, { offset: 1, limit: 1 })).toEqual([3, 'g2'])
    expect(await ids({}, { offset: 5 })).toEqual([3])
    expect(await ids({}, { limit: 0 })).toEqual([3])
    expect(
      (await store.listGroups({ groupIds: ['g2'] }, { orderBy: 'owner', order: 'asc', offset: 0, limit: 1 }))
        .groups
    ).toEqual([group('g2', 'bob', ['bob'], 'Film theory')])
  })

  test('lists datasets by what is asked, all of it', async () => {
    const day = (n: number) => `2024-01-0${n}T00:00:00.000Z`
    const foreign = dataset('d', {
      dataset_name: 'Quartz (new)',
      dataset_create_time: day(1),
      dataset_modified_time: day(5),
      dataset_type: 'foreign',
      query: { 'a.b': { $in: [] } }
    })
    await store.putDatasets([
      dataset('b', { dataset_name: 'Quartz', dataset_create_time: day(2), doi: '10.1/x' }),
      dataset('a', { dataset_name: 'quartz', dataset_create_time: day(2), user_id: 'bob' }),
      dataset('c', { dataset_name: 'Čedič', dataset_create_time: day(3), user_id: 'cat' }),
      foreign
    ])
    const ids = async (
      filter: DatasetFilter,
      page: Partial<ListPage<'dataset_create_time' | 'dataset_modified_time' | 'dataset_name'>> = {}
    ) => {
      const { total, datasets } = await store.listDatasets(filter, {
        orderBy: 'dataset_create_time',
        order: 'asc',
        offset: 0,
        limit: 10,
        ...page
      })
      return [total, ...datasets.map(d => d.dataset_id)].join(' ')
    }
    expect(await ids({})).toBe('4 d a b c')
    expect(await ids({}, { order: 'desc' })).toBe('4 c a b d')
    expect(await ids({}, { orderBy: 'dataset_modified_time', order: 'desc' })).toBe('4 d a b c')
    expect(await ids({}, { orderBy: 'dataset_name' })).toBe('4 b d a c')
    expect(await ids({}, { orderBy: 'dataset_name', order: 'desc', limit: 2 })).toBe('4 c a')
    expect(await ids({}, { offset: 1, limit: 2 })).toBe('4 a b')
    expect(await ids({}, { limit: 0 })).toBe('4')
    expect(await ids({ datasetId: 'c' })).toBe('1 c')
    expect(await ids({ name: 'Quartz' })).toBe('1 b')
    expect(await ids({ namePrefix: 'QUARTZ' })).toBe('3 d a b')
    expect(await ids({ namePrefix: 'quartz (' })).toBe('1 d')
    expect(await ids({ namePrefix: 'čE' })).toBe('1 c')
    expect(await ids({ namePrefix: 'uartz' })).toBe('0')
    expect(await ids({ namePrefix: '.*' })).toBe('0')
    expect(await ids({ namePrefix: 'Q%' })).toBe('0')
    expect(await ids({ userIds: ['bob', 'cat', 'none'] })).toBe('2 a c')
    expect(await ids({ userIds: [] })).toBe('0')
    expect(await ids({ type: 'foreign' })).toBe('1 d')
    expect(await ids({ doi: '10.1/x' })).toBe('1 b')
    expect(await ids({ doi: '10.1/X' })).toBe('0')
    expect(await ids({ namePrefix: 'q', userIds: ['ann'], type: 'owned' })).toBe('1 b')
    const [found] = (
      await store.listDatasets(
        { datasetId: 'd' },
        { orderBy: 'dataset_name', order: 'asc', offset: 0, limit: 1 }
      )
    ).datasets
    expect(found).toEqual(foreign)
  })

  test('lists and counts the entries of an upload as they are now', async () => {
    const some = (id: string, mainfile: string, extra: Partial<Entry> = {}) => ({
      ...entry(id, 'u1', mainfile),
      ...extra
    })
    const late = '2024-02-01T00:00:00.000Z'
    await store.putEntries([
      some('e3', 'b', { parser_name: 'p2', process_status: 'FAILURE', current_process: 'process_entry' }),
      some('e1', 'b', { parser_name: 'p1', entry_create_time: late }),
      some('e2', 'a', { parser_name: 'p2', entry_create_time: late }),
      entry('other', 'u2', 'a')
    ])
    const ids = async (orderBy: EntryOrder, page: Partial<ListPage<EntryOrder>> = {}) =>
      (await store.listEntries('u1', { orderBy, order: 'asc', offset: 0, limit: 10, ...page })).map(
        e => e.entry_id
      )
    expect(await ids('mainfile')).toEqual(['e2', 'e1', 'e3'])
    expect(await ids('mainfile', { order: 'desc' })).toEqual(['e1', 'e3', 'e2'])
    expect(await ids('parser_name')).toEqual(['e1', 'e2', 'e3'])
    expect(await ids('parser_name', { order: 'desc' })).toEqual(['e2', 'e3', 'e1'])
    expect(await ids('process_status')).toEqual(['e3', 'e1', 'e2'])
    expect(await ids('current_process')).toEqual(['e1', 'e2', 'e3'])
    expect(await ids('current_process', { order: 'desc' })).toEqual(['e3', 'e1', 'e2'])
    expect(await ids('entry_create_time')).toEqual(['e3', 'e1', 'e2'])
    expect(await ids('mainfile', { offset: 1, limit: 1 })).toEqual(['e1'])
    expect(await ids('mainfile', { offset: 9 })).toEqual([])
    expect(await ids('mainfile', { limit: 0 })).toEqual([])
    const counts = async () => [...(await store.countEntriesByStatus('u1'))].sort()
    expect(await counts()).toEqual([
      ['FAILURE', 1],
      ['SUCCESS', 2]
    ])
    await store.putEntries([some('e3', 'b')])
    await store.removeEntries(['e1'])
    expect(await counts()).toEqual([['SUCCESS', 2]])
    expect(await store.countEntriesByStatus('none')).toEqual(new Map())
  })

  test('tells where entries have their files, those that exist', async () => {
    await store.putEntries([entry('e1', 'u1', 'd/b'), entry('e2', 'u2', 'a')])
    const places = await store.entryPlaces(['e2', 'none', 'e1'])
    expect(places.sort((a, b) => (a.entry_id < b.entry_id ? -1 : 1))).toEqual([
      { entry_id: 'e1', upload_id: 'u1', mainfile: 'd/b' },
      { entry_id: 'e2', upload_id: 'u2', mainfile: 'a' }
    ])
    const many = Array.from({ length: 1200 }, (_, i) => entry(`m${i}`, 'u1', `f${i}`))
    await store.putEntries(many)
    const found = await store.entryPlaces(many.map(entry => entry.entry_id))
    expect(new Set(found.map(place => `${place.entry_id} ${place.mainfile}`))).toEqual(
      new Set(many.map(entry => `${entry.entry_id} ${entry.mainfile}`))
    )
    expect(await store.entryPlaces([])).toEqual([])
  })

  test('knows the groups of a person as they are now', async () => {
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
    const foreign = dataset('d2', {
      dataset_type: 'foreign',
      query: { 'a.b': { $in: [1] } },
      entries: ['e1']
    })
    await store.putDatasets([dataset('d1', { doi: 'x' }), foreign])
    expect(await store.dataset('d1')).toEqual(dataset('d1', { doi: 'x' }))
    expect(await store.datasets(['d2', 'd3'])).toEqual([foreign])
    await store.putDatasets([dataset('d1')])
    expect(await store.datasets(['d1'])).toEqual([dataset('d1')])
    await store.putPackages([{ name: 'p', definition: { a: [1] } }])
    expect(await store.packages()).toEqual([{ name: 'p', definition: { a: [1] } }])
    expect(await store.setting('secret')).toBeUndefined()
    await store.putSetting('secret', 'x')
    await store.putSetting('secret', 'y')
    expect(await store.setting('secret')).toBe('y')
    await store.putSetting('state', 'done')
    expect(await store.settings()).toEqual(
      new Map([
        ['secret', 'y'],
        ['state', 'done']
      ])
    )
  })

  test('tells which entries define something', async () => {
    await store.putDefinitionIds('e2', ['d1', 'd2', 'd1'])
    await store.putDefinitionIds('e1', ['d1'])
    expect(await store.entriesDefining('d1')).toEqual(['e1', 'e2'])
    expect(await store.entriesDefining('d2')).toEqual(['e2'])
    const ids = await store.definitionIds(['e1', 'e2', 'e3'])
    expect([...ids].map(([id, found]) => [id, found.sort()]).sort()).toEqual([
      ['e1', ['d1']],
      ['e2', ['d1', 'd2']]
    ])
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

  test('knows which uploads are being put together, until they have a document', async () => {
    expect(await store.pendingUploads()).toEqual([])
    for (const id of ['b', 'a', 'Ž', 'b', 'c']) await store.addPendingUpload(id)
    expect(await store.pendingUploads()).toEqual(['a', 'b', 'c', 'Ž'])
    await store.removePendingUpload('c')
    await store.removePendingUpload('unknown')
    await store.putUpload(upload('b'))
    expect(await store.pendingUploads()).toEqual(['a', 'Ž'])
    expect((await store.listUploads({}, PAGE)).uploads.map(u => u.upload_id)).toEqual(['b'])

    await store.close()
    store = await place.openDocuments()
    expect(await store.pendingUploads()).toEqual(['a', 'Ž'])
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
