/** Audit lines of commands: by whom of the machine, as nobody is signed in there. */
import { userInfo } from 'node:os'
import type { AuditDetails, AuditName } from '../access/audit.ts'
import type { Services } from '../services.ts'

/**
 * Tells that a command has done something. Where there is no file for it the line goes to standard error.
 * @throws SeraiError STORE_UNUSABLE
 */
export function recordCommand({ audit }: Services, event: AuditName, details: AuditDetails): void {
  const line = { event, outcome: 'done', ...details, ...systemUser() } as const
  if (audit) audit.record(line)
  else process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), audit: true, ...line })}\n`)
}

/** In a container there may be none. */
function systemUser(): { system_user?: string } {
  try {
    return { system_user: userInfo().username }
  } catch {
    return {}
  }
}
