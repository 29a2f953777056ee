/** Copying of several uploads at once: most of the time of small ones is waiting for the disk. */

/** Uploads that are copied at a time. */
export const AT_ONCE = 4

/**
 * Does some work for each item, for {@link AT_ONCE} of them at a time; they are begun in order.
 * @throws the first failure, when all that was begun has ended; nothing more is begun after it
 */
export async function eachAtOnce<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const left = items[Symbol.iterator]()
  let failed: { readonly error: unknown } | undefined
  const oneByOne = async () => {
    for (;;) {
      if (failed) return
      const { done, value } = left.next()
      if (done) return
      try {
        await work(value)
      } catch (error) {
        failed ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, oneByOne))
  if (failed) throw failed.error
}
