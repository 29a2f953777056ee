/**
 * An upload that is imported for the first time: nothing of it is found before all of it is there, also when the import is
 * killed. Search engines know no transaction over several writes, so what they hold of it is hidden until its document is
 * written (`access/pending-uploads.ts`); and an import that was killed leaves it hidden for the next one.
 *
 * That takes two seconds, in which servers come to know of it. Of uploads with one batch of entries there are many, and the
 * engine takes that batch in one step: their document is written just before it, so that no entry is found of an upload
 * that is not there.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { PENDING_WAIT } from '../access/pending-uploads.ts'
import type { DocumentStore, Upload } from '../storage/documents.ts'

/** A new upload. */
export class NewUpload {
  /** Whether it is hidden until it is complete. */
  readonly isHidden: boolean
  readonly #upload: Upload
  readonly #documents: DocumentStore
  /** On the clock of `performance`. */
  readonly #begun: number

  private constructor(upload: Upload, isHidden: boolean, documents: DocumentStore) {
    this.isHidden = isHidden
    this.#upload = upload
    this.#documents = documents
    this.#begun = performance.now()
  }

  /**
   * @param upload without checksum
   * @param hide whether its entries go into the index in several steps
   * @throws SeraiError STORE_UNAVAILABLE
   */
  static async begin(upload: Upload, hide: boolean, documents: DocumentStore): Promise<NewUpload> {
    if (hide) await documents.addPendingUpload(upload.upload_id)
    return new NewUpload(upload, hide, documents)
  }

  /**
   * To be waited for before entries are put into the index.
   * @param signal ends the waiting
   * @throws SeraiError STORE_UNAVAILABLE; the signal's reason
   */
  async beforeEntries(signal: AbortSignal): Promise<void> {
    if (!this.isHidden) return this.#documents.putUpload(this.#upload)
    // Also where an import before this one has hidden it: that may have been a moment ago.
    const left = this.#begun + PENDING_WAIT - performance.now()
    if (left > 0) await delay(left, undefined, { signal })
  }

  /** To be called when its document is written, or nothing of it is in the index. @throws SeraiError STORE_UNAVAILABLE */
  end(): Promise<void> {
    // Also of one that is small now and was hidden by an import that was killed.
    return this.#documents.removePendingUpload(this.#upload.upload_id)
  }
}
