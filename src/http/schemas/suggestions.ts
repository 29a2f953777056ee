/** Schemas of `POST /suggestions` (`search.md` §9). */
import Type from 'typebox'
import { SUGGESTION_INPUT_MAX } from '../../query/suggestion.ts'

/** Values of one quantity at most. */
const SIZE_MAX = 10_000

/** Body of the request. */
export const SuggestionsBody = Type.Object(
  {
    quantities: Type.Array(
      Type.Object({
        name: Type.String({ description: 'A quantity whose values can be suggested.' }),
        size: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: SIZE_MAX,
            default: 5,
            description: 'Number of values at most.'
          })
        )
      }),
      { description: 'Where to look for values.' }
    ),
    input: Type.String({
      maxLength: SUGGESTION_INPUT_MAX,
      description: 'What was typed so far; case does not matter.'
    })
  },
  {
    examples: [
      {
        quantities: [
          { name: 'results.material.symmetry.crystal_system', size: 3 },
          { name: 'results.material.chemical_formula_hill' },
          { name: 'authors.name' }
        ],
        input: 'te'
      }
    ]
  }
)

/** Answer: values by quantity; quantities without any are left out. */
export const SuggestionsAnswer = Type.Record(
  Type.String(),
  Type.Array(Type.Object({ value: Type.String(), weight: Type.Number() })),
  {
    description: 'Values by quantity, the best first; quantities without any are left out.',
    examples: [{ 'results.material.symmetry.crystal_system': [{ value: 'tetragonal', weight: 1 }] }]
  }
)
