import manifest from '../package.json' with { type: 'json' }

/** Version of Serai, as in `package.json`. */
export const VERSION: string = manifest.version

/** Release of the reference whose behaviour is followed (spec README). */
export const REFERENCE_VERSION = '2.0.0'
