/**
 * Refuses new requests while the process has more to do, or more in memory, than it can bear: those under way end sooner, and
 * the process goes on.
 */
import { getHeapStatistics } from 'node:v8'
import underPressure from '@fastify/under-pressure'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { failure } from '../../errors.ts'
import type { LimitsConfig } from '../../limits-settings.ts'
import { isUnlimited } from './limits.ts'

/** Milliseconds between two looks: one long piece of work is no overload, one after the other is. */
const INTERVAL = 5000

/** The plugin; `interval` in milliseconds. */
export const overload = fp<{ readonly limits: LimitsConfig; readonly interval?: number }>(
  async (app: FastifyInstance, { limits: { eventLoopDelay, heapUse }, interval = INTERVAL }) => {
    if (eventLoopDelay === undefined && heapUse === undefined) return
    await app.register(underPressure, {
      sampleInterval: interval,
      ...(eventLoopDelay !== undefined ? { maxEventLoopDelay: eventLoopDelay } : {}),
      ...(heapUse !== undefined
        ? { maxHeapUsedBytes: Math.floor(getHeapStatistics().heap_size_limit * heapUse) }
        : {}),
      pressureHandler: async request => {
        if (!isUnlimited(request)) throw failure('OVERLOADED')
      }
    })
  },
  { name: 'overload' }
)
