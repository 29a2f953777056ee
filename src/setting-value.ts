/** What the text of a setting stands for, and what it may be, by the schema of the setting. */
import Value from 'typebox/value'

/** A member of the settings' schema. */
export type SettingSchema = Readonly<Record<string, unknown>>

const TRUE = /^(?:true|1|yes|on)$/i
const FALSE = /^(?:false|0|no|off)$/i

/** Text of the environment as the type that the schema asks for; what cannot be converted stays text. */
function settingValue(schema: SettingSchema, text: string): unknown {
  const { type, anyOf } = schema
  if (Array.isArray(anyOf)) return settingValue(anyOf[0], text)
  if (type === 'integer' && /^-?\d+$/.test(text)) return Number(text)
  if (type === 'number' && /^-?(?:\d+\.?\d*|\.\d+)$/.test(text)) return Number(text)
  if (type === 'boolean' && TRUE.test(text)) return true
  if (type === 'boolean' && FALSE.test(text)) return false
  return text
}

/** What a setting may be, in words, by its schema. */
export function acceptedValues(schema: SettingSchema): string {
  if (schema.type === 'integer' || schema.type === 'number') {
    const { minimum, maximum } = schema
    return `a ${schema.type === 'integer' ? 'whole ' : ''}number${minimum !== undefined ? ` from ${minimum}` : ''}${maximum !== undefined ? ` to ${maximum}` : ''}`
  }
  if (schema.type === 'boolean') return 'true or false'
  if (Array.isArray(schema.anyOf))
    return schema.anyOf.some(s => s.type === 'integer')
      ? schema.anyOf.map(s => s.const ?? acceptedValues(s)).join(' or ')
      : `one of ${schema.anyOf.map(s => s.const).join(', ')}`
  if (schema.minLength !== undefined && !schema.pattern)
    return schema.minLength === 1
      ? 'text that is not empty'
      : `text of at least ${schema.minLength} characters`
  return `text of the form ${schema.pattern}`
}

/**
 * The value of a setting, its default where it is not given; undefined where it has none, or is wrong.
 * @param text an empty one counts as not given: compose files write variables so
 * @param setting how the setting is named, and whether its value is not to be repeated
 * @param problems gets one line when it is wrong
 */
export function checkedSetting(
  schema: SettingSchema,
  text: string | undefined,
  { told, isSecret }: { readonly told: string; readonly isSecret: boolean },
  problems: string[]
): unknown {
  if (text === undefined || text === '') return schema.default
  const value = settingValue(schema, text)
  if (Value.Check(schema, value)) return value
  problems.push(`${told}${isSecret ? '' : ` is "${text}", but`} must be ${acceptedValues(schema)}`)
  return undefined
}

/** Items of a setting that has several, separated by commas. */
export function listedItems(text: string): string[] {
  return text
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '')
}
