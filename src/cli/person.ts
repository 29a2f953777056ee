/** Finding the person that a command is about. */
import type { DocumentStore, User } from '../storage/documents.ts'

/**
 * The person of a user id or a user name.
 * @throws Error when there is none, or several have the name
 */
export async function personNamed(name: string, documents: DocumentStore): Promise<User> {
  const byId = await documents.user(name)
  if (byId) return byId
  const found = await documents.usersByName([name])
  if (found.length > 1) {
    const ids = found.map(user => user.user_id).sort()
    throw new Error(`there are ${ids.length} users ${name}; say which by its id: ${ids.join(', ')}`)
  }
  if (!found[0]) throw new Error(`there is no user ${name}`)
  return found[0]
}
