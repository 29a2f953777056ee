import { Registry } from '@platformatic/prom-client'
import { expect, test } from 'vitest'
import { ActiveRequest } from '../../src/http/active-request.ts'
import { RequestMetrics } from '../../src/metrics/request-metrics.ts'

test('a download is counted while it goes on, and each byte once', async () => {
  const registry = new Registry()
  const metrics = new RequestMetrics(registry)
  const socket = { bytesWritten: 1000 }
  const request = new ActiveRequest(socket)
  const told = async (name: string) =>
    (await registry.metrics())
      .split('\n')
      .find(line => line.startsWith(name))
      ?.split(' ')[1]
  metrics.begin(request, '/raw')
  socket.bytesWritten += 500
  expect(await told('serai_http_response_bytes_total{route="/raw"}')).toBe('500')
  expect(await told('serai_http_requests_active')).toBe('1')
  socket.bytesWritten += 70
  metrics.end(request, 'GET', '/raw', 200, 3)
  metrics.end(request, 'GET', '/raw', 499, 3)
  expect(await told('serai_http_response_bytes_total{route="/raw"}')).toBe('570')
  expect(await told('serai_http_requests_active')).toBe('0')
  expect(
    await told('serai_http_request_duration_seconds_count{method="GET",route="/raw",status="2xx"}')
  ).toBe('1')
  expect(request.bytes).toBe(570)
})

test('slots that are taken are asked for when the metrics are', async () => {
  const registry = new Registry()
  const metrics = new RequestMetrics(registry)
  let taken = 3
  metrics.countSlots(() => taken)
  expect(await registry.metrics()).toContain('serai_limit_slots_used 3')
  taken = 1
  expect(await registry.metrics()).toContain('serai_limit_slots_used 1')
})
