/** Members of definitions of sections, as packages have them. */

/** A quantity. @param shape one text for each dimension */
export const quantity = (name: string, type: unknown, shape: string[] = []) => ({ name, type, shape })

/** The type of a quantity. */
export const kind = (type_kind: string, type_data: string) => ({ type_kind, type_data })

/** The type of texts. */
export const text = kind('python', 'str')

/** The type of references to a section of the package `test`. */
export const reference = (section: string) => kind('reference', `test.${section}`)

/** A sub-section. */
export const sub = (name: string, section: string, repeats = false) => ({
  name,
  sub_section: section,
  repeats
})
