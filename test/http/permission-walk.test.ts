/** Walks every operation of the API with every kind of caller over uploads of every state, and holds the answers to the matrix. */
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signAppToken } from '../../src/access/app-token.ts'
import { createToken, revokeToken } from '../../src/access/personal-tokens.ts'
import { bearer, openCorpusServices, openTestServices, profiles, type TestServices, testApp } from '../app.ts'
import {
  LISTED,
  MATRIX,
  ROLES,
  type Role,
  type Row,
  SHOWN,
  STATES,
  STATUSES,
  type State
} from './permission-matrix.ts'

const OTTO = '0d3c6f52-9b8e-4c7a-9a55-2f6f1d0a7b01'
const INES = '3f1a2b7c-5d64-4e0f-8c21-7a9e6b3d1c02'
const TOMAS = '7c9d4e18-2a3b-4f56-b1d7-0e8c5a6f2d03'
const MEILIN = 'a45e7d90-61c2-4b8f-9f3e-c1b2d3e4f504'
const SAMIRA = 'c8b7a6f5-e4d3-4c2b-a190-8f7e6d5c4b05'

interface Sample {
  readonly state: State
  readonly upload: string
  readonly entry: string
  readonly mainfile: string
  readonly callers: Readonly<Partial<Record<Role, string>>>
}

const sample = (
  state: State,
  upload: string,
  [entry, mainfile]: readonly [string, string],
  callers: Sample['callers']
): Sample => ({ state, upload, entry, mainfile, callers: { ...callers, admin: OTTO } })

/** Uploads of the example data; together they have every role in every state that occurs. */
const SAMPLES: readonly Sample[] = [
  sample(
    'published',
    'JrwlldN3Mnf6R_mujWnCkA',
    ['Md5XkNKf02YDUcFwelslbmSlNdkj', 'bands/cF/vasprun.xml.bands.xz'],
    {
      other: MEILIN,
      coauthor: TOMAS,
      owner: INES
    }
  ),
  sample('embargoed', 'iaxY2J731nf76LUqmbCm7G', ['wQ__S8Nfpfh26BwVU3177fDzvt53', 'bands_hR/aims.out'], {
    other: MEILIN,
    group: TOMAS,
    coauthor: SAMIRA,
    owner: INES
  }),
  sample('embargoed', 'ROK7NzvVoeKocZLPaWt-Q1', ['NayAKL-QDTIzscqMwtoV72QZenn9', 'RhCu/OUTCAR'], {
    other: MEILIN,
    reviewer: SAMIRA,
    coauthor: INES,
    owner: TOMAS
  }),
  sample('unpublished', 'JHl42uKNz5DE7pTrn2wk91', ['ygWi63Cu89hXsycHD0J7nNwhL8Wk', 'gamess/exam01.out'], {
    other: INES,
    reviewer: TOMAS,
    group: MEILIN,
    owner: SAMIRA
  }),
  sample('unpublished', 'JceuotfVVh3ohGAfv_u8ja', ['_uF6olcpeMD77_ACR0-wr3sNab42', 'fe2/Fe2.gpw'], {
    other: SAMIRA,
    group: TOMAS,
    owner: INES
  }),
  sample(
    'unpublished',
    'j9XYUOyWpkxYf2_9yt_6PH',
    ['frc78oXkuyVvSGu_4CekWhxTGrSx', 'Copper_II_Selenide.archive.json'],
    {
      other: TOMAS,
      coauthor: MEILIN,
      owner: SAMIRA
    }
  ),
  sample('shared', 'm2gDew34dxLckF73LPPJqg', ['Yl4fPk_yrwo6dr5wqYa4sMpTEkZi', 'composed.archive.yaml'], {
    other: MEILIN,
    reviewer: INES,
    owner: TOMAS
  })
]

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

const document = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../openapi/openapi.json'), 'utf8')
) as Document
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.keys(item).map(method => `${method.toUpperCase()} ${path}`)
)

