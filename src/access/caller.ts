/** Who is asking: anonymous, or a known person (`auth.md` §4). How that is found out: `authenticator.ts`. */
import type { User } from '../storage/documents.ts'

/** The group that everybody belongs to, also anonymous callers (`search.md` §2). It is not a document. */
export const EVERYBODY = 'all'

/** Who is asking, and what the visibility rules need to know of them. */
export interface Caller {
  /** Absent for an anonymous caller. */
  readonly user?: User
  /** Groups the caller owns or belongs to, and always {@link EVERYBODY}. */
  readonly groupIds: readonly string[]
  readonly isAdmin: boolean
}

/** Nobody in particular. */
export const ANONYMOUS: Caller = Object.freeze({ groupIds: [EVERYBODY], isAdmin: false })
