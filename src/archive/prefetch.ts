/**
 * Which blocks a `required` needs, told from the table of contents alone: they are fetched at once, so that reading
 * does not go down the tree block by block.
 */
import type { Place, Run } from './contents.ts'
import { indexRange, isWrong, type ListIndex, type Required, type RequiredMembers } from './required.ts'
import { piecesOf, type StoredArchive, wantAll } from './stored-archive.ts'

/** Wants the blocks that `required` needs of a whole archive. */
export function wantRequired(archive: StoredArchive, required: Required): void {
  want(archive, archive.root.place!, required)
}

/** Wants the blocks that `required` needs of what stands at a path. */
export function wantPath(
  archive: StoredArchive,
  steps: readonly (string | number)[],
  required: Required
): void {
  let place = archive.root.place
  for (const step of steps) {
    if (!place) return
    wantHere(archive, place, typeof step === 'number' ? { at: step } : undefined)
    place = place.below?.at.get(String(step))
  }
  if (place) want(archive, place, required)
}

function want(archive: StoredArchive, place: Place, required: Required, index?: ListIndex): void {
  if (typeof required === 'string' && !index) {
    wantAll(archive, place)
    return
  }
  wantHere(archive, place, index)
  const { below } = place
  if (!below) return
  if (below.length !== undefined) {
    const range = indexRange(index, below.length)
    for (const [key, at] of below.at) {
      const i = Number(key)
      if (range && i >= range[0] && i < range[1]) want(archive, at, required)
    }
  } else if (typeof required === 'object') wantMembers(archive, below.at, required)
  else wantAll(archive, place)
}

function wantMembers(
  archive: StoredArchive,
  at: ReadonlyMap<string, Place>,
  { members, others }: RequiredMembers
): void {
  const named = new Set<string>()
  for (const { name, index, value } of members) {
    named.add(name)
    const place = at.get(name)
    if (place && value !== 'exclude' && !isWrong(value)) want(archive, place, value, index)
  }
  if (others === undefined) return
  for (const [name, place] of at) if (!named.has(name)) want(archive, place, others)
}

/** Wants the blocks of a value itself; of a list in runs only the runs of the range. */
function wantHere(archive: StoredArchive, place: Place, index: ListIndex | undefined): void {
  if (place.kind !== 'list' || !index) {
    for (const piece of piecesOf(place)) archive.want(piece)
    return
  }
  const length = place.runs.reduce((sum, run) => sum + run.count, 0)
  const range = indexRange(index, length)
  if (!range) return
  for (const { run, start } of runsWithStart(place.runs)) {
    if (start < range[1] && start + run.count > range[0]) archive.want(run.piece)
  }
}

function* runsWithStart(runs: readonly Run[]): Generator<{ run: Run; start: number }> {
  let start = 0
  for (const run of runs) {
    yield { run, start }
    start += run.count
  }
}
