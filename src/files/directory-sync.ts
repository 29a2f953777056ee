/** Writing so that what was written survives a power cut. */
import { open } from 'node:fs/promises'

/** Makes names that were created or renamed in a directory permanent. */
export async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open directories and needs no such call.
  if (process.platform === 'win32') return
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
