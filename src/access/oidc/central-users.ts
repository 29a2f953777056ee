/** The persons of a central installation, by its own API: an Oasis with central user management (`auth.md` §5). */
import type { KnownPerson } from './directory.ts'
import { fetchJson, withoutSlash } from './fetch-json.ts'

/**
 * A function that asks for a person by id; it throws when the server does not answer.
 * @param url address of its API, `https://…/api/v1`
 */
export function centralUsers(url: string) {
  return async (userId: string): Promise<KnownPerson | undefined> => {
    const address = `${withoutSlash(url)}/users?${new URLSearchParams({ user_id: userId })}`
    const { status, body } = await fetchJson(address)
    if (status !== 200) throw new Error(`${address} answers ${status}`)
    const found = ((body as { data?: Record<string, string | undefined>[] }).data ?? []).find(
      user => user.user_id === userId
    )
    if (!found) return undefined
    const { affiliation, affiliation_address } = found
    return {
      username: found.username ?? userId,
      first_name: found.first_name ?? '',
      last_name: found.last_name ?? '',
      ...(affiliation !== undefined ? { affiliation } : {}),
      ...(affiliation_address !== undefined ? { affiliation_address } : {})
    }
  }
}
