/** Reading of JSON that strangers send. */

/** Deepest JSON that is read; what handles it later may be recursive. */
export const MAX_JSON_DEPTH = 256

/**
 * Parses JSON.
 * @throws SyntaxError when it is none, or nested too deeply
 */
export function parseJsonText(text: string): unknown {
  let depth = 0
  let inText = false
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (inText) {
      if (unit === BACKSLASH) i++
      else if (unit === QUOTE) inText = false
    } else if (unit === QUOTE) inText = true
    else if (unit === OPEN_OBJECT || unit === OPEN_LIST) {
      if (++depth > MAX_JSON_DEPTH)
        throw new SyntaxError(`More than ${MAX_JSON_DEPTH} levels at position ${i}`)
    } else if (unit === CLOSE_OBJECT || unit === CLOSE_LIST) depth--
  }
  return JSON.parse(text)
}

const QUOTE = 34
const BACKSLASH = 92
const OPEN_LIST = 91
const CLOSE_LIST = 93
const OPEN_OBJECT = 123
const CLOSE_OBJECT = 125
