/** Something in an imported folder that is wrong: it is told by the name of its file, and the rest goes on. */
export interface ImportProblem {
  /** Path inside the imported folder, with `/`. */
  readonly file: string
  readonly message: string
}

/** Thrown for a file that cannot be used; anything else that is thrown ends the import. */
export class BadFile extends Error implements ImportProblem {
  readonly file: string

  constructor(file: string, message: string) {
    super(message)
    this.name = 'BadFile'
    this.file = file
  }
}
