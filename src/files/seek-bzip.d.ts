/** What is used of the library, which brings no types. */
declare module 'seek-bzip' {
  /** Bytes one by one; its methods are to be replaced. */
  class Stream {
    readByte(): number
    writeByte(byte: number): void
    eof(): boolean
  }

  const Bunzip: {
    readonly Stream: typeof Stream
    /** Decompresses all streams when `multistream` is set; throws at what is damaged. */
    decode(input: Stream, output: Stream, multistream: boolean): void
  }
  export default Bunzip
}
