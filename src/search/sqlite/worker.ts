/** A worker thread of the search file: answers the requests of the main thread one after the other. */
import { parentPort, workerData } from 'node:worker_threads'
import { Stopped } from './index-tables.ts'
import { IndexReader } from './reader.ts'
import type { ReadRequest, WorkerAnswer, WorkerMessage, WorkerSetup, WriteRequest } from './wire.ts'
import { IndexWriter } from './writer.ts'

const setup = workerData as WorkerSetup
const port = parentPort as NonNullable<typeof parentPort>

interface Service {
  answer(request: ReadRequest | WriteRequest): unknown
  close(): void
}

function writeService(): Service {
  const writer = new IndexWriter(setup.file, setup.plan)
  return {
    answer: request => {
      if (request.kind === 'prepare') return writer.prepare()
      if (request.kind === 'put') return writer.put(request.texts, request.open)
      if (request.kind === 'commit') return writer.commit()
      if (request.kind === 'remove') return writer.remove(request.entryIds)
      if (request.kind === 'replace') return writer.replace(request.texts, request.versions, request.open)
      throw new Error(`${request.kind} is no request to a writer`)
    },
    close: () => writer.close()
  }
}

function readService(): Service {
  const reader = new IndexReader(setup.file, setup.stop)
  return { answer: request => reader.answer(request as ReadRequest), close: () => reader.close() }
}

let service: Service | undefined

port.on('message', (message: WorkerMessage) => {
  if (message === 'close') {
    service?.close()
    port.close()
    return
  }
  let answer: WorkerAnswer
  try {
    // Opened with the first request, so that what is wrong with the file is told to a caller.
    service ??= setup.role === 'write' ? writeService() : readService()
    answer = { id: message.id, result: service.answer(message.request) }
  } catch (error) {
    const { message: text, code } = error as Error & { code?: unknown }
    const known = error instanceof Stopped ? 'stopped' : typeof code === 'string' ? code : undefined
    answer = { id: message.id, error: { message: text, ...(known ? { code: known } : {}) } }
  }
  port.postMessage(answer)
})
