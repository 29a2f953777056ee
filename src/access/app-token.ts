/**
 * App tokens: JWT, HS256 over the API secret, payload exactly `{user, exp}` (`auth.md` §2, §2.2).
 */
import { decodeJwt, errors, jwtVerify, SignJWT } from 'jose'
import { failure, SeraiError } from '../errors.ts'

/** Whether a bearer value is, by its payload alone, an app token; its signature is not looked at. */
export function isAppToken(token: string): boolean {
  try {
    return Object.keys(decodeJwt(token)).sort().join() === 'exp,user'
  } catch {
    return false
  }
}

/** What a valid app token says. */
export interface VerifiedAppToken {
  readonly userId: string
  /** Seconds since 1970. */
  readonly expires: number
}

/**
 * Checks an app token.
 * @throws SeraiError TOKEN_EXPIRED, TOKEN_INVALID, TOKEN_PAYLOAD (401)
 */
export async function verifyAppToken(token: string, secret: string): Promise<VerifiedAppToken> {
  if (!isAppToken(token)) throw failure('TOKEN_INVALID')
  try {
    const { payload } = await jwtVerify(token, new TextEncoder().encode(secret), { algorithms: ['HS256'] })
    const { user, exp } = payload
    if (typeof user !== 'string' || typeof exp !== 'number') throw failure('TOKEN_PAYLOAD')
    return { userId: user, expires: exp }
  } catch (error) {
    if (error instanceof SeraiError) throw error
    throw failure(error instanceof errors.JWTExpired ? 'TOKEN_EXPIRED' : 'TOKEN_INVALID')
  }
}

/**
 * A new app token.
 * @param expires seconds since 1970
 */
export async function signAppToken(userId: string, expires: number, secret: string): Promise<string> {
  // The order of the claims is part of the test vectors in auth.md §2.2.
  return new SignJWT({ user: userId, exp: expires })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(new TextEncoder().encode(secret))
}