/** Cells of a row of the matrix by role. */
function cells(row: string): Readonly<Record<Role, string>> {
  const list = row.split(' ')
  if (list.length !== ROLES.length) throw new Error(`not ${ROLES.length} cells: ${row}`)
  return Object.fromEntries(ROLES.map((role, i) => [role, list[i]])) as Record<Role, string>
}

/** A request for an operation: about the sample where it is about something. */
function requestOf(
  operation: string,
  row: Row,
  { upload, entry, mainfile }: Sample,
  owner?: string
): InjectOptions {
  const [method = '', path = ''] = operation.split(' ')
  const inner = path.startsWith('/uploads') ? (path.includes('rawdir') ? '' : mainfile) : basename(mainfile)
  const url = ('url' in row ? row.url : undefined) ?? path
  const filled = url
    .replace('{upload_id}', upload)
    .replace('{entry_id}', entry)
    .replace('{path}', inner)
    .replace('{pat_id}', '0123456789abcdef01234567')
  // Zips have no echo of the query in which the entry would be found; of whole uploads they would take long.
  const isZip = 'zip' in row
  const about = isZip ? { entry_id: entry } : { upload_id: upload }
  const query =
    owner === undefined
      ? ''
      : `?${new URLSearchParams({ owner, ...about, ...(isZip ? {} : { page_size: '100' }) })}`
  if (method !== 'POST') return { method: method as 'GET', url: `/api/v1${filled}${query}` }
  const payload =
    owner !== undefined
      ? { owner, query: about, ...(isZip ? {} : { pagination: { page_size: 100 } }) }
      : path === '/suggestions'
        ? { input: 'a', quantities: [{ name: 'results.material.elements' }] }
        : path === '/auth/pats'
          ? { metadata: { name: 'x', scopes: ['info:read'] } }
          : {}
  return { method: 'POST', url: `/api/v1${filled}`, payload }
}

test('every operation has a row, every row an operation', () => {
  expect(Object.keys(MATRIX).sort()).toEqual(operations.sort())
})

test('the samples have every state', () => {
  expect(new Set(SAMPLES.map(({ state }) => state))).toEqual(new Set(STATES))
})

