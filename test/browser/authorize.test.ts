/**
 * The docs page in a real browser: *Authorize* signs in, and what the page asks for then is the caller's. There are no such
 * tests where Chromium is not installed.
 */
import { spawnSync } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { setPassword } from '../../src/access/account-changes.ts'
import { importCorpus } from '../../src/processing/corpus-import.ts'
import type { IndexDocument } from '../../src/search/entry-index.ts'
import { openTestServices, type TestServer, type TestServices, testServer } from '../app.ts'

const CHROMIUM = '/usr/bin/chromium'
const installed = spawnSync(CHROMIUM, ['--version']).status === 0

/** Folder that gets pictures of the page, to be looked at; none without. */
const PICTURES = process.env.SERAI_TEST_PICTURES

const CORPUS = join(import.meta.dirname, '../../fixtures/corpus')
/** An entry of the example data that is not published. */
const UPLOAD = 'JceuotfVVh3ohGAfv_u8ja'
const ENTRY = 'PB_AM07lxDTZY7MSc4GW-XopxSL7'

const keycloak = inject('keycloak')
const REALM = 'fairdi_nomad_test'
const TESS = '00000000-0000-4000-8000-000000000001'

describe.runIf(installed)('Authorize of the docs page', { timeout: 120_000 }, () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  })
  afterAll(() => browser?.close())

  /** Does something on the page of a server, in which nothing may go wrong. */
  async function withPage(services: TestServices, name: string, work: (page: Page) => Promise<void>) {
    const server: TestServer = await testServer(services)
    const page = await browser.newPage({ viewport: { width: 1280, height: 1400 } })
    const errors: string[] = []
    page.on('pageerror', error => errors.push(String(error)))
    // A policy of the page that stops its own scripts is told there.
    page.on('console', message => {
      if (/content.security.policy/i.test(message.text())) errors.push(message.text())
    })
    try {
      await page.goto(`${server.base}/extensions/docs/`)
      await work(page)
      if (PICTURES) {
        await mkdir(PICTURES, { recursive: true })
        await page.screenshot({ path: join(PICTURES, `${name}.png`) })
      }
      expect(errors).toEqual([])
    } finally {
      await page.close()
      await server.close()
    }
  }

  async function authorize(page: Page, username: string, password: string): Promise<void> {
    await page.locator('.scheme-container .btn.authorize').click()
    await page.locator('#oauth_username').fill(username)
    await page.locator('#oauth_password').fill(password)
    await page.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click()
    await page.locator('.dialog-ux .errors, .dialog-ux .btn.auth:has-text("Logout")').first().waitFor()
  }

  /** What the page shows of the caller's entries that are not published. */
  async function unpublished(page: Page): Promise<string[]> {
    await page.locator('.dialog-ux .btn-done').first().click()
    const operation = page.locator('[id$="-postEntriesQuery"]')
    await operation.locator('.opblock-summary-control').click()
    const body = { owner: 'staging', required: { include: ['entry_id', 'upload_name', 'published'] } }
    await operation.locator('textarea.body-param__text').fill(JSON.stringify(body))
    await operation.locator('.btn.execute').click()
    const answer = await operation
      .locator('.live-responses-table .response-col_description code')
      .first()
      .innerText()
    return (JSON.parse(answer) as { data: { entry_id: string }[] }).data.map(entry => entry.entry_id)
  }

  test('signs in with a built-in account, and the page lists the caller’s own unpublished entries', async () => {
    const services = await openTestServices('embedded')
    await importCorpus(CORPUS, services)
    const [ines] = await services.documents.usersByName(['ines.albrecht'])
    await setPassword(ines?.user_id as string, 'a long enough password', services.accounts)
    await withPage(services, 'built-in', async page => {
      await authorize(page, 'ines.albrecht', 'a long enough password')
      expect(await unpublished(page)).toContain(ENTRY)
    })
  })

  test('says that a password is wrong', async () => {
    const services = await openTestServices('embedded')
    await withPage(services, 'wrong', async page => {
      await authorize(page, 'nobody', 'a long enough password')
      expect(await page.locator('.dialog-ux .errors').innerText()).toContain('Unauthorized')
    })
  })

  test.runIf(keycloak)('signs in with Keycloak', async () => {
    const services = await openTestServices('embedded', {
      SERAI_OIDC_ISSUER: `${keycloak}/realms/${REALM}`,
      SERAI_OIDC_CLIENT_ID: 'nomad_public'
    })
    const file = join(CORPUS, `uploads/${UPLOAD}/index/${ENTRY}.json.gz`)
    const document = JSON.parse(gunzipSync(await readFile(file)).toString()) as IndexDocument
    const tess = { user_id: TESS, name: 'Tess Tester' }
    await services.index.put([{ ...document, main_author: tess, viewers: [tess], viewer_groups: [] }])
    await withPage(services, 'keycloak', async page => {
      await authorize(page, 'test', 'password')
      expect(await unpublished(page)).toEqual([ENTRY])
    })
  })
})
