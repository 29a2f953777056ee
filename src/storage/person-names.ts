/**
 * How persons are found by what somebody types of their names (`datasets-users-groups.md` §2). Pure; the stores keep the
 * result beside the person and look for beginnings of it. E-mail addresses are not among it: who could try their
 * beginnings would soon know them.
 */
import type { User } from './documents.ts'

/** Text as it is compared: without case, accents and differences of form, so that `novak` is a beginning of `Novák`. */
export function foldedName(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
}

/** Texts of which a beginning finds the person: first, last and user name, the words of them, and parts of words; folded. */
export function nameTexts({ first_name, last_name, username }: User): string[] {
  const names = [first_name, last_name, username].map(name => foldedName(name).trim())
  const words = names.flatMap(name => name.split(/\s+/))
  const parts = words.flatMap(word => word.split(/[^\p{L}\p{N}]+/u))
  return [...new Set([...names, ...words, ...parts])].filter(text => text !== '')
}

/** What was typed as beginnings that must all be there: its words, folded; none for blank text. */
export function typedNames(typed: string): string[] {
  return [...new Set(foldedName(typed).split(/\s+/))].filter(text => text !== '')
}

/** The least text that is greater than every text with this beginning, in the order of UTF-8 bytes. */
export function afterBeginning(beginning: string): string {
  return `${beginning}\u{10FFFF}`
}
