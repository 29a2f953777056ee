/** `serai keys rotate`: a new key for the access tokens of the built-in accounts. */
import { SigningKeys } from '../access/built-in/signing-keys.ts'
import { loadConfig, type Overrides } from '../config.ts'
import { openServices } from '../services.ts'
import { recordCommand } from './audit.ts'

/** Makes the new key and tells until when the one before verifies. */
export async function rotateKeys(overrides: Overrides): Promise<void> {
  const config = loadConfig(overrides)
  const services = await openServices(config)
  try {
    const { kid, until } = await new SigningKeys(services.accounts).rotate(config.access.accessTokenExpiresIn)
    recordCommand(services, 'keys.rotated', { about: kid })
    process.stdout.write(`access tokens are signed with key ${kid} from now on\n`)
    if (until !== undefined) process.stdout.write(`tokens of the key before stay valid until ${until}\n`)
  } finally {
    await services.close()
  }
}
