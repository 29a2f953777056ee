/** `serai token`: an app token for a person who is known to the store (`auth.md` §2). */
import { signAppToken } from '../access/app-token.ts'
import { loadConfig, type Overrides } from '../config.ts'
import { openServices } from '../services.ts'
import { recordCommand } from './audit.ts'
import { personNamed } from './person.ts'

/**
 * Prints the token to standard output.
 * @throws Error when the person is unknown, or the time is not one that the settings allow (`auth.md` §3.4)
 */
export async function printToken(name: string, expiresIn: string, overrides: Overrides): Promise<void> {
  const config = loadConfig(overrides)
  const longest = config.access.appTokenMaxExpiresIn
  const seconds = Number(expiresIn)
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > longest) {
    throw new Error(`--expires-in must be a whole number from 1 to ${longest}, not ${expiresIn}`)
  }
  const services = await openServices(config)
  try {
    const user = await personNamed(name, services.documents)
    const expires = Math.floor(Date.now() / 1000) + seconds
    const token = await signAppToken(user.user_id, expires, services.apiSecret)
    recordCommand(services, 'app-token.made', {
      about: user.user_id,
      expires: new Date(expires * 1000).toISOString()
    })
    process.stdout.write(`${token}\n`)
  } finally {
    await services.close()
  }
}
