/** The JSON text of archives, also of those that are too large to be in memory as a whole. */
import type { ArchivePart, ArchiveParts } from '../archive/parts.ts'
import type { ReadArchive } from '../storage/archive-reader.ts'
import { jsonChunks, layoutAt, writtenInside } from './json-chunks.ts'

/** Characters of a part, about. */
const PART = 64 * 1024

/** The same text in parts that are worth being sent by themselves. */
export async function* gathered(parts: AsyncIterable<string>): AsyncGenerator<string> {
  let text = ''
  for await (const part of parts) {
    text += part
    if (text.length < PART) continue
    yield text
    text = ''
  }
  if (text !== '') yield text
}

/**
 * An object whose last member is an archive, as JSON in parts.
 * @param head the other members, at least one
 * @param name of the member
 * @param indent blanks by which each level is indented; 0: everything on one line
 */
export async function* withArchive(
  head: object,
  name: string,
  read: ReadArchive,
  indent = 0
): AsyncGenerator<string> {
  const [line, end, colon] = indent > 0 ? [`\n${' '.repeat(indent)}`, '\n', ': '] : ['', '', ':']
  const begin = JSON.stringify(head, null, indent)
  yield `${begin.slice(0, indent > 0 ? begin.lastIndexOf('\n') : -1)},${line}"${name}"${colon}`
  yield* archiveText(read, indent, 1)
  yield `${end}}`
}

/** An archive as JSON in parts. @param level levels above it */
export async function* archiveText(
  { archive, large }: ReadArchive,
  indent = 0,
  level = 0
): AsyncGenerator<string> {
  if (!large) {
    yield* jsonChunks(archive, indent, level)
    return
  }
  yield* gathered(partsText(withoutTargets(large()), indent, level))
}

/** What every archive of an answer has (`archive.md` §3.6). */
const NO_TARGETS: ArchivePart = { kind: 'members', members: { m_ref_archives: {} } }

async function* withoutTargets(parts: ArchiveParts): ArchiveParts {
  let level = 0
  for await (const part of parts) {
    if (part.kind === 'map' || part.kind === 'list') level++
    if (part.kind === 'end' && --level === 0) yield NO_TARGETS
    yield part
  }
}

async function* partsText(parts: ArchiveParts, indent: number, outer: number): AsyncGenerator<string> {
  /** Closing brackets, and whether something stands before the next item or member. */
  const open: { close: string; begun: boolean }[] = []
  let afterKey = false
  /** What comes before an item or member. */
  const before = (line: boolean): string => {
    const at = open.at(-1)
    if (!at || afterKey) {
      afterKey = false
      return ''
    }
    const comma = at.begun ? ',' : ''
    at.begun = true
    return line ? comma + lineAt(open.length + outer, indent) : comma
  }
  for await (const part of parts) {
    switch (part.kind) {
      case 'map':
      case 'list': {
        const [bracket, close] = part.kind === 'map' ? ['{', '}'] : ['[', ']']
        yield before(true) + bracket
        open.push({ close: close as string, begun: false })
        break
      }
      case 'end': {
        const { close, begun } = open.pop()!
        yield (begun ? lineAt(open.length + outer, indent) : '') + close
        break
      }
      case 'key':
        yield `${before(true)}${JSON.stringify(part.name)}${indent > 0 ? ': ' : ':'}`
        afterKey = true
        break
      case 'value':
        yield before(true)
        yield* jsonChunks(part.value, indent, open.length + outer)
        break
      default: {
        const some = part.kind === 'items' ? part.items : part.members
        const text = writtenInside(some, layoutAt(open.length - 1 + outer, indent))
        if (text !== '') yield before(false) + text
      }
    }
  }
}

function lineAt(level: number, indent: number): string {
  return indent > 0 ? `\n${' '.repeat(level * indent)}` : ''
}
