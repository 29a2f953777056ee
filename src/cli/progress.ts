/** How far long work is: a bar on a terminal, a line now and then elsewhere. */
import { progress } from '@clack/prompts'

/** Milliseconds after which a line tells how far it is, however little was done. */
const LINE_INTERVAL = 60_000

/** Percent after which a line does. */
const LINE_STEP = 25

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
  return process.stderr.isTTY ? bar(title) : lines(title, text => void process.stderr.write(text))
}

function bar(title: string): ProgressDisplay {
  const display = progress({ max: 1000, output: process.stderr })
  let shown = 0
  display.start(title)
  return {
    update({ done, total, name }) {
      const now = total > 0 ? Math.floor((done / total) * 1000) : 0
      display.advance(
        Math.max(0, now - shown),
        [`${title}: ${done} of ${total}`, ...(name === '' ? [] : [name])].join(', ')
      )
      shown = Math.max(shown, now)
    },
    end: message => display.stop(message)
  }
}

/**
 * Progress in lines: at the beginning, each quarter, and every minute of long work.
 * @param clock milliseconds
 */
export function lines(
  title: string,
  write: (text: string) => void,
  clock: () => number = () => performance.now()
): ProgressDisplay {
  let next = 0
  let told = -1
  let due = 0
  return {
    update({ done, total }) {
      const percent = total > 0 ? Math.floor((done / total) * 100) : 0
      const now = clock()
      if (percent < next && (now < due || done === told)) return
      next = Math.max(next, percent + LINE_STEP)
      told = done
      due = now + LINE_INTERVAL
      write(`${title}: ${percent} %, ${done} of ${total}\n`)
    },
    end: message => write(`${message}\n`)
  }
}
