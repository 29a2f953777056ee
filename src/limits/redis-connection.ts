/** The connection to the Redis that several servers share. */
import { Redis } from 'ioredis'

/** Milliseconds that Redis has to answer: requests wait for it. */
const PATIENCE = 500

/**
 * Connects in the background. While Redis does not answer commands fail at once, so that requests go on without it.
 * @param url `redis://…` or `rediss://…`
 */
export function connectRedis(url: string): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: PATIENCE,
    connectTimeout: 10 * PATIENCE,
    retryStrategy: tries => Math.min(5000, 100 * tries)
  })
  // Whoever asks is told by the command that fails.
  redis.on('error', () => {})
  return redis
}
