/** Decompression of `.bz2`, in a thread of its own. */
import { on } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { BunzipAnswer, BunzipMessage, BunzipSetup } from './bunzip-worker.ts'

/** Memory of the thread's own objects; a block takes 4 MB. Megabytes. */
const HEAP = 64

/**
 * The decompressed bytes, of all streams in the file. Ending the iteration ends the thread.
 * @throws Error when the bytes are not of this format or end too early
 */
export async function* bunzip(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const input = source[Symbol.asyncIterator]()
  const answers = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(new URL('./bunzip-worker.ts', import.meta.url), {
    workerData: { answers } satisfies BunzipSetup,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: HEAP }
  })
  const answer = (value: BunzipAnswer) => {
    worker.postMessage(value)
    Atomics.add(answers, 0, 1)
    Atomics.notify(answers, 0)
  }
  try {
    // `on` rejects when the thread has an error.
    for await (const [message] of on(worker, 'message', { close: ['exit'] }) as AsyncIterable<
      [BunzipMessage]
    >) {
      if (message.kind === 'end') return
      if (message.kind === 'error') throw new Error(message.reason)
      if (message.kind === 'bytes') {
        yield Buffer.from(message.bytes.buffer, 0, message.bytes.length)
        answer(null)
      } else {
        const { done, value } = await input.next()
        answer(done ? null : value)
      }
    }
    throw new Error('the thread ended')
  } finally {
    await worker.terminate()
    await input.return?.()
  }
}
