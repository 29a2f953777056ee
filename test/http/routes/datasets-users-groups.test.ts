import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Dataset, Group, User } from '../../../src/storage/documents.ts'
import { bearer, openTestServices, profiles, type TestServices, testApp } from '../../app.ts'

const API = '/api/v1'

const PEOPLE: readonly User[] = [
  {
    user_id: 'u1',
    username: 'tomas.novak',
    first_name: 'tomáš',
    last_name: 'Novák',
    email: 'Tomas@secret.example',
    affiliation: 'Laboratory',
    affiliation_address: ''
  },
  {
    user_id: 'u2',
    username: 'meilin',
    first_name: 'Mei-Lin',
    last_name: 'Zhou',
    email: 'zhou@secret.example'
  },
  { user_id: 'u3', username: 'otto', first_name: 'Otto', last_name: 'Novara', is_admin: true },
  { user_id: 'u4', username: 'otto', first_name: 'Another', last_name: 'Otto', email: 'zhou@secret.example' }
]

const GROUPS: readonly Group[] = [
  {
    group_id: 'g2',
    group_name: 'Thin film alliance',
    owner: 'u1',
    members: ['u1', 'u2'],
    members_info: [
      { user_id: 'u1', role: 'owner' },
      { user_id: 'u2', role: 'maintainer' }
    ]
  },
  {
    group_id: 'g1',
    group_name: 'Film theory',
    description: 'On films.',
    owner: 'u3',
    members: ['u3'],
    members_info: [{ user_id: 'u3', role: 'owner' }]
  }
]

const dataset = (
  dataset_id: string,
  dataset_name: string,
  day: number,
  extra: Partial<Dataset> = {}
): Dataset => ({
  dataset_id,
  dataset_name,
  user_id: 'u1',
  dataset_create_time: `2024-01-0${day}T00:00:00.000Z`,
  dataset_modified_time: `2024-01-0${9 - day}T00:00:00.000Z`,
  dataset_type: 'owned',
  ...extra
})

const DATASETS: readonly Dataset[] = [
  dataset('d3', 'quartz (new)', 1),
  dataset('d2', 'Quartz', 2, { doi: '10.1/x', user_id: 'u2' }),
  dataset('d1', 'Čedič', 2, {
    dataset_type: 'foreign',
    user_id: 'u3',
    query: { 'results.material.elements': { $in: ['Ti'] } },
    entries: ['e1']
  })
]

