import { describe, expect, test } from 'vitest'
import { lines } from '../../src/cli/progress.ts'

describe('progress in lines', () => {
  const told: string[] = []
  let now = 0
  const display = () => {
    told.length = 0
    now = 0
    return lines(
      'Copying',
      text => told.push(text),
      () => now
    )
  }

  test('tells a quarter after the other of quick work', () => {
    const { update, end } = display()
    for (let done = 0; done <= 1000; done++) update({ done, total: 1000, name: 'x' })
    end('Copied')
    expect(told).toEqual([
      'Copying: 0 %, 0 of 1000\n',
      'Copying: 25 %, 250 of 1000\n',
      'Copying: 50 %, 500 of 1000\n',
      'Copying: 75 %, 750 of 1000\n',
      'Copying: 100 %, 1000 of 1000\n',
      'Copied\n'
    ])
  })

  test('tells every minute of long work, and only what is new', () => {
    const { update } = display()
    for (let second = 0; second < 600; second++) {
      now = second * 1000
      update({ done: second < 300 ? second : 300, total: 1_000_000, name: 'x' })
    }
    expect(told).toEqual([0, 60, 120, 180, 240, 300].map(done => `Copying: 0 %, ${done} of 1000000\n`))
  })

  test('tells once that there is nothing to do', () => {
    const { update } = display()
    update({ done: 0, total: 0, name: '' })
    update({ done: 0, total: 0, name: '' })
    expect(told).toEqual(['Copying: 0 %, 0 of 0\n'])
  })
})
