/**
 * Who is asking: anonymous, or a known person (`auth.md` §4). Issuing tokens is not done here.
 */

import { failure } from '../errors.ts'
import type { DocumentStore, User } from '../storage/documents.ts'
import { isAppToken, verifyAppToken } from './app-token.ts'

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

/** What {@link identify} needs. */
export interface Identification {
  readonly documents: Pick<DocumentStore, 'user' | 'groupIdsOf'>
  /** Secret of the app tokens. */
  readonly secret: string
}

/**
 * The caller of an `Authorization` header. Another scheme than `Bearer` counts as absent, and so does a personal
 * access token that is not known (`auth.md` §3.5).
 * @throws SeraiError TOKEN_EXPIRED, TOKEN_INVALID, TOKEN_PAYLOAD, CREDENTIALS_INVALID (all 401)
 */
export async function identify(authorization: string | undefined, via: Identification): Promise<Caller> {
  const bearer = authorization?.match(/^bearer(?:\s+(.*))?$/is)
  if (!bearer) return ANONYMOUS
  const token = (bearer[1] ?? '').trim()
  if (token.startsWith('nomad_pat_')) return ANONYMOUS
  if (!isAppToken(token)) throw failure('CREDENTIALS_INVALID')

  const userId = await verifyAppToken(token, via.secret)
  const user = await via.documents.user(userId)
  if (!user) throw failure('TOKEN_PAYLOAD')
  return {
    user,
    groupIds: [...(await via.documents.groupIdsOf(userId)), EVERYBODY],
    isAdmin: user.is_admin === true
  }
}
