import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { setPassword } from '../../../src/access/account-changes.ts'
import { tokenDigest } from '../../../src/access/personal-tokens.ts'
import { bearer, openTestServices, profiles, type TestServices, testApp } from '../../app.ts'

const PASSWORD = 'a long enough password'

describe.each(profiles())('personal access tokens on %s', profile => {
  let services: TestServices
  let app: FastifyInstance
  const tokens: Record<string, string> = {}

  beforeAll(async () => {
    services = await openTestServices(profile, { SERAI_PAT_MAX_ACTIVE_PER_USER: '6' })
    app = await testApp(services)
    for (const name of ['ann', 'bob']) {
      await services.documents.putUsers([{ user_id: name, username: name, first_name: name, last_name: 'X' }])
      await setPassword(name, PASSWORD, services.accounts)
      const { access_token } = (await services.identity.signIn(name, PASSWORD, true)) ?? {}
      tokens[name] = `Bearer ${access_token}`
    }
  })
  afterAll(async () => {
    await app.close()
    await services.close()
  })
  beforeEach(async () => {
    for (const name of ['ann', 'bob']) {
      const present = await services.accounts.personalTokensOf(name)
      await services.accounts.removePersonalTokens(present.map(token => token.id))
    }
  })

  const ask = async (
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: unknown,
    as: string | null = 'ann'
  ) => {
    const response = await app.inject({
      method,
      url: `/api/v1${path}`,
      headers: as === null ? {} : { authorization: tokens[as] ?? as },
      ...(body !== undefined ? { payload: body as object } : {})
    })
    return { status: response.statusCode, body: response.body === '' ? undefined : response.json() }
  }
  const make = (metadata: object = {}, days: number | null | undefined = undefined, as = 'ann') =>
    ask(
      'POST',
      '/auth/pats',
      {
        metadata: { name: 'ci', scopes: ['users:read'], ...metadata },
        ...(days !== undefined ? { expires_in_days: days } : {})
      },
      as
    )
  const me = (raw: string) => ask('GET', '/users/me', undefined, `Bearer ${raw}`)

  test('are shown once, and kept as digests', async () => {
    const { status, body } = await make({ description: 'for tests' })
    expect(status).toBe(201)
    expect(body.raw_token).toMatch(/^nomad_pat_[\w-]{43}$/)
    expect(body.pat).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{24}$/),
      name: 'ci',
      scopes: ['users:read'],
      description: 'for tests',
      revoked: false,
      created_at: expect.any(String),
      expired_at: expect.any(String),
      last_used_at: null
    })
    expect(Date.parse(body.pat.expired_at) - Date.parse(body.pat.created_at)).toBe(30 * 86_400_000)
    expect(await ask('GET', `/auth/pats/${body.pat.id}`)).toEqual({ status: 200, body: body.pat })
    const kept = await services.accounts.personalTokensOf('ann')
    expect(JSON.stringify(kept)).not.toContain(body.raw_token)
    expect(kept[0]?.digest).toBe(tokenDigest(body.raw_token))
  })

  test('let in for their scopes only, and remember that they did', async () => {
    const { body } = await make()
    expect(await me(body.raw_token)).toMatchObject({ status: 200, body: { user_id: 'ann' } })
    expect(await ask('GET', '/uploads', undefined, `Bearer ${body.raw_token}`)).toMatchObject({
      status: 403,
      body: { detail: "Missing scopes: ['uploads:read']" }
    })
    expect((await ask('GET', '/entries?page_size=0', undefined, `Bearer ${body.raw_token}`)).status).toBe(403)
    const used = (await ask('GET', `/auth/pats/${body.pat.id}`)).body.last_used_at
    expect(Math.abs(Date.parse(used) - Date.now())).toBeLessThan(10_000)
  })

  test('can be revoked, also twice, and then count as none', async () => {
    const { body } = await make()
    expect((await me(body.raw_token)).status).toBe(200)
    expect(await ask('DELETE', `/auth/pats/${body.pat.id}`)).toEqual({ status: 204, body: undefined })
    expect(await me(body.raw_token)).toMatchObject({
      status: 401,
      body: { detail: 'Authentication required.' }
    })
    // Where everybody is welcome it is no error.
    expect((await ask('GET', '/entries?page_size=0', undefined, `Bearer ${body.raw_token}`)).status).toBe(200)
    expect((await ask('DELETE', `/auth/pats/${body.pat.id}`)).status).toBe(204)
    expect((await ask('GET', `/auth/pats/${body.pat.id}`)).body.revoked).toBe(true)
  })

  test('can be rotated once: the new one lives as long', async () => {
    const made = (await make({ description: 'x' }, 7)).body
    const { status, body } = await ask('POST', `/auth/pats/${made.pat.id}/rotate`)
    expect(status).toBe(200)
    expect(body.pat).toMatchObject({ name: 'ci', scopes: ['users:read'], description: 'x', revoked: false })
    expect(Date.parse(body.pat.expired_at) - Date.parse(body.pat.created_at)).toBe(7 * 86_400_000)
    expect((await me(body.raw_token)).status).toBe(200)
    expect((await me(made.raw_token)).status).toBe(401)
    expect(await ask('POST', `/auth/pats/${made.pat.id}/rotate`)).toEqual({
      status: 400,
      body: { detail: 'Cannot rotate an expired/revoked token.' }
    })
  })

  test('are their owner’s alone', async () => {
    const { body } = await make()
    for (const [method, path] of [
      ['GET', `/auth/pats/${body.pat.id}`],
      ['DELETE', `/auth/pats/${body.pat.id}`],
      ['POST', `/auth/pats/${body.pat.id}/rotate`],
      ['DELETE', '/auth/pats/000000000000000000000000']
    ] as const) {
      expect(await ask(method, path, undefined, 'bob')).toEqual({
        status: 404,
        body: { detail: 'Token not found or does not belong to the user.' }
      })
    }
    expect((await ask('GET', '/auth/pats', undefined, 'bob')).body.data).toEqual([])
    expect((await me(body.raw_token)).status).toBe(200)
  })

  test.each([
    [{ scopes: [] }, undefined, 'At least one scope must be selected.'],
    [{ scopes: ['entries:read', 'x:y', 'z'] }, undefined, 'Invalid scopes: x:y, z'],
    [{ scopes: ['tokens:read'] }, undefined, 'Personal access tokens are not allowed to operate on PATs.'],
    [{}, 0, 'Cannot create an already expired token.'],
    [{}, -1, 'Cannot create an already expired token.'],
    [{}, 400, 'Requested lifetime (400 days) exceeds the maximum allowed (365 days).'],
    [{}, null, 'Infinite tokens are disabled. Max lifetime is 365 days.']
  ])('are not made of %j for %j days', async (metadata, days, detail) => {
    expect(await make(metadata, days)).toEqual({ status: 400, body: { detail } })
  })

  test('take scopes by their older names', async () => {
    expect((await make({ scopes: ['uploads_bundle:read', 'uploads:export'] })).body.pat.scopes).toEqual([
      'uploads:export'
    ])
  })

  test('are not made of what is no request for one', async () => {
    for (const body of [
      {},
      { metadata: {} },
      { metadata: { name: 1, scopes: [] } },
      { metadata: { name: 'x', scopes: 'y' } },
      []
    ]) {
      expect((await ask('POST', '/auth/pats', body)).status, JSON.stringify(body)).toBe(422)
    }
  })

  test('are limited in number; those that are of no use do not count', async () => {
    const made = []
    for (let i = 0; i < 6; i++) made.push((await make()).body.pat.id)
    expect(await make()).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('6 active tokens') }
    })
    await ask('DELETE', `/auth/pats/${made[0]}`)
    expect((await make()).status).toBe(201)
  })

  test('are nothing that tokens without the scopes handle', async () => {
    const { body } = await make()
    for (const authorization of [await bearer(services, 'ann'), `Bearer ${body.raw_token}`]) {
      expect((await ask('GET', '/auth/pats', undefined, authorization)).status).toBe(403)
      expect(
        (
          await ask(
            'POST',
            '/auth/pats',
            { metadata: { name: 'x', scopes: ['entries:read'] } },
            authorization
          )
        ).status
      ).toBe(403)
      expect((await ask('DELETE', `/auth/pats/${body.pat.id}`, undefined, authorization)).status).toBe(403)
    }
    expect((await ask('GET', '/auth/pats', undefined, null)).status).toBe(401)
    expect((await ask('POST', '/auth/pats', undefined, null)).status).toBe(401)
  })

  test('are listed with filters, orders and pages', async () => {
    const ids: Record<string, string> = {}
    for (const [name, days] of [
      ['Alpha', 3],
      ['beta', 2],
      ['gamma', 1]
    ] as const) {
      ids[name] = (await make({ name }, days)).body.pat.id
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    await ask('DELETE', `/auth/pats/${ids.beta}`)
    const names = async (query: string) => {
      const { status, body } = await ask('GET', `/auth/pats?${query}`)
      return status === 200 ? body.data.map((token: { name: string }) => token.name).join() : status
    }
    expect(await names('')).toBe('gamma,beta,Alpha')
    expect(await names('order_by=created_asc')).toBe('Alpha,beta,gamma')
    expect(await names('order_by=expires_asc')).toBe('gamma,beta,Alpha')
    expect(await names('order_by=name_desc')).toBe('gamma,beta,Alpha')
    expect(await names('order_by=nope')).toBe(422)
    expect(await names('search=ALPH')).toBe('Alpha')
    expect(await names('search=a&revoked=true')).toBe('beta')
    expect(await names('state=active&order_by=created_asc')).toBe('Alpha,gamma')
    expect(await names('state=inactive')).toBe('beta')
    expect(await names('state=dead')).toBe(422)
    expect(await names('created_after=2100-01-01')).toBe('')
    expect(await names('created_before=2100-01-01&expires_after=2020-01-01T00:00:00Z&page_size=1')).toBe(
      'gamma'
    )
    expect(await names('last_used_before=2100-01-01')).toBe('')
    expect(await names('created_after=soon')).toBe(422)
    const page = (await ask('GET', '/auth/pats?page_size=2&search=a')).body
    expect(page.query).toEqual({
      search: 'a',
      revoked: null,
      state: null,
      created_after: null,
      created_before: null,
      last_used_after: null,
      last_used_before: null,
      expires_after: null,
      expires_before: null
    })
    expect(page.pagination).toMatchObject({
      page_size: 2,
      order_by: 'created_desc',
      total: 3,
      next_page_after_value: '1',
      page_after_value: null,
      prev_page_url: null
    })
    expect(await names('page_size=2&page_after_value=1')).toBe('Alpha')
    expect(page.data[0]).not.toHaveProperty('digest')
    expect(page.data[0]).not.toHaveProperty('user_id')
  })
})
