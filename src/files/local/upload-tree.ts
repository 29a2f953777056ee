/** The files of one upload as its manifest lists them, in memory: what is where, without touching the disk. */
import type { RawFile, RawNode, RawTree } from '../raw-files.ts'
import { directoryOf } from '../raw-path.ts'

/** Order of code units, the order of `<`. */
function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0
}

/** Immutable; a replaced upload gets a new one. */
export class UploadTree implements RawTree {
  /** Name of the folder that holds the bytes. */
  readonly generation: string
  /** Ordered by path. */
  readonly files: readonly RawFile[]
  readonly #nodes = new Map<string, RawNode>()
  readonly #children = new Map<string, RawNode[]>()

  constructor(generation: string, files: readonly RawFile[]) {
    this.generation = generation
    this.files = [...files].sort(byPath)
    this.#addDirectory('')
    for (const file of this.files) {
      this.#addDirectory(directoryOf(file.path))
      this.#add({ kind: 'file', ...file })
    }
    for (const children of this.#children.values()) children.sort(byPath)
  }

  /** What is at the path. */
  node(path: string): RawNode | undefined {
    return this.#nodes.get(path)
  }

  /** What is directly in the directory. */
  list(directory: string): readonly RawNode[] {
    return this.#children.get(directory) ?? []
  }

  /** All files below the directory, ordered by path. */
  *walk(directory: string): Generator<RawFile> {
    if (directory === '') return yield* this.files
    const prefix = `${directory}/`
    for (let i = this.#firstFrom(prefix); i < this.files.length; i++) {
      const file = this.files[i] as RawFile
      if (!file.path.startsWith(prefix)) return
      yield file
    }
  }

  /** Index of the first file whose path is not less. */
  #firstFrom(path: string): number {
    let low = 0
    let high = this.files.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.files[middle] as RawFile).path < path) low = middle + 1
      else high = middle
    }
    return low
  }

  #add(node: RawNode): void {
    this.#nodes.set(node.path, node)
    this.#children.get(directoryOf(node.path))?.push(node)
  }

  #addDirectory(path: string): void {
    if (this.#nodes.has(path)) return
    if (path !== '') this.#addDirectory(directoryOf(path))
    this.#children.set(path, [])
    if (path === '') this.#nodes.set('', { kind: 'directory', path })
    else this.#add({ kind: 'directory', path })
  }
}
