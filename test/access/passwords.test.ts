import { describe, expect, test } from 'vitest'
import { hashPassword, isPassword, newPassword, passwordProblem } from '../../src/access/passwords.ts'

describe('passwords', () => {
  test('are kept as argon2id with a salt of their own, and known again', async () => {
    const kept = await hashPassword('correct horse battery')
    expect(kept).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
    expect(await hashPassword('correct horse battery')).not.toBe(kept)
    expect(await isPassword('correct horse battery', kept)).toBe(true)
    expect(await isPassword('correct horse batterY', kept)).toBe(false)
    expect(await isPassword('', kept)).toBe(false)
  })

  test('of other programs are known too, by their parameters', async () => {
    // By the Rust library argon2.
    const kept =
      '$argon2id$v=19$m=19456,t=2,p=1$fb5YDiNUzR3lJK1UcjkeqA$e4W7rUxK1aC9vKEAcwPve1yhdw691zIQnZ0IMf06l2A'
    expect(await isPassword('hello world', kept)).toBe(true)
    expect(await isPassword('hello World', kept)).toBe(false)
  })

  test('are the same however their letters were composed', async () => {
    expect(await isPassword('gru\u0308ezi zusammen', await hashPassword('gr\u00fcezi zusammen'))).toBe(true)
  })

  test('are never right where there is none, or something else is kept', async () => {
    for (const kept of [undefined, '', 'plain text', '$argon2id$v=19$m=1,t=1,p=1$$']) {
      expect(await isPassword('plain text', kept)).toBe(false)
    }
  })

  test('need 8 to 256 characters', () => {
    expect(passwordProblem('1234567')).toMatch(/at least 8/)
    expect(passwordProblem('12345678')).toBeUndefined()
    expect(passwordProblem('é'.repeat(256))).toBeUndefined()
    expect(passwordProblem('é'.repeat(257))).toMatch(/at most 256/)
    expect(passwordProblem(newPassword())).toBeUndefined()
  })

  test('that are too long are refused without work', async () => {
    const kept = await hashPassword('12345678')
    const before = performance.now()
    expect(await isPassword('x'.repeat(1_000_000), kept)).toBe(false)
    expect(performance.now() - before).toBeLessThan(1000)
  })
})
