/** `serai token`: an app token for a person who is known to the store (`auth.md` §2). */
import { signAppToken } from '../access/app-token.ts'
import { loadConfig, type Overrides } from '../config.ts'
import { openServices } from '../services.ts'

/** Longest life of an app token in seconds: 30 days (`auth.md` §3.4). */
const LONGEST = 2_592_000

/**
 * Prints the token to standard output.
 * @throws Error when the person is unknown or the time is not 1 to 2592000 seconds
 */
export async function printToken(name: string, expiresIn: string, overrides: Overrides): Promise<void> {
  const seconds = Number(expiresIn)
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > LONGEST) {
    throw new Error(`--expires-in must be a whole number from 1 to ${LONGEST}, not ${expiresIn}`)
  }
  const services = await openServices(loadConfig(overrides))
  try {
    const user = (await services.documents.user(name)) ?? (await services.documents.userByName(name))
    if (!user) throw new Error(`there is no user ${name}`)
    const expires = Math.floor(Date.now() / 1000) + seconds
    process.stdout.write(`${await signAppToken(user.user_id, expires, services.apiSecret)}\n`)
  } finally {
    await services.close()
  }
}
