/** `POST /suggestions`: values that complete what was typed (`search.md` §9). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ownerQuery } from '../../access/owner.ts'
import { invalid } from '../../errors.ts'
import type { WantedSuggestions } from '../../search/entry-index.ts'
import { ErrorAnswer, ValidationAnswer } from '../schemas/common.ts'
import { SuggestionsAnswer, SuggestionsBody } from '../schemas/suggestions.ts'

/** All values are equally good, as in the reference; their order tells more. */
const WEIGHT = 1

/** Registers the route. */
export const suggestionRoutes: FastifyPluginAsyncTypebox = async app => {
  const { index, quantities } = app.services
  const possible = quantities.list.filter(q => q.suggestion).map(q => q.name)

  /** @throws SeraiError INVALID (422) for a quantity that has no suggestions */
  const wantedOf = (name: string, size: number, i: number): WantedSuggestions => {
    const quantity = quantities.get(name)
    if (quantity?.suggestion) return { quantity, style: quantity.suggestion, size }
    throw invalid(
      ['quantities', i],
      `The string "${name.slice(0, 200)}" does not represent a suggestable quantity. Possible values are ${possible.join(', ')}.`
    )
  }

  app.post(
    '/suggestions',
    {
      schema: {
        tags: ['suggestions'],
        summary: 'Complete what was typed',
        description:
          'Values of quantities that begin with the input, or in which a part does: a word of a name, a file of a path, an element ' +
          'of a formula. Only values of entries that you may see.',
        body: SuggestionsBody,
        response: { 200: SuggestionsAnswer, 401: ErrorAnswer, 422: ValidationAnswer }
      }
    },
    async ({ body, caller, signal }) => {
      const wanted = new Map(
        body.quantities.map(({ name, size = 5 }, i) => [name, wantedOf(name, size, i)] as const)
      )
      const found = await index.suggest({
        query: ownerQuery('visible', caller, quantities),
        input: body.input,
        wanted: [...wanted.values()],
        signal
      })
      return Object.fromEntries(
        [...wanted.keys()].flatMap((name, i) => {
          const values = found[i] ?? []
          return values.length > 0 ? [[name, values.map(value => ({ value, weight: WEIGHT }))]] : []
        })
      )
    }
  )
}
