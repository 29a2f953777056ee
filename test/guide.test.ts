/**
 * The public how-to guide of the API, request by request, as its readers send them, and what it says they get. Where the
 * guide shows only a part of a request, the rest is the least that makes it one.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addDemoUsers, DEMO_PASSWORD } from '../src/cli/demo-users.ts'
import { bearer, openCorpusServices, profiles, type TestServer, testServer } from './app.ts'
import { unzip } from './files/unzip.ts'

/** Entry that the guide's first examples lead to (fixtures/guide). */
const FIRST = '--btEqakO1kKnV6MWyTproNqkO3M'
const INES = '3f1a2b7c-5d64-4e0f-8c21-7a9e6b3d1c02'
const ENERGY = {
  fermi: -1.1363378335891879e-18,
  total: { value: -5.697771591896252e-14 },
  correlation: { value: -5.070133798617076e-17 },
  exchange: { value: -2.3099755059272454e-15 },
  xc: { value: -2.360676843913416e-15 },
  xc_potential: { value: 3.063766944960246e-15 },
  free: { value: -5.697771595558439e-14 },
  sum_eigenvalues: { value: -3.3841806795825544e-14 },
  total_t0: { value: -5.697771593727346e-14 },
  correction_entropy: { value: -1.8310927833270112e-23 },
  correction_hartree: { value: -4.363790430157292e-17 },
  correction_xc: { value: -2.3606768439090564e-15 }
}

interface Entry {
  entry_id: string
  authors: { name: string }[]
  upload_create_time: string
  results: {
    material: { elements: string[]; chemical_formula_hill: string; symmetry?: { crystal_system?: string } }
    method: { simulation: { program_name: string } }
    properties: { geometry_optimization: { final_energy_difference: number } }
  }
}

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into as a script would
type Json = any

