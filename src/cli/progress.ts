/** How far long work is: a bar on a terminal, a line now and then elsewhere. */
import { progress } from '@clack/prompts'

/** How far the work is. */
export interface ProgressEvent {
  readonly done: number
  readonly total: number
  /** What is being worked on. */
  readonly name: string
}

/** Something that shows progress. */
export interface ProgressDisplay {
  update(event: ProgressEvent): void
  end(message: string): void
}

/** Shows progress under a title until `end` is called. */
export function showProgress(title: string): ProgressDisplay {
  return process.stderr.isTTY ? bar(title) : lines(title)
}

function bar(title: string): ProgressDisplay {
  const display = progress({ max: 1000, output: process.stderr })
  let shown = 0
  display.start(title)
  return {
    update({ done, total, name }) {
      const now = total > 0 ? Math.floor((done / total) * 1000) : 0
      display.advance(Math.max(0, now - shown), `${title}: ${done} of ${total}, ${name}`)
      shown = Math.max(shown, now)
    },
    end: message => display.stop(message)
  }
}

function lines(title: string): ProgressDisplay {
  let next = 0
  return {
    update({ done, total }) {
      const percent = total > 0 ? Math.floor((done / total) * 100) : 0
      if (percent < next) return
      next = percent + 25
      process.stderr.write(`${title}: ${percent} %\n`)
    },
    end: message => void process.stderr.write(`${message}\n`)
  }
}
