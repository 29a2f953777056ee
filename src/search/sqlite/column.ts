/** One chunk of a numeric field: pairs of place and value, ascending by place; a place may have several values. */
import { CHUNK_ROWS } from './row-set.ts'

/** Numbers by place. */
export interface NumberChunk {
  readonly places: Uint16Array
  readonly values: Float64Array | Int32Array | Uint8Array
}

/** A chunk as it is stored; `places` is empty where they are 0, 1, 2, … */
export interface StoredNumbers {
  readonly low: number
  readonly high: number
  readonly type: number
  readonly places: Uint8Array
  readonly data: Uint8Array
}

/** What is to be changed in a chunk: the values of places are cleared, then values are added. */
export interface NumberChanges {
  readonly cleared: number[]
  /** Places of the added values, those of one place one after the other. */
  readonly places: number[]
  readonly values: number[]
}

const FLOAT64 = 0
const INT32 = 1
const UINT8 = 2
/** Distances from a whole number, which stands before them as a FLOAT64. */
const UINT16 = 3

const ALL_PLACES = Uint16Array.from({ length: CHUNK_ROWS }, (_, i) => i)

/** Reads a stored chunk. */
export function decodeNumbers(type: number, places: Uint8Array, data: Uint8Array): NumberChunk {
  const values = decodeValues(type, data)
  return {
    places:
      places.byteLength === 0
        ? ALL_PLACES.subarray(0, values.length)
        : new Uint16Array(places.buffer, places.byteOffset, places.byteLength / 2),
    values
  }
}

function decodeValues(type: number, data: Uint8Array): NumberChunk['values'] {
  const { buffer, byteOffset, byteLength } = data
  if (type === UINT8) return data
  if (type === INT32) return new Int32Array(buffer, byteOffset, byteLength / 4)
  if (type === FLOAT64) return new Float64Array(buffer, byteOffset, byteLength / 8)
  const [base] = new Float64Array(buffer, byteOffset, 1) as unknown as [number]
  const distances = new Uint16Array(buffer, byteOffset + 8)
  const values = base + 2 ** 16 < 2 ** 31 && base >= -(2 ** 31) ? new Int32Array(distances.length) : undefined
  const result = values ?? new Float64Array(distances.length)
  for (let i = 0; i < distances.length; i++) result[i] = base + (distances[i] as number)
  return result
}

/**
 * A chunk with some places changed.
 * @returns undefined when nothing is left
 */
export function changeNumbers(
  old: NumberChunk | undefined,
  changes: NumberChanges
): StoredNumbers | undefined {
  const added = ascending(changes)
  const cleared = new Set(changes.cleared)
  const places: number[] = []
  const values: number[] = []
  let next = 0
  const addUpTo = (place: number) => {
    for (; next < added.places.length && (added.places[next] as number) <= place; next++) {
      places.push(added.places[next] as number)
      values.push(added.values[next] as number)
    }
  }
  for (let i = 0; i < (old?.places.length ?? 0); i++) {
    const place = old?.places[i] as number
    if (cleared.has(place)) continue
    addUpTo(place - 1)
    places.push(place)
    values.push(old?.values[i] as number)
  }
  addUpTo(CHUNK_ROWS)
  return places.length === 0 ? undefined : encode(places, values)
}

function ascending({ places, values }: NumberChanges): Pick<NumberChanges, 'places' | 'values'> {
  if (places.every((place, i) => i === 0 || (places[i - 1] as number) <= place)) return { places, values }
  const order = places.map((_, i) => i).sort((a, b) => (places[a] as number) - (places[b] as number))
  return { places: order.map(i => places[i] as number), values: order.map(i => values[i] as number) }
}

function encode(places: number[], values: number[]): StoredNumbers {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  let whole = true
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
    if (whole && !Number.isSafeInteger(value)) whole = false
  }
  const type = !whole
    ? FLOAT64
    : low >= 0 && high < 256
      ? UINT8
      : high - low < 2 ** 16
        ? UINT16
        : low >= -(2 ** 31) && high < 2 ** 31
          ? INT32
          : FLOAT64
  const dense = places.at(-1) === places.length - 1 && places.every((place, i) => place === i)
  return {
    low,
    high,
    type,
    places: dense ? new Uint8Array(0) : new Uint8Array(Uint16Array.from(places).buffer),
    data: encodeValues(type, values, low)
  }
}

function encodeValues(type: number, values: readonly number[], low: number): Uint8Array {
  if (type === UINT8) return Uint8Array.from(values)
  if (type === INT32) return new Uint8Array(Int32Array.from(values).buffer)
  if (type === FLOAT64) return new Uint8Array(Float64Array.from(values).buffer)
  const data = new Uint8Array(8 + 2 * values.length)
  new Float64Array(data.buffer, 0, 1)[0] = low
  const distances = new Uint16Array(data.buffer, 8)
  for (let i = 0; i < values.length; i++) distances[i] = (values[i] as number) - low
  return data
}
