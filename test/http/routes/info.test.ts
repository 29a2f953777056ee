import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { profiles } from '../../app.ts'
import { type CorpusApp, openCorpusApp } from '../../corpus-app.ts'

const INES = '3f1a2b7c-5d64-4e0f-8c21-7a9e6b3d1c02'
const EMBARGOED = 'ROK7NzvVoeKocZLPaWt-Q1'

describe.each(profiles())('what the server tells of itself (%s)', profile => {
  let corpus: CorpusApp

  beforeAll(async () => {
    corpus = await openCorpusApp(profile)
  })
  afterAll(() => corpus?.close())

  const get = (path: string, as?: string) => corpus.ask({ url: `/api/v1${path}` }, as)
  const total = async (query: string) => (await get(`/entries?page_size=0&${query}`)).json().pagination.total

  it('counts what is published, and nothing else, whoever asks', async () => {
    // On a busy machine the first answers come before everything is counted.
    const { statistics, collect_time } = await vi.waitFor(
      async () => {
        const info = (await get('/info')).json()
        expect(info.statistics).toBeDefined()
        return info
      },
      { timeout: 20_000 }
    )
    expect(Date.parse(collect_time)).toBeGreaterThan(Date.now() - 60_000)
    expect(statistics.n_entries).toBe(await total('owner=all&published=true'))
    expect(statistics.n_entries).toBeLessThan(await corpus.services.index.count({ kind: 'all' }))
    const uploads = await corpus.services.documents.listUploads(
      { published: true },
      { orderBy: 'upload_create_time', order: 'asc', offset: 0, limit: 1000 }
    )
    expect(statistics.n_uploads).toBe(uploads.total)
    let bytes = 0
    for (const { upload_id, embargo_length } of uploads.uploads) {
      const { directory_metadata } = (await get(`/uploads/${upload_id}/rawdir/?page_size=0`)).json()
      expect([upload_id, directory_metadata !== undefined]).toEqual([upload_id, embargo_length === 0])
      bytes += directory_metadata?.size ?? 0
    }
    expect(statistics.public_data_size).toBe(bytes)
    expect(uploads.uploads.map(u => u.upload_id)).toContain(EMBARGOED)
    for (const name of ['n_quantities', 'n_calculations', 'n_materials']) {
      expect([name, statistics[name] > 0]).toEqual([name, true])
    }
    expect((await get('/info', INES)).json().statistics).toEqual(statistics)
  })

  it('names quantities, programs and versions', async () => {
    const response = await get('/info')
    expect(response.headers['cache-control']).toBe('max-age=60')
    const info = response.json()
    expect(info.search_quantities['results.material.elements']).toEqual({
      name: 'results.material.elements',
      description: null,
      many: true
    })
    expect(Object.keys(info.search_quantities).length).toBe(corpus.services.quantities.list.length)
    expect(info.codes).toContainEqual({ code_name: 'VASP', code_homepage: 'https://www.vasp.at/' })
    expect(info.codes.map((c: { code_name: string }) => c.code_name)).not.toContain('unavailable')
    expect(info.codes.filter((c: { code_homepage: string | null }) => c.code_homepage === null)).toEqual([])
    expect(info).toMatchObject({
      parsers: ['archive'],
      metainfo_packages: ['general', 'general.experimental', 'common', 'public', 'archive'],
      normalizers: [],
      plugin_entry_points: [],
      plugin_packages: [],
      version: '2.0.0',
      oasis: true,
      git: {}
    })
  })
})
