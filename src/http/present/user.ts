/** A person as clients see one (`datasets-users-groups.md` §2). E-mail addresses are shown to their owners only. */
import { capitalised, personName } from '../../processing/people.ts'
import type { User } from '../../storage/documents.ts'

/** What everybody may know of a person; what is not known is left out. */
export function presentPerson(user: User) {
  const { affiliation, affiliation_address, user_id, username } = user
  return {
    name: personName(user),
    first_name: capitalised(user.first_name),
    last_name: capitalised(user.last_name),
    ...(affiliation !== undefined ? { affiliation } : {}),
    ...(affiliation_address !== undefined ? { affiliation_address } : {}),
    user_id,
    username
  }
}

/** A person to themselves: everything, with null for what is not known. */
export function presentMe(user: User) {
  return {
    ...presentPerson(user),
    email: user.email ?? null,
    affiliation: user.affiliation ?? null,
    affiliation_address: user.affiliation_address ?? null,
    created: null,
    repo_user_id: null,
    is_admin: user.is_admin === true,
    is_oasis_admin: false
  }
}
