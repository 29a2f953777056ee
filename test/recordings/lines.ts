/** The recorded answers of the reference (fixtures/recordings), and what may differ from them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Answer, judge, type RecordedLine } from './judgement.ts'

const FOLDER = join(import.meta.dirname, '../../fixtures/recordings')

/** Operations that are not there yet, by method and path. */
const COMING: readonly RegExp[] = [/^GET \/uploads\/(?:command-examples|[^/]+\/bundle)$/, /^GET \/systems\b/]

/** A difference that stays. */
interface Explained {
  /** Where it is; each place must differ, else it is no difference any more. */
  readonly at: readonly RegExp[]
  readonly why: string
}

/** The reference's index forgets `n_quantities` of unpublished entries when their datasets are edited. */
const FORGOTTEN = 'n_quantities survives an edit of datasets'

/** Entries whose processing failed have no archive. */
const UNVERSIONED =
  'entries without archive have no version: imported data does not tell what failed to process them'

/** Differences that stay, by line; docs/compatibility.md tells them too. */
const EXPLAINED: Readonly<Record<string, Explained>> = {
  'search-get-082': {
    at: [/^\$\.data\.nomad_version$/, /^\$\.data\.nomad_commit$/, /^\$\.data\.nomad_distro_commit_url$/],
    why: UNVERSIONED
  },
  'aggregations-078': { at: [/\.histogram\.interval$/, /\.histogram\.data\b/], why: FORGOTTEN },
  'aggregations-121': { at: [/\.statistics\.data\.n_quantities$/], why: FORGOTTEN },
  'entities-077': {
    at: [/\[0\]\.entry_metadata\.nomad_(?:version|commit|distro_commit_url)$/],
    why: UNVERSIONED
  },
  'entities-089': {
    at: [/\.entry_metadata\.nomad_(?:version|commit|distro_commit_url)$/],
    why: UNVERSIONED
  },
  'entities-084': { at: [/\.entry_metadata\.n_quantities$/], why: FORGOTTEN },
  'entities-085': { at: [/\.entry_metadata\.n_quantities$/], why: FORGOTTEN },
  'entities-086': { at: [/\.entry_metadata\.n_quantities$/], why: FORGOTTEN },
  'aggregations-132': { at: [/\.b\.min_max\.data\[1\]$/], why: FORGOTTEN }
}

function isComing({ request }: RecordedLine): boolean {
  const operation = `${request.method} ${request.path.split('?')[0]}`
  return COMING.some(pattern => pattern.test(operation))
}

/** Names of the files with recordings. */
export const areas: readonly string[] = readdirSync(FOLDER).filter(name => name.endsWith('.jsonl'))

/** The recordings of a file. */
export function linesOf(file: string): RecordedLine[] {
  const text = readFileSync(join(FOLDER, file), 'utf8')
  return text.split('\n').flatMap(line => (line ? [JSON.parse(line) as RecordedLine] : []))
}

/** What is wrong with an answer, in words; also that it does not differ where it is said to. */
export function faultsOf(line: RecordedLine, answer: Answer): string[] {
  // A wrong token is told before anything else, also where there is nothing else yet.
  if (isComing(line) && answer.status === 501) return []
  const { at = [] } = EXPLAINED[line.id] ?? {}
  const found = judge(line, answer).filter(difference => !difference.soft)
  const unmet = at.filter(place => !found.some(difference => place.test(difference.path)))
  const hard = found.filter(difference => !at.some(place => place.test(difference.path)))
  return [
    ...unmet.map(place => `${place}: does not differ any more`),
    ...hard.map(d => `${d.path}: want ${JSON.stringify(d.want)}, got ${JSON.stringify(d.got)}`)
  ]
}
