/**
 * Traces: what a request has to do with others, outside and in the stores, as spans that a collector gets. This is the port;
 * `open-telemetry.ts` is behind it, loaded only where traces are asked for.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { CallObserver } from '../health/watched-store.ts'

/** What is told of a request: nothing of its body, of its query and of who asks. */
export interface TracedRequest {
  /** `X-Request-Id`. */
  readonly id: string
  readonly method: string
  /** Its pattern; absent where no route answers. */
  readonly route?: string
  /** `http` or `https`. */
  readonly scheme: string
  /** Name and port by which the client knows the server, as far as it has told them. */
  readonly host?: string
  readonly port?: number
  /** Without the query. */
  readonly path: string
  /** Of the protocol: `1.1`. */
  readonly version: string
  /** Where the trace and the span of the caller are found. */
  readonly headers: IncomingHttpHeaders
}

/** How a request was answered. */
export interface TracedAnswer {
  /** Absent: the client was gone before there was an answer. */
  readonly status?: number
  /** Code of the error that it was answered with (`errors.ts`). */
  readonly failure?: string
  /** Whether the connection ended before the answer. */
  readonly isCut: boolean
}

/** A request under way, in its trace. */
export interface RequestSpan {
  /** Of the whole trace: 32 hexadecimal digits. */
  readonly traceId: string
  /** Begins work, now or later, whose calls to stores belong to the request. */
  run(work: () => void): void
  /** To be called once. */
  end(answer: TracedAnswer): void
}

/** The traces of a process. */
export interface Traces {
  /** A request has come; undefined when it is one of those that are not traced. */
  begin(request: TracedRequest): RequestSpan | undefined
  /** To be told of every call to a store; those that belong to no request are passed over. */
  readonly storeCall: CallObserver
  /** Begins to send what waits for that. */
  flush(): void
  /**
   * Sends what is left.
   * @param limit milliseconds that this may take; never rejects
   */
  close(limit: number): Promise<void>
}
