/** An OpenID Connect provider of a test: a real HTTP server with keys of its own, which can be told to misbehave. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'

interface Key {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

/** The provider. */
export class OidcServer {
  readonly #server: Server
  readonly #keys: Key[] = []
  /** What was asked, as method and path. */
  readonly asked: string[] = []
  /** The form of the latest sign-in. */
  form: URLSearchParams | undefined
  /** Answers of the token endpoint, before its own; status and JSON or text. */
  tokenAnswer: { status: number; body: unknown } | undefined
  /** Persons of the admin API by id. */
  persons: Record<string, unknown> = {}
  /** Status that the admin API answers with, before its own. */
  directoryStatus: number | undefined

  private constructor(server: Server) {
    this.#server = server
  }

  /** Listens on a free port, with one key. */
  static async start(): Promise<OidcServer> {
    const server = createServer()
    const provider = new OidcServer(server)
    server.on('request', (request, response) => void provider.#answer(request, response))
    await provider.addKey('first')
    await provider.listen(0)
    return provider
  }

  async listen(port = this.#port): Promise<void> {
    await new Promise<void>(resolve => this.#server.listen(port, '127.0.0.1', resolve))
    this.#port = (this.#server.address() as AddressInfo).port
  }
  #port = 0

  /** Goes away; {@link listen} brings it back at the same address. */
  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  get issuer(): string {
    return `http://127.0.0.1:${this.#port}/realms/test`
  }

  /** A further key, published from now on. */
  async addKey(kid: string): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
    this.#keys.push({
      kid,
      privateKey,
      jwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' }
    })
  }

  /** Takes a key back. */
  removeKey(kid: string): void {
    const i = this.#keys.findIndex(key => key.kid === kid)
    this.#keys.splice(i, 1)
  }

  /** A token with these claims beside `iss`, `iat`, `exp`; undefined ones are left out. */
  async token(claims: JWTPayload, kid = 'first', header: Record<string, unknown> = {}): Promise<string> {
    const key = this.#keys.find(one => one.kid === kid) as Key
    const now = Math.floor(Date.now() / 1000)
    return new SignJWT({
      iss: this.issuer,
      iat: now,
      exp: now + 300,
      aud: 'account',
      typ: 'Bearer',
      ...claims
    })
      .setProtectedHeader({ alg: 'RS256', kid, ...header })
      .sign(key.privateKey)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? ''
    this.asked.push(`${request.method} ${path}`)
    let body = ''
    for await (const part of request) body += String(part)
    const send = (status: number, value: unknown) => {
      response.statusCode = status
      response.setHeader('content-type', 'application/json')
      response.end(typeof value === 'string' ? value : JSON.stringify(value))
    }
    if (path.endsWith('/.well-known/openid-configuration')) {
      return send(200, {
        issuer: this.issuer,
        jwks_uri: `${this.issuer}/certs`,
        token_endpoint: `${this.issuer}/protocol/openid-connect/token`
      })
    }
    if (path.endsWith('/certs')) return send(200, { keys: this.#keys.map(key => key.jwk) })
    if (path.endsWith('/token')) {
      this.form = new URLSearchParams(body)
      if (this.tokenAnswer) return send(this.tokenAnswer.status, this.tokenAnswer.body)
      if (this.form.get('password') === 'wrong') return send(401, { error: 'invalid_grant' })
      const access_token = await this.token({ sub: 'ann-id', preferred_username: 'ann' })
      return send(200, {
        access_token,
        expires_in: 300,
        refresh_token: 'r',
        refresh_expires_in: 1800,
        scope: 'profile'
      })
    }
    const id = /\/users\/([^/]+)$/.exec(path)?.[1]
    if (id && this.directoryStatus) return send(this.directoryStatus, {})
    if (id && this.persons[id]) return send(200, this.persons[id])
    return send(404, { error: 'not found' })
  }
}