describe.each(profiles())('permissions on %s', profile => {
  let services: TestServices
  let own: TestServices
  let app: FastifyInstance
  const tokens = new Map<string, string>()

  beforeAll(async () => {
    const corpus = await openCorpusServices(profile, {}, ['corpus'])
    // Tokens are made here: not in the data that all tests share.
    own = await openTestServices(profile)
    services = { ...corpus, accounts: own.accounts }
    app = await testApp(services)
    for (const user of [OTTO, INES, TOMAS, MEILIN, SAMIRA]) tokens.set(user, await bearer(services, user))
  })
  afterAll(async () => {
    await app?.close()
    await services?.close()
    await own?.close()
  })

  function ask(request: InjectOptions, authorization: string | undefined) {
    return app.inject({ ...request, headers: authorization ? { authorization } : {} })
  }

  /** The callers of a sample, with what the matrix says about each. */
  function callers({ state, callers }: Sample, table: Readonly<Record<State, string>>) {
    const expected = cells(table[state])
    return ROLES.flatMap(role => {
      const user = callers[role]
      if (role !== 'anonymous' && user === undefined) return []
      return [{ role, authorization: user && tokens.get(user), expected: expected[role] }]
    })
  }

  const rows = Object.entries(MATRIX)

  test.each(rows.filter(([, row]) => 'by' in row))('%s', { timeout: 120_000 }, async (operation, row) => {
    if (!('by' in row)) return
    const found: string[] = []
    const wanted: string[] = []
    for (const one of SAMPLES) {
      for (const { role, authorization, expected } of callers(one, STATUSES[row.by])) {
        const { statusCode } = await ask(requestOf(operation, row, one), authorization)
        found.push(`${one.state} ${one.upload} ${role}: ${statusCode}`)
        wanted.push(`${one.state} ${one.upload} ${role}: ${expected}`)
      }
    }
    expect(found).toEqual(wanted)
  })

  test.each(rows.filter(([, row]) => 'search' in row))('%s', { timeout: 240_000 }, async (operation, row) => {
    if (!('search' in row)) return
    const found: string[] = []
    const wanted: string[] = []
    for (const [owner, table] of Object.entries(SHOWN)) {
      for (const one of SAMPLES) {
        for (const { role, authorization, expected } of callers(one, table)) {
          const answer = await ask(requestOf(operation, row, one, owner), authorization)
          // Names of files in a zip begin with the upload.
          const marker = row.zip ? `${one.upload}/` : one.entry
          const shown = answer.rawPayload.includes(marker) ? 'yes' : '-'
          const head = `${owner} ${one.state} ${one.upload} ${role}`
          found.push(`${head}: ${answer.statusCode === 200 ? shown : answer.statusCode}`)
          wanted.push(`${head}: ${owner === 'all' && !row.all ? 403 : expected}`)
        }
      }
    }
    expect(found).toEqual(wanted)
  })

  test('GET /uploads', async () => {
    const found: string[] = []
    const wanted: string[] = []
    for (const one of SAMPLES) {
      for (const { role, authorization, expected } of callers(one, LISTED)) {
        const answer = await ask({ url: '/api/v1/uploads?page_size=100' }, authorization)
        const shown = answer.body.includes(`"${one.upload}"`) ? 'yes' : '-'
        found.push(`${one.upload} ${role}: ${answer.statusCode === 200 ? shown : answer.statusCode}`)
        wanted.push(`${one.upload} ${role}: ${expected}`)
      }
    }
    expect(found).toEqual(wanted)
  })

  test.each(rows.filter(([, row]) => 'anonymous' in row))('%s', async (operation, row) => {
    if (!('anonymous' in row)) return
    const request = requestOf(operation, row, SAMPLES[0] as Sample)
    expect((await ask(request, undefined)).statusCode).toBe(row.anonymous)
    for (const user of [MEILIN, OTTO]) {
      expect((await ask(request, tokens.get(user))).statusCode).toBe(row.known)
    }
  })

  /** Of one published upload, so that anonymous callers get it. */
  const anyRequest = (operation: string, row: Row) =>
    requestOf(operation, row, SAMPLES[0] as Sample, 'search' in row ? 'public' : undefined)

  test('a token that is expired, forged, of nobody or nonsense is refused by every operation', async () => {
    const now = Math.floor(Date.now() / 1000)
    const bad = {
      expired: `Bearer ${await signAppToken(INES, now - 10, services.apiSecret)}`,
      forged: `Bearer ${await signAppToken(INES, now + 3600, 'another secret of 32 characters!')}`,
      nobody: `Bearer ${await signAppToken('nobody', now + 3600, services.apiSecret)}`,
      nonsense: 'Bearer nonsense'
    }
    for (const [operation, row] of rows) {
      for (const [kind, authorization] of Object.entries(bad)) {
        const { statusCode } = await ask(anyRequest(operation, row), authorization)
        const expected = 'callerless' in row && row.callerless ? row.known : 401
        expect(`${operation} ${kind} ${statusCode}`).toBe(`${operation} ${kind} ${expected}`)
      }
    }
  })

  test('a personal token lets in for its scopes only, a revoked one for nothing', {
    timeout: 120_000
  }, async () => {
    const wanted = { name: 'walk', scopes: ['info:read'], description: null, days: 1 }
    const { accounts } = services
    const limits = { maxLifetime: 365, maxActive: 100 }
    const narrow = await createToken(INES, wanted, limits, accounts)
    const revoked = await createToken(INES, { ...wanted, scopes: ['uploads:read'] }, limits, accounts)
    await revokeToken(INES, revoked.token.id, accounts)
    for (const [operation, row] of rows) {
      const request = anyRequest(operation, row)
      const without = (await ask(request, undefined)).statusCode
      const free = operation === 'GET /info' || ('callerless' in row && row.callerless)
      const { statusCode } = await ask(request, `Bearer ${narrow.raw}`)
      expect(`${operation} ${statusCode}`).toBe(`${operation} ${free ? without : 403}`)
      const dead = (await ask(request, `Bearer ${revoked.raw}`)).statusCode
      expect(`${operation} revoked ${dead}`).toBe(`${operation} revoked ${without}`)
    }
  })
})