describe.each(profiles())('the how-to guide on %s', profile => {
  let server: TestServer

  beforeAll(async () => {
    const services = await openCorpusServices(profile)
    await addDemoUsers([join(import.meta.dirname, '../fixtures/corpus')], services)
    server = await testServer(services)
  })
  afterAll(() => server.close())

  async function get(path: string, headers: Record<string, string> = {}): Promise<Json> {
    const response = await fetch(server.base + path, { headers })
    expect(response.status, await response.clone().text()).toBe(200)
    return response.json()
  }

  async function post(path: string, body: unknown): Promise<Json> {
    const response = await fetch(server.base + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
    expect(response.status, await response.clone().text()).toBe(200)
    return response.json()
  }

  /** All entries that match, as far as one page of 1000 shows them. */
  async function search(query: unknown): Promise<Entry[]> {
    const answer = await post('/entries/query', { query, pagination: { page_size: 1000 } })
    expect(answer.data).toHaveLength(answer.pagination.total)
    return answer.data
  }

  describe('in the browser and with curl', () => {
    test.each(['elements', 'results.material.elements'])('?%s=Ti&…=O gives entries with both', async name => {
      const { data, pagination } = await get(`/entries?${name}=Ti&${name}=O`)
      expect(pagination.total).toBeGreaterThan(2)
      expect(data).toHaveLength(Math.min(10, pagination.total))
      for (const entry of data)
        expect(entry.results.material.elements).toEqual(expect.arrayContaining(['Ti', 'O']))
    })
  })

  describe('using requests', () => {
    test('the first query gives one entry and only its id', async () => {
      const answer = await post('/entries/query', {
        query: { 'results.material.elements': { all: ['Ti', 'O'] } },
        pagination: { page_size: 1 },
        required: { include: ['entry_id'] }
      })
      expect(answer).toEqual({
        owner: 'public',
        query: { name: 'results.material.elements', value: { all: ['Ti', 'O'] } },
        pagination: {
          page_size: 1,
          order_by: 'entry_id',
          order: 'asc',
          total: expect.any(Number),
          next_page_after_value: FIRST
        },
        required: { include: ['entry_id'] },
        data: [{ entry_id: FIRST }]
      })
    })

    const required = {
      workflow: { calculation_result_ref: { energy: '*', system_ref: { chemical_composition: '*' } } }
    }

    test('formula and energies of the main workflow result, from the archive', async () => {
      const answer = await post(`/entries/${FIRST}/archive/query`, { required })
      expect(answer).toEqual({
        required,
        entry_id: FIRST,
        data: {
          entry_id: FIRST,
          upload_id: expect.any(String),
          parser_name: 'parsers/fhi-aims',
          archive: {
            run: [
              {
                system: [{ chemical_composition: 'OOSrTiOOOSrTiOOOSrTiOFF' }],
                calculation: [{ energy: ENERGY, system_ref: '/run/0/system/0' }]
              }
            ],
            workflow: [{ calculation_result_ref: '/run/0/calculation/0' }],
            m_ref_archives: {}
          }
        }
      })
    })

    test('the same for the entries of a query', async () => {
      const { data } = await post('/entries/archive/query', {
        query: { 'results.material.elements': { all: ['Ti', 'O'] } },
        pagination: { page_size: 1 },
        required
      })
      expect(data).toHaveLength(1)
      const { archive } = data[0]
      expect(archive.run[0].system[0].chemical_composition).toBe('OOSrTiOOOSrTiOOOSrTiOFF')
      const joulePerElectronVolt = 1.602176634e-19
      expect(archive.run[0].calculation[0].energy.total.value / joulePerElectronVolt).toBeCloseTo(
        -355626.93095025205,
        4
      )
    })
  })

  describe('owner', () => {
    test.each(['public', 'all', 'visible'])('%s needs no sign-in', async owner => {
      expect((await get(`/entries?owner=${owner}&page_size=0`)).pagination.total).toBeGreaterThan(50)
    })

    test.each(['shared', 'user', 'staging', 'admin'])('%s does', async owner => {
      const response = await fetch(`${server.base}/entries?owner=${owner}`)
      expect(response.status).toBe(401)
    })

    test.each(['shared', 'user', 'staging'])('%s shows what is yours', async owner => {
      const answer = await get(`/entries?owner=${owner}&page_size=0`, {
        authorization: await bearer(server.services, INES)
      })
      expect(answer.pagination.total).toBeGreaterThan(0)
    })
  })

  describe('queries', () => {
    test('all criteria must be met', async () => {
      const found = await search({
        'results.material.elements': ['Na', 'Cl'],
        'results.method.simulation.program_name': 'VASP',
        authors: ['Lena Brandt', 'Paulo Siqueira']
      })
      expect(found.length).toBeGreaterThan(0)
      for (const entry of found) {
        expect(entry.results.material.elements).toEqual(expect.arrayContaining(['Na', 'Cl']))
        expect(entry.results.method.simulation.program_name).toBe('VASP')
        expect(entry.authors.map(a => a.name)).toEqual(
          expect.arrayContaining(['Lena Brandt', 'Paulo Siqueira'])
        )
      }
    })

    test(':any widens a list', async () => {
      const criteria = {
        'results.material.elements': ['Na', 'Cl'],
        'results.method.simulation.program_name': 'VASP'
      }
      const both = await search({ ...criteria, authors: ['Lena Brandt', 'Tomáš Novák'] })
      const any = await search({ ...criteria, 'authors:any': ['Lena Brandt', 'Tomáš Novák'] })
      expect(both).toHaveLength(0)
      expect(any.length).toBeGreaterThan(1)
      for (const entry of any) {
        expect(entry.authors.some(a => a.name === 'Lena Brandt' || a.name === 'Tomáš Novák')).toBe(true)
      }
    })

    test(':none excludes', async () => {
      const all = await search({})
      const without = await search({ 'results.material.elements:none': ['O', 'Ti'] })
      const expected = all.filter(e => !e.results?.material?.elements?.some(x => x === 'O' || x === 'Ti'))
      expect(new Set(without.map(e => e.entry_id))).toEqual(new Set(expected.map(e => e.entry_id)))
      expect(without.length).toBeLessThan(all.length)
    })

    test('and, or, not', async () => {
      const found = await search({
        and: [
          {
            or: [{ 'results.material.elements': ['Cl', 'Na'] }, { 'results.material.elements': ['H', 'O'] }]
          },
          { not: { 'results.material.symmetry.crystal_system': 'cubic' } }
        ]
      })
      const holds = (e: Entry) => {
        const elements = e.results?.material?.elements ?? []
        const has = (...wanted: string[]) => wanted.every(x => elements.includes(x))
        return (has('Cl', 'Na') || has('H', 'O')) && e.results.material.symmetry?.crystal_system !== 'cubic'
      }
      expect(found.length).toBeGreaterThan(0)
      expect(found.map(e => e.entry_id)).toEqual((await search({})).filter(holds).map(e => e.entry_id))
    })

    test('comparisons as objects and as suffixes are the same', async () => {
      const objects = await search({
        upload_create_time: { gt: '2020-01-01', lt: '2020-08-01' },
        'results.properties.geometry_optimization.final_energy_difference': { lte: 1.23e-18 }
      })
      const suffixes = await search({
        'upload_create_time:gt': '2020-01-01',
        'upload_create_time:lt': '2020-08-01',
        'results.properties.geometry_optimization.final_energy_difference:lte': 1.23e-18
      })
      expect(objects.length).toBeGreaterThan(0)
      expect(suffixes).toEqual(objects)
      for (const { upload_create_time, results } of objects) {
        expect(upload_create_time > '2020-01-01' && upload_create_time < '2020-08-01').toBe(true)
        expect(results.properties.geometry_optimization.final_energy_difference).toBeLessThanOrEqual(1.23e-18)
      }
    })
  })

  describe('pagination', () => {
    const json_body = {
      query: { 'results.material.elements': { all: ['Ti', 'O'] } },
      pagination: { page_size: 1 } as Record<string, unknown>,
      required: { include: ['results.material.chemical_formula_hill'] }
    }

    test('following next_page_after_value collects every entry once', async () => {
      const ids: string[] = []
      const formulas = new Set<string>()
      const body = structuredClone(json_body)
      let total: number
      for (;;) {
        const { data, pagination } = await post('/entries/query', body)
        total = pagination.total
        for (const entry of data) {
          ids.push(entry.entry_id)
          formulas.add(entry.results.material.chemical_formula_hill)
        }
        if (!pagination.next_page_after_value) break
        body.pagination.page_after_value = pagination.next_page_after_value
      }
      expect(ids).toHaveLength(total)
      expect(new Set(ids).size).toBe(total)
      expect(formulas.size).toBeGreaterThan(1)
    })
  })

  describe('authentication', () => {
    /** `GET /auth/token` as the guide asks for it. */
    const token = async () => {
      const query = new URLSearchParams({ username: 'ines.albrecht', password: DEMO_PASSWORD })
      return (await get(`/auth/token?${query}`)).access_token as string
    }

    test('name and password give a token that shows your own uploads', async () => {
      const { data } = await get('/uploads', { authorization: `Bearer ${await token()}` })
      expect(data.length).toBeGreaterThan(0)
      for (const upload of data) {
        expect([upload.main_author, ...upload.coauthors, ...upload.reviewers, ...upload.viewers]).toContain(
          INES
        )
      }
    })

    test('an app token lives as long as you say, within the limit', async () => {
      const authorization = `Bearer ${await token()}`
      const { app_token } = await get('/auth/app_token?expires_in=86400', { authorization })
      const { data } = await get('/uploads', { authorization: `Bearer ${app_token}` })
      expect(data.length).toBeGreaterThan(0)
      const declined = await fetch(`${server.base}/auth/app_token?expires_in=86400000`, {
        headers: { authorization }
      })
      expect(declined.status).toBe(422)
    })

    test('without one there are none to show', async () => {
      expect((await fetch(`${server.base}/uploads`)).status).toBe(401)
    })
  })

  test('raw files of a query come as one zip', async () => {
    const response = await fetch(
      `${server.base}/entries/raw?results.material.elements=Ti&results.material.elements=O`
    )
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/zip')
    const members = await unzip(Buffer.from(await response.arrayBuffer()))
    const contents = new Map(members.map(m => [m.name, m.content]))
    const manifest = JSON.parse(contents.get('manifest.json')?.toString() ?? '') as {
      entry_id: string
      mainfile: string
    }[]
    expect(manifest.map(e => e.entry_id)).toContain(FIRST)
    for (const { mainfile } of manifest) expect(contents.has(mainfile)).toBe(true)
  })

  describe('archives', () => {
    const archiveOf = async (required: unknown, id = FIRST): Promise<Json> =>
      (await post(`/entries/${id}/archive/query`, { required })).data.archive

    test('only the metadata', async () => {
      const archive = await archiveOf({ metadata: '*' })
      expect(Object.keys(archive).sort()).toEqual(['m_ref_archives', 'metadata'])
      expect(archive.metadata.entry_id).toBe(FIRST)
    })

    test('keys that no definition knows are ignored', async () => {
      expect(await archiveOf({ run: { configuration: { energy: '*' } } })).toEqual({
        run: [{}],
        m_ref_archives: {}
      })
    })

    test('the last calculation', async () => {
      const whole = await archiveOf('*', 'EGOjc1BuRhGx2jsVQexjmPMUoWiD')
      const last = await archiveOf({ run: { 'calculation[-1]': '*' } }, 'EGOjc1BuRhGx2jsVQexjmPMUoWiD')
      expect(whole.run[0].calculation.length).toBeGreaterThan(1)
      expect(last.run).toEqual([{ calculation: [whole.run[0].calculation.at(-1)] }])
    })

    test('a key that the referenced section does not have', async () => {
      const archive = await archiveOf({
        workflow: {
          calculation_result_ref: { energy: '*', system_ref: { value: { chemical_composition: '*' } } }
        }
      })
      expect(archive.run[0]).toEqual({
        system: [{}],
        calculation: [{ energy: ENERGY, system_ref: '/run/0/system/0' }]
      })
    })

    test('include-resolved adds the targets at their places', async () => {
      const archive = await archiveOf({ workflow: { calculation_result_ref: 'include-resolved' } })
      expect(archive.workflow).toEqual([{ calculation_result_ref: '/run/0/calculation/0' }])
      expect(archive.run[0].calculation[0].energy).toEqual(ENERGY)
      expect(archive.run[0].system[0].chemical_composition).toBe('OOSrTiOOOSrTiOOOSrTiOFF')
    })

    test('resolve-inplace puts them where the reference was', async () => {
      const archive = await archiveOf({
        'resolve-inplace': true,
        workflow: { calculation_result_ref: 'include-resolved' }
      })
      expect(archive.run).toBeUndefined()
      const result = archive.workflow[0].calculation_result_ref
      expect(result.energy).toEqual(ENERGY)
      expect(result.system_ref.chemical_composition).toBe('OOSrTiOOOSrTiOOOSrTiOFF')
    })
  })
})
