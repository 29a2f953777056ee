/** Every curl command of the README and the users' guide answers 200 on the example data. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addDemoUsers, DEMO_PASSWORD } from '../src/cli/demo-users.ts'
import { openCorpusServices, profiles, type TestServer, testServer } from './app.ts'

/** The address that the documents write. */
const WRITTEN_BASE = /\{base\}|http:\/\/127\.0\.0\.1:8000\/api\/v1/g

interface Command {
  readonly url: string
  readonly headers: Record<string, string>
  readonly body?: string
  readonly method?: string
}

/** Words of shell text in which only quotes and blanks matter; an unquoted line break ends a command. */
function commandsOf(text: string): string[][] {
  const tokens = text.replace(/\\\n/g, ' ').matchAll(/'([^']*)'|"([^"]*)"|([^\s'"]+)|(\n)/g)
  const commands: string[][] = [[]]
  for (const [, single, double, bare, end] of tokens) {
    if (end) commands.push([])
    else commands.at(-1)?.push(single ?? double ?? bare ?? '')
  }
  return commands.filter(words => words[0] === 'curl')
}

function command([, ...words]: string[]): Command {
  const headers: Record<string, string> = {}
  let url = ''
  let body: string | undefined
  let method: string | undefined
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string
    const value = words[i + 1] ?? ''
    if (word === '-I') {
      method = 'HEAD'
      continue
    }
    if (word === '-H') {
      const [name, ...rest] = value.split(': ')
      headers[name as string] = rest.join(': ')
    } else if (word === '-d') body = value
    else if (word === '-X') method = value
    else if (!['-o', '-C', '--retry', '--etag-save'].includes(word)) {
      if (word.startsWith('-')) throw new Error(`this test does not know curl's ${word}`)
      url = word
      continue
    }
    i++
  }
  // What curl says of a body.
  if (body !== undefined) headers['Content-Type'] ??= 'application/x-www-form-urlencoded'
  return { url, headers, ...(body !== undefined ? { body } : {}), ...(method ? { method } : {}) }
}

const shown = ['README.md', 'docs/users-guide.md'].flatMap(file => {
  const text = readFileSync(join(import.meta.dirname, '..', file), 'utf8')
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block]) =>
    commandsOf(block as string).map(words => [`${file}: ${words[1]}`, command(words)] as const)
  )
})

test('the documents show commands', () => {
  expect(shown.length).toBeGreaterThan(15)
})

describe.each(profiles())('documents on %s', profile => {
  let server: TestServer
  /** That of the person whom the documents sign in. */
  let token: string | undefined

  beforeAll(async () => {
    const services = await openCorpusServices(profile)
    await addDemoUsers([join(import.meta.dirname, '../fixtures/corpus')], services)
    token = (await services.identity.signIn('ines.albrecht', DEMO_PASSWORD, true))?.access_token
    server = await testServer(services)
  })
  afterAll(() => server.close())

  test.each(shown)('%s', async (_name, { url, headers, body, method }) => {
    const authorization = headers.Authorization && `Bearer ${token}`
    const response = await fetch(url.replace(WRITTEN_BASE, server.base), {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { ...headers, ...(authorization ? { Authorization: authorization } : {}) },
      ...(body !== undefined ? { body } : {})
    })
    const answer = await response.text()
    expect(response.status, answer.slice(0, 500)).toBe(200)
    if (!response.headers.get('content-type')?.startsWith('application/json')) return
    const { data, aggregations } = JSON.parse(answer) as { data?: unknown; aggregations?: unknown }
    if (aggregations) {
      expect(JSON.stringify(aggregations)).not.toContain('"data":[]')
      return
    }
    // An example that finds nothing shows nothing.
    if (Array.isArray(data)) expect(data.length).toBeGreaterThan(0)
  })
})
