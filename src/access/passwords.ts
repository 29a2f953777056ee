/**
 * Passwords: argon2id, which Node brings along, kept as one text in the usual form that holds its parameters and its salt
 * (`$argon2id$v=19$m=…,t=…,p=…$salt$digest`).
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

/** Length of a password in characters; the upper bound keeps a request from costing more than one digest. */
const SHORTEST = 8
const LONGEST = 256

/** Memory in KiB, passes, lanes: what OWASP recommends as the least, some 20 ms. */
const COSTS = { memory: 19_456, passes: 2, parallelism: 1 } as const

const SALT_BYTES = 16
const DIGEST_BYTES = 32

const KEPT = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([\w+/-]+)\$([\w+/-]+)$/

const argon2Async = promisify(argon2)

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
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const digest = await digestOf(password, salt, COSTS, DIGEST_BYTES)
  const { memory, passes, parallelism } = COSTS
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(digest)}`
}

/**
 * Whether this is the password that was kept; digests are compared in constant time.
 * @param kept undefined when there is none: the answer is false, and takes as long
 */
export async function isPassword(password: string, kept: string | undefined): Promise<boolean> {
  if ([...password].length > LONGEST) return false
  const [, memory, passes, parallelism, salt = '', digest = ''] = KEPT.exec(kept ?? '') ?? []
  if (memory === undefined) {
    await digestOf(password, Buffer.alloc(SALT_BYTES), COSTS, DIGEST_BYTES)
    return false
  }
  const costs = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) }
  const expected = Buffer.from(digest, 'base64')
  const found = await digestOf(password, Buffer.from(salt, 'base64'), costs, expected.length)
  return timingSafeEqual(found, expected)
}

/** One password may be typed in several forms of Unicode. */
function digestOf(
  password: string,
  nonce: Buffer,
  costs: { memory: number; passes: number; parallelism: number },
  tagLength: number
): Promise<Buffer> {
  return argon2Async('argon2id', { message: password.normalize(), nonce, tagLength, ...costs })
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
