/** What kind of file it is, by its first bytes. */
import { fileTypeFromBuffer } from 'file-type'

/** How many bytes of a file are looked at (`search.md` §7.4). */
export const SNIFFED_BYTES = 2048

/** Kinds that a browser would run scripts of. They are text or XML as well, and are called so. */
const ACTIVE: Readonly<Record<string, string>> = {
  'text/html': 'text/plain',
  'application/xhtml+xml': 'text/xml',
  'image/svg+xml': 'text/xml',
  'application/xml': 'text/xml',
  'application/javascript': 'text/plain',
  'text/javascript': 'text/plain'
}

/** Control characters that no text holds. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const NO_TEXT = /[\0-\x06\x0e-\x1a\x1c-\x1f]/

/** The same for text in ISO 8859, which has more of them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const NO_LATIN = /[\0-\x06\x0e-\x1a\x1c-\x1f\x7f-\x9f]/

/**
 * The media type of a file.
 * @param start its first bytes, up to {@link SNIFFED_BYTES}
 * @param name tells JSON where its beginning alone does not
 */
export async function mediaType(start: Uint8Array, name: string): Promise<string> {
  const known = await fileTypeFromBuffer(start)
  if (known) return ACTIVE[known.mime] ?? known.mime
  const text = asText(start)
  if (text !== undefined) {
    return isJson(text, start.length < SNIFFED_BYTES, name) ? 'application/json' : 'text/plain; charset=utf-8'
  }
  // Old programs wrote one byte a letter.
  return NO_LATIN.test(Buffer.from(start).toString('latin1'))
    ? 'application/octet-stream'
    : 'text/plain; charset=iso-8859-1'
}

/** The text that the bytes are, UTF-8 that may be cut off at its end. */
function asText(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return NO_TEXT.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

function isJson(text: string, complete: boolean, name: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false
  if (!complete) return name.toLowerCase().endsWith('.json')
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
