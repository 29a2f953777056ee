/** Why a filter cannot be used. */

/**
 * - `syntax`: the text is no filter.
 * - `semantic`: a name is not known, or a value is no value of the property.
 * - `unsupported`: a filter that others may answer, but not Serai.
 *
 * OPTIMADE endpoints answer the first two with 400 and the last with 501; in v1 queries all are 422 (`optimade.md` §1.3, §7).
 */
export type FilterFault = 'syntax' | 'semantic' | 'unsupported'

/** A filter that cannot be used; the message says what and where (line and column from 1). */
export class FilterError extends Error {
  readonly fault: FilterFault

  constructor(fault: FilterFault, message: string) {
    super(message)
    this.name = 'FilterError'
    this.fault = fault
  }
}

/** A fault at an offset of the filter; becomes a {@link FilterError} where the text is at hand. */
export class FaultAt extends Error {
  readonly fault: FilterFault
  readonly at: number

  constructor(fault: FilterFault, at: number, message: string) {
    super(message)
    this.fault = fault
    this.at = at
  }
}

/** Where an offset of a text is, in words. */
export function place(text: string, offset: number): string {
  const { line, column } = position(text, offset)
  return `line ${line}, column ${column}`
}

/** Line and column, both from 1; columns count characters. */
export function position(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split(/\r\n|[\n\r]/)
  return { line: before.length, column: [...(before.at(-1) as string)].length + 1 }
}
