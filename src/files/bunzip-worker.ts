/**
 * Decompresses `.bz2` in a thread of its own: the library works byte by byte and would hold up the event loop. It also asks for
 * its input and gives its output in calls that must return at once, so this thread sleeps until the main thread has
 * answered; that is what keeps it from running ahead of its reader.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import Bunzip from 'seek-bzip'

/** What the thread says; each is answered by a message and a notification. */
export type BunzipMessage =
  | { readonly kind: 'more' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'end' }
  | { readonly kind: 'error'; readonly reason: string }

/** What it is given: a counter of the answers so far. */
export interface BunzipSetup {
  readonly answers: Int32Array<SharedArrayBuffer>
}

/** The next compressed bytes, or null at their end; also the answer to decompressed ones, which does not matter. */
export type BunzipAnswer = Uint8Array | null

/** Bytes that are given at a time. */
const OUTPUT = 256 * 1024

if (parentPort) run(parentPort, workerData as BunzipSetup)

function run(port: NonNullable<typeof parentPort>, { answers }: BunzipSetup): void {
  const ask = (message: BunzipMessage, transfer: ArrayBuffer[] = []): BunzipAnswer => {
    const before = Atomics.load(answers, 0)
    port.postMessage(message, transfer)
    Atomics.wait(answers, 0, before)
    return (receiveMessageOnPort(port) as { message: BunzipAnswer }).message
  }

  let input: Uint8Array = new Uint8Array(0)
  let at = 0
  let ended = false
  const eof = () => {
    while (at >= input.length && !ended) {
      const next = ask({ kind: 'more' })
      if (next === null) ended = true
      else {
        input = next
        at = 0
      }
    }
    return at >= input.length
  }
  let output = new Uint8Array(OUTPUT)
  let count = 0
  const flush = () => {
    if (count === 0) return
    const bytes = output.subarray(0, count) as Uint8Array<ArrayBuffer>
    ask({ kind: 'bytes', bytes }, [output.buffer])
    output = new Uint8Array(OUTPUT)
    count = 0
  }
  const source = new Bunzip.Stream()
  source.eof = eof
  source.readByte = () => {
    if (at >= input.length && eof()) throw new Error('the file ends too early')
    return input[at++] as number
  }
  const target = new Bunzip.Stream()
  target.writeByte = (byte: number) => {
    output[count++] = byte
    if (count === OUTPUT) flush()
  }
  try {
    // Without the check an empty file would be proper.
    if (eof()) throw new Error('the file is empty')
    Bunzip.decode(source, target, true)
    flush()
    port.postMessage({ kind: 'end' } satisfies BunzipMessage)
  } catch (error) {
    port.postMessage({ kind: 'error', reason: (error as Error).message } satisfies BunzipMessage)
  }
}
