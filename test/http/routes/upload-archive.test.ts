import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { profiles } from '../../app.ts'
import { corpusJson } from '../../archive/corpus.ts'
import { type CorpusApp, openCorpusApp } from '../../corpus-app.ts'

const PHONONS = 'fPiatfvp4lsOKRFPOZ61m2'
const LOBSTER = 'q0IgQQ8KwkbceznCvr6QOVwuPAxR'
const LOBSTER_WORKFLOW = 'wDgwyYZ8s7pHUEls9a2LKHpZ0I04'
const MEILIN = 'a45e7d90-61c2-4b8f-9f3e-c1b2d3e4f504'

describe.each(profiles())('archives by upload on %s', profile => {
  let corpus: CorpusApp

  beforeAll(async () => {
    corpus = await openCorpusApp(profile)
  })
  afterAll(() => corpus?.close())

  const get = (path: string, as?: string) => corpus.ask({ url: `/api/v1/uploads/${path}` }, as)

  test.each([
    [`${PHONONS}/archive/${LOBSTER}`, LOBSTER],
    [`${PHONONS}/archive/mainfile/lobster/NaCl/lobsterout`, LOBSTER],
    [`${PHONONS}/archive/mainfile/lobster%2FNaCl%2Flobsterout`, LOBSTER],
    [`${PHONONS}/archive/mainfile/lobster/NaCl/lobsterout?mainfile_key=workflow`, LOBSTER_WORKFLOW]
  ])('%s is the whole archive', async (path, entryId) => {
    const response = await get(path)
    expect(response.statusCode).toBe(200)
    const { data, ...rest } = response.json()
    expect(rest).toEqual({ entry_id: entryId, required: '*' })
    const stored = corpusJson(`uploads/${PHONONS}/archive/${entryId}.json`)
    expect(data).toMatchObject({ entry_id: entryId, upload_id: PHONONS })
    expect(data.archive).toEqual(JSON.parse(JSON.stringify({ m_ref_archives: {}, ...stored })))
  })

  test.each([
    [
      'an entry of another upload',
      `BIi3kjIn3gVRQOIb7K5cx3/archive/${LOBSTER}`,
      404,
      /^The entry does not exist/
    ],
    [
      'an unknown key',
      `${PHONONS}/archive/mainfile/lobster/NaCl/lobsterout?mainfile_key=x`,
      404,
      /^The entry/
    ],
    ['a file that is no mainfile', `${PHONONS}/archive/mainfile/lobster/NaCl/POSCAR`, 404, /^The entry/],
    ['a path out of the upload', `${PHONONS}/archive/mainfile/../../x`, 404, /./],
    ['an unknown upload', `nope/archive/${LOBSTER}`, 404, /^The specified upload_id/],
    ['an unpublished upload', 's25f5ZFXDCbEilpzGabTKb/archive/x', 401, /^You need to log in/]
  ])('%s: %s', async (_, path, status, detail) => {
    const response = await get(path)
    expect(response.statusCode).toBe(status)
    expect(response.json().detail).toMatch(detail)
  })

  test('an entry that has no archive', async () => {
    const path = 's25f5ZFXDCbEilpzGabTKb/archive/mainfile/problems/with-problems.archive.yaml'
    const response = await get(path, MEILIN)
    expect([response.statusCode, response.json().detail]).toEqual([
      404,
      'The entry does exist, but it has no archive.'
    ])
  })
})