describe.each(profiles())('datasets, persons and groups (%s)', profile => {
  let services: TestServices
  let app: FastifyInstance

  beforeAll(async () => {
    services = await openTestServices(profile)
    app = await testApp(services)
    await services.documents.putUsers(PEOPLE)
    await services.documents.putGroups(GROUPS)
    await services.documents.putDatasets(DATASETS)
  })
  afterAll(async () => {
    await app?.close()
    await services?.close()
  })

  const get = async (path: string, as?: string) =>
    app.inject({ url: API + path, headers: as ? { authorization: await bearer(services, as) } : {} })
  const json = async (path: string, as?: string) => {
    const response = await get(path, as)
    expect([path, response.statusCode]).toEqual([path, 200])
    return response.json()
  }

  describe('persons', () => {
    const found = async (query: string) =>
      (await json(`/users?${query}`)).data.map((u: { user_id: string }) => u.user_id).join(' ')

    it('are told as far as everybody may know them', async () => {
      expect(await json('/users/u1')).toEqual({
        name: 'Tomáš Novák',
        first_name: 'Tomáš',
        last_name: 'Novák',
        affiliation: 'Laboratory',
        affiliation_address: '',
        user_id: 'u1',
        username: 'tomas.novak'
      })
      expect(await json('/users/u2', 'u3')).toEqual({
        name: 'Mei-lin Zhou',
        first_name: 'Mei-lin',
        last_name: 'Zhou',
        user_id: 'u2',
        username: 'meilin'
      })
      expect((await json('/users?user_id=u3')).data[0]).toMatchObject({
        is_admin: true,
        is_oasis_admin: false
      })
      expect((await json('/users?prefix=tom')).data[0]).not.toHaveProperty('is_oasis_admin')
    })

    it('learn everything of themselves', async () => {
      expect(await json('/users/me', 'u2')).toEqual({
        name: 'Mei-lin Zhou',
        first_name: 'Mei-lin',
        last_name: 'Zhou',
        email: 'zhou@secret.example',
        affiliation: null,
        affiliation_address: null,
        user_id: 'u2',
        username: 'meilin',
        created: null,
        repo_user_id: null,
        is_admin: false,
        is_oasis_admin: false
      })
      expect(await json('/users/me', 'u3')).toMatchObject({ email: null, is_admin: true })
      const nobody = await get('/users/me')
      expect([nobody.statusCode, nobody.headers['www-authenticate']]).toEqual([401, 'Bearer'])
      expect((await get('/users/nobody')).statusCode).toBe(404)
    })

    it('come in the order of the request: ids, user names, addresses, typed names', async () => {
      expect(await found('')).toBe('')
      expect(await found('prefix=')).toBe('')
      expect(await found('prefix=%20')).toBe('')
      expect(await found('user_id=u2&user_id=none&user_id=u1')).toBe('u2 u1')
      expect(await found('username=otto&username=meilin&username=Meilin')).toBe('u3 u4 u2')
      expect(await found('email=ZHOU@secret.example&email=tomas@secret.example')).toBe('u2 u4 u1')
      expect(await found('prefix=otto&email=tomas@secret.example&username=meilin&user_id=u1')).toBe(
        'u1 u2 u1 u3 u4'
      )
    })

    it('are found by the beginnings of their names', async () => {
      expect(await found('prefix=nov')).toBe('u3 u1')
      expect(await found('prefix=NOVA')).toBe('u3 u1')
      expect(await found(`prefix=${encodeURIComponent('novák tom')}`)).toBe('u1')
      expect(await found('prefix=lin')).toBe('u2')
      for (const pattern of ['.*', '*', '%25', '_tto', '%5E', '(', '%00', '$ne']) {
        expect([pattern, await found(`prefix=${pattern}`)]).toEqual([pattern, ''])
      }
      expect((await get(`/users?prefix=${'a%20'.repeat(200)}`)).statusCode).toBe(422)
    })

    it('keep their addresses to themselves, also from who tries beginnings of them', async () => {
      // The user names, which everybody may know, begin otherwise or elsewhere.
      for (const beginning of ['zhou@', 'zhou@secret', 'zhou@secret.exampl', 'secret', 'tomas@', '@']) {
        expect([beginning, await found(`prefix=${beginning}`)]).toEqual([beginning, ''])
        expect([beginning, await found(`email=${beginning}`)]).toEqual([beginning, ''])
      }
      expect(await found('prefix=Zhou@secret.example')).toBe('u2 u4')
      for (const path of [
        '/users?prefix=z',
        '/users?email=zhou@secret.example',
        '/users/u2',
        '/groups',
        '/datasets'
      ]) {
        for (const as of [undefined, 'u1', 'u3']) {
          expect([path, as, (await get(path, as)).body]).toEqual([
            path,
            as,
            expect.not.stringMatching(/secret|email/)
          ])
        }
      }
    })
  })

  describe('groups', () => {
    const found = async (query: string) =>
      (await json(`/groups?${query}`)).data.map((g: { group_id: string }) => g.group_id).join(' ')

    it('are told with null for what is not known', async () => {
      expect(await json('/groups/g2')).toEqual({ ...GROUPS[0], description: null })
      expect(await json('/groups/g1', 'u2')).toEqual(GROUPS[1])
    })

    it('do not include the group of everybody', async () => {
      for (const id of ['none', 'all', '%00', '{group_id}']) {
        const response = await get(`/groups/${id}`)
        expect([id, response.statusCode]).toEqual([id, 404])
      }
      expect((await get('/groups/all')).json()).toEqual({ detail: "User group 'all' was not found." })
    })

    it('are listed by what is asked, all of it', async () => {
      expect(await found('')).toBe('g1 g2')
      expect(await found('group_id=g2&group_id=none')).toBe('g2')
      expect(await found('user_id=u2')).toBe('g2')
      expect(await found('user_id=u3&group_id=g2')).toBe('')
      expect(await found('search_terms=%20FILM%20%20all')).toBe('g2')
      expect(await found('search_terms=film')).toBe('g1 g2')
      expect(await found('search_terms=.*')).toBe('')
      expect(await found('search_terms=')).toBe('g1 g2')
      expect(await found('order_by=group_name&order=desc')).toBe('g2 g1')
      expect(await found('order_by=owner')).toBe('g2 g1')
      expect(await found('order=desc')).toBe('g2 g1')
    })

    it('are paged, with null for what the page does not have', async () => {
      expect((await json('/groups?page_size=1')).pagination).toEqual({
        page_size: 1,
        order_by: null,
        order: 'asc',
        page_after_value: null,
        page: 1,
        page_offset: null,
        total: 2,
        next_page_after_value: '0',
        page_url: expect.stringMatching(/\/groups\?page_size=1$/),
        next_page_url: expect.stringMatching(/\/groups\?page_size=1&page_after_value=0$/),
        prev_page_url: null,
        first_page_url: expect.stringMatching(/\/groups\?page_size=1$/)
      })
      expect(await found('page_size=1&page_after_value=0')).toBe('g2')
    })
  })

  describe('datasets', () => {
    const found = async (query: string) =>
      (await json(`/datasets?${query}`)).data.map((d: { dataset_id: string }) => d.dataset_id).join(' ')

    it('are told as they are, whoever asks', async () => {
      for (const [i, id] of ['d3', 'd2', 'd1'].entries()) {
        expect(await json(`/datasets/${id}`)).toEqual({ dataset_id: id, data: DATASETS[i] })
      }
      expect((await get('/datasets/none')).json()).toEqual({
        detail: 'The dataset with the given id does not exist.'
      })
    })

    it('are listed by what is asked, all of it, the oldest first', async () => {
      expect(await found('')).toBe('d3 d1 d2')
      expect(await found('order=desc')).toBe('d1 d2 d3')
      expect(await found('order_by=dataset_modified_time')).toBe('d1 d2 d3')
      expect(await found('order_by=dataset_name')).toBe('d2 d3 d1')
      expect(await found('dataset_id=d2')).toBe('d2')
      expect(await found('dataset_name=Quartz')).toBe('d2')
      expect(await found('prefix=QUARTZ')).toBe('d3 d2')
      expect(await found(`prefix=${encodeURIComponent('čE')}`)).toBe('d1')
      expect(await found('prefix=quartz%20(&dataset_name=Quartz')).toBe('d3')
      expect(await found('prefix=&dataset_name=Quartz')).toBe('d2')
      expect(await found('prefix=.')).toBe('')
      expect(await found('prefix=uartz')).toBe('')
      expect(await found('user_id=u1&user_id=u3')).toBe('d3 d1')
      expect(await found('dataset_type=foreign')).toBe('d1')
      expect(await found('dataset_type=nope')).toBe('')
      expect(await found('doi=10.1%2Fx')).toBe('d2')
      expect(await found('doi=10.1%2Fx&user_id=u1')).toBe('')
      expect(await found('page_size=1&page=2')).toBe('d1')
      expect((await json('/datasets?page_size=2')).pagination).not.toHaveProperty('order_by')
    })

    it('are addressed without a slash', async () => {
      const response = await get('/datasets/?prefix=a%2Fb')
      expect([response.statusCode, response.headers.location]).toEqual([307, `${API}/datasets?prefix=a%2Fb`])
    })
  })

  it('refuse pages and orders that there are not', async () => {
    for (const path of ['/groups', '/datasets']) {
      for (const [query, status] of [
        ['order_by=nope', 422],
        ['order_by=user_id', 422],
        ['order=up', 422],
        ['page=7', 400],
        ['page=0', 422],
        ['page_size=x', 422],
        ['page_size=-1', 422],
        ['page_size=99999999999999999999', 422],
        ['page_after_value=abc', 422],
        ['page=1&page_offset=1', 422]
      ] as const) {
        expect([path, query, (await get(`${path}?${query}`)).statusCode]).toEqual([path, query, status])
      }
    }
    expect((await get('/groups?search_terms=' + 'a+'.repeat(300))).statusCode).toBe(422)
  })

  it('refuse a wrong token, also where everybody may ask', async () => {
    for (const path of ['/users', '/users/u1', '/groups', '/groups/g1', '/datasets', '/datasets/d1']) {
      const response = await app.inject({ url: API + path, headers: { authorization: 'Bearer abc' } })
      expect([path, response.statusCode]).toEqual([path, 401])
    }
  })
})
