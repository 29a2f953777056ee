/** Random archives: some strings and lists are long, so that all ways of cutting occur. */
import fc from 'fast-check'
import type { JsonObject } from '../../src/archive/definitions.ts'

/** A JSON object. */
export function arbitraryArchive(): fc.Arbitrary<JsonObject> {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true })
  const plain = fc.oneof(number, fc.integer(), fc.boolean(), fc.constant(null), fc.string())
  const key = fc.oneof(fc.string(), fc.constantFrom('__proto__', '\0__proto__', '0', 'a"b\\'))
  const long = fc.oneof(
    fc.string({ minLength: 1 }).map(s => s.repeat(3000)),
    fc
      .array(number, { minLength: 1, maxLength: 3 })
      .map(a => Array.from({ length: 9000 }, (_, i) => a[i % a.length])),
    fc.array(number, { minLength: 1, maxLength: 3 }).map(a => Array.from({ length: 3000 }, () => a)),
    fc
      .dictionary(key, plain, { noNullPrototype: true, maxKeys: 4 })
      .map(m => Array.from({ length: 3000 }, () => m)),
    fc
      .array(number, { minLength: 400, maxLength: 400 })
      .map(values => Array.from({ length: 100 }, (_, i) => ({ label: `step ${i}`, values }))),
    fc.array(plain, { minLength: 1, maxLength: 5 }).map(values => {
      const members = Array.from({ length: 9000 }, (_, i) => [`name ${i}`, values[i % values.length]])
      return Object.fromEntries(members) as JsonObject
    })
  )
  const { archive } = fc.letrec<{ value: unknown; archive: JsonObject }>(tie => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      plain,
      long,
      fc.array(tie('value'), { maxLength: 6 }),
      tie('archive')
    ),
    archive: fc.dictionary(key, tie('value'), {
      noNullPrototype: true,
      maxKeys: 6,
      depthIdentifier: 'a'
    }) as fc.Arbitrary<JsonObject>
  }))
  return archive
}
