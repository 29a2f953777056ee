/** The persons of a Keycloak realm, by its admin API (`auth.md` §5, directory mapping). */

import type { KnownPerson } from './directory.ts'
import { fetchJson, withoutSlash } from './fetch-json.ts'

/** How the admin API is reached. */
export interface KeycloakOptions {
  /** Address of the realm, `https://…/realms/<realm>`. */
  readonly issuer: string
  /** Realm of the account that asks; that of the issuer when absent. */
  readonly realm?: string
  /** Grant and credentials of that account, as the token endpoint takes them. */
  readonly grant: Readonly<Record<string, string>>
}

interface Representation {
  readonly username?: string
  readonly email?: string
  readonly firstName?: string
  readonly lastName?: string
  readonly attributes?: Readonly<Record<string, readonly string[] | string>>
}

/**
 * A function that asks for a person by id.
 * @throws Error when the issuer is not the address of a Keycloak realm; the function, when Keycloak does not answer or refuses
 */
export function keycloakUsers({ issuer, realm, grant }: KeycloakOptions) {
  const [, server, users] = /^(.+)\/realms\/([^/]+)$/.exec(withoutSlash(issuer)) ?? []
  if (server === undefined || users === undefined) {
    throw new Error('SERAI_OIDC_DIRECTORY=keycloak needs an issuer of the form https://…/realms/<realm>')
  }
  const admin = `${server}/admin/realms/${users}/users`
  const tokens = `${server}/realms/${realm ?? users}/protocol/openid-connect/token`
  let token: Promise<string> | undefined

  const signIn = async (): Promise<string> => {
    const { status, body } = await fetchJson(tokens, { method: 'POST', body: new URLSearchParams(grant) })
    const { access_token, error } = (body ?? {}) as { access_token?: string; error?: string }
    if (access_token === undefined) throw new Error(`${tokens} answers ${status} ${error ?? ''}`)
    return access_token
  }
  const ask = async (userId: string) => {
    token ??= signIn().catch((error: unknown) => {
      token = undefined
      throw error
    })
    return fetchJson(`${admin}/${encodeURIComponent(userId)}`, {
      headers: { authorization: `Bearer ${await token}` }
    })
  }

  return async (userId: string): Promise<KnownPerson | undefined> => {
    let answer = await ask(userId)
    if (answer.status === 401) {
      token = undefined
      answer = await ask(userId)
    }
    if (answer.status === 404) return undefined
    if (answer.status !== 200) throw new Error(`${admin} answers ${answer.status}`)
    const {
      username = userId,
      email,
      firstName = '',
      lastName = '',
      attributes
    } = answer.body as Representation
    const first = (name: string) => [attributes?.[name]].flat()[0] as string | undefined
    const [affiliation, address] = [first('affiliation'), first('affiliation_address')]
    return {
      username,
      first_name: firstName,
      last_name: lastName,
      ...(email ? { email } : {}),
      ...(affiliation !== undefined ? { affiliation } : {}),
      ...(address !== undefined ? { affiliation_address: address } : {})
    }
  }
}
