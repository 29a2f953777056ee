/** Parts of lists that are paged by row numbers: uploads, their entries, datasets, groups (`uploads.md` §2.4). */
import Type from 'typebox'
import { Nullable, OneOf } from './common.ts'

/** The page as URL parameters. `order_by` is checked by `row-pagination`, which says what there is. */
export const RowPageUrl = (orders: readonly string[], byDefault: string) => ({
  page_size: Type.Optional(
    Type.Integer({ description: 'Number of rows on a page (default 10); 0 gives the total alone.' })
  ),
  order_by: Type.Optional(
    Type.String({ description: `One of ${orders.map(o => `\`${o}\``).join(', ')}; default: ${byDefault}.` })
  ),
  order: Type.Optional(OneOf(['asc', 'desc'], { description: 'Direction (default `asc`).' })),
  page: Type.Optional(Type.Integer({ description: 'Number of the page, from 1 on.' })),
  page_offset: Type.Optional(Type.Integer({ description: 'Number of rows to skip.' })),
  page_after_value: Type.Optional(Type.String({ description: '`next_page_after_value` of the page before.' }))
})

const MEMBERS = {
  page_size: Type.Integer(),
  order_by: Type.String(),
  order: OneOf(['asc', 'desc']),
  page_after_value: Type.String({ description: 'Number of the last row before this page, from 0 on.' }),
  page: Type.Integer({ description: 'Number of this page, from 1 on.' }),
  total: Type.Integer({ description: 'Number of all rows.' }),
  next_page_after_value: Type.String({ description: 'Where the next page begins; absent on the last one.' }),
  page_url: Type.String(),
  first_page_url: Type.String(),
  next_page_url: Type.String(),
  prev_page_url: Type.String()
}

/** The pagination of an answer. */
export const RowPagination = Type.Evaluate(
  Type.Intersect([
    Type.Pick(Type.Object(MEMBERS), ['page_size', 'order', 'page', 'total', 'page_url']),
    Type.Partial(Type.Omit(Type.Object(MEMBERS), ['page_size', 'order', 'page', 'total', 'page_url']))
  ])
)

/** The same where members without a value are null. */
export const NullablePagination = Type.Object(
  Object.fromEntries(
    Object.entries({ ...MEMBERS, page_offset: Type.Integer() }).map(([name, type]) => [name, Nullable(type)])
  )
)
