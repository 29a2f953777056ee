/** The JSON text of archives, also of those that never are in memory as a whole. */
import type { JsonText } from '../archive/json-text.ts'
import type { ReadArchive } from '../storage/archive-reader.ts'
import { jsonChunks } from './json-chunks.ts'

/**
 * Writes text that comes in parts.
 * @returns what is worth being sent; what was written last stays in `into`
 */
export function* writtenText(into: JsonText, parts: Iterable<string>): Generator<Buffer> {
  for (const part of parts) {
    into.text(part)
    const bytes = into.part()
    if (bytes) yield bytes
  }
}

/**
 * Writes an object whose last member is an archive.
 * @param head the other members, at least one
 * @param name of the member
 * @returns as {@link writtenText}
 * @throws SeraiError as `StoredText.write`
 */
export async function* withArchive(
  into: JsonText,
  head: object,
  name: string,
  read: ReadArchive
): AsyncGenerator<Buffer> {
  const { indent } = into
  const [line, end, colon] = indent > 0 ? [`\n${' '.repeat(indent)}`, '\n', ': '] : ['', '', ':']
  const begin = JSON.stringify(head, null, indent)
  into.text(`${begin.slice(0, indent > 0 ? begin.lastIndexOf('\n') : -1)},${line}"${name}"${colon}`)
  yield* archiveText(into, read, 1)
  into.text(`${end}}`)
}

/** Writes an archive. @param level levels above it @returns as {@link writtenText} @throws SeraiError as `StoredText.write` */
export async function* archiveText(
  into: JsonText,
  { archive, whole }: ReadArchive,
  level = 0
): AsyncGenerator<Buffer> {
  if (whole) yield* whole.write(into, level)
  else yield* writtenText(into, jsonChunks(archive, into.indent, level))
}
