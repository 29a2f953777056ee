/**
 * Words of texts in their order, by row: for each place of a chunk in turn its number, the number of words, the words. Several
 * values of a place are kept apart by a 0.
 */
import { hasPlace } from './row-set.ts'

/** New words by place; none: the place has no words any more. */
export type WordChanges = Map<number, number[]>

/** Stored words with the changes; empty when nothing is left. */
export function changeSequences(stored: Uint8Array | undefined, changes: WordChanges): number[] {
  const result: number[] = []
  if (stored) {
    const old = sequenceWords(stored)
    for (let i = 0; i < old.length; ) {
      const end = i + 2 + (old[i + 1] as number)
      if (!changes.has(old[i] as number)) for (let j = i; j < end; j++) result.push(old[j] as number)
      i = end
    }
  }
  for (const [place, words] of changes) {
    if (words.length === 0) continue
    result.push(place, words.length)
    for (const word of words) result.push(word)
  }
  return result
}

/** The places among `candidates`, one chunk of bits, that have the words of the phrase and one of the endings in a row. */
export function placesWithPhrase(
  stored: Uint8Array,
  candidates: Uint32Array,
  phrase: readonly number[],
  endings: ReadonlySet<number>
): number[] {
  const found: number[] = []
  const sequence = sequenceWords(stored)
  for (let i = 0; i < sequence.length; ) {
    const place = sequence[i] as number
    const end = i + 2 + (sequence[i + 1] as number)
    if (hasPlace(candidates, place) && containsPhrase(sequence, i + 2, end, phrase, endings))
      found.push(place)
    i = end
  }
  return found
}

function sequenceWords(stored: Uint8Array): Uint32Array {
  return new Uint32Array(stored.buffer, stored.byteOffset, stored.byteLength / 4)
}

function containsPhrase(
  sequence: Uint32Array,
  from: number,
  to: number,
  phrase: readonly number[],
  endings: ReadonlySet<number>
): boolean {
  for (let i = from; i + phrase.length < to; i++) {
    let n = 0
    while (n < phrase.length && sequence[i + n] === phrase[n]) n++
    if (n === phrase.length && endings.has(sequence[i + n] as number)) return true
  }
  return false
}
