/** The settings of what a running server tells of itself: a part of the schema in `settings.ts`. */
import Type, { type Static } from 'typebox'

/** Members of the settings' schema. */
export const MONITORING_SETTINGS = {
  slow_request: Type.Union([Type.Integer({ minimum: 1 }), Type.Literal('off')], {
    default: 5000,
    description:
      'Milliseconds to the first byte of an answer from which on its request is logged as a warning, with its query.'
  }),
  metrics_port: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 65535,
      description:
        'Port of its own for `/-/metrics` (Prometheus); 0 takes a free one. Without it and without `SERAI_METRICS_TOKEN` nothing is counted.'
    })
  ),
  metrics_host: Type.String({
    default: '127.0.0.1',
    minLength: 1,
    description: 'Address that `SERAI_METRICS_PORT` is opened on.'
  }),
  metrics_token: Type.Optional(
    Type.String({
      minLength: 16,
      description:
        'Token with which `/-/metrics` may be read on the port of the API too: `Authorization: Bearer …`. With `SERAI_METRICS_PORT` both ports ask for it.'
    })
  )
}

type Settings = {
  readonly [Name in keyof typeof MONITORING_SETTINGS]?: Static<(typeof MONITORING_SETTINGS)[Name]>
}

/** What a server tells of itself. */
export interface MonitoringConfig {
  /** Milliseconds; absent: no request counts as slow. */
  readonly slowRequest?: number
  /** Who may read the metrics, by a port or a token; absent: there are none. */
  readonly metrics?: {
    readonly listen?: { readonly host: string; readonly port: number }
    readonly token?: string
  }
}

/** What the settings mean. */
export function monitoringConfig(settings: Settings): MonitoringConfig {
  const { slow_request, metrics_port: port, metrics_host: host = '', metrics_token: token } = settings
  return {
    ...(typeof slow_request === 'number' ? { slowRequest: slow_request } : {}),
    ...(port !== undefined || token !== undefined
      ? {
          metrics: {
            ...(port !== undefined ? { listen: { host, port } } : {}),
            ...(token !== undefined ? { token } : {})
          }
        }
      : {})
  }
}
