/** Passwords: argon2id, stored as one text that holds its own parameters and salt. */
import { randomBytes } from 'node:crypto'
import { hash, type Options, verify } from '@node-rs/argon2'

/** Length of a password in characters. The bound keeps a sign-in from costing more than one hash. */
const SHORTEST = 8
const LONGEST = 256

/** What OWASP recommends as the least: 19 MiB and two passes, some 20 ms. The library's algorithm is argon2id. */
const COSTS: Options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** What is compared with where there is no account, so that the time of an answer does not tell. No password fits it. */
const NOBODY =
  '$argon2id$v=19$m=19456,t=2,p=1$c2VyYWktc2VyYWktc2VyYQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'

/** What is wrong with a password that somebody wants, in words; undefined when nothing is. */
export function passwordProblem(password: string): string | undefined {
  const { length } = [...password]
  if (length < SHORTEST) return `a password needs at least ${SHORTEST} characters`
  if (length > LONGEST) return `a password may have at most ${LONGEST} characters`
  return undefined
}

/** A random password of 96 bits. */
export function newPassword(): string {
  return randomBytes(12).toString('base64url')
}

/** The text to keep of a password. */
export function hashPassword(password: string): Promise<string> {
  return hash(password.normalize(), COSTS)
}

/**
 * Whether this is the password that was kept; digests are compared in constant time.
 * @param kept undefined when there is none: takes as long and is false
 */
export async function isPassword(password: string, kept: string | undefined): Promise<boolean> {
  if ([...password].length > LONGEST) return false
  const fits = await verify(kept ?? NOBODY, password.normalize())
  return fits && kept !== undefined
}
