/** Decoding of base64 files as a stream. */
import { Transform } from 'node:stream'

/**
 * Text in base64, with line breaks anywhere, to bytes. The stream fails when the text is not base64: other characters,
 * padding in the middle, or an incomplete end.
 */
export function decodeBase64(): Transform {
  /** Characters, fewer than four, that wait for the rest of their group. */
  let rest = ''
  let ended = false
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const text = rest + chunk.toString('latin1').replace(/\s+/g, '')
      const whole = text.slice(0, text.length - (text.length % 4))
      rest = text.slice(whole.length)
      if (whole === '') return done()
      if (ended || !/^[A-Za-z0-9+/]*={0,2}$/.test(whole)) return done(new Error('is not valid base64'))
      ended = whole.endsWith('=')
      done(null, Buffer.from(whole, 'base64'))
    },
    flush(done) {
      done(rest === '' ? null : new Error('is not valid base64: it ends in the middle of a group'))
    }
  })
}
