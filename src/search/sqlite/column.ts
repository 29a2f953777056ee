/** One chunk of a numeric field: pairs of place and value, ascending by place; a place may have several values. */

/** Numbers by place. */
export interface NumberChunk {
  readonly places: Uint16Array
  readonly values: Float64Array | Int32Array | Uint8Array
}

/** A chunk as it is stored. */
export interface StoredNumbers {
  readonly low: number
  readonly high: number
  readonly type: number
  readonly places: Uint8Array
  readonly data: Uint8Array
}

const FLOAT64 = 0
const INT32 = 1
const UINT8 = 2

/** Reads a stored chunk. */
export function decodeNumbers(type: number, places: Uint8Array, data: Uint8Array): NumberChunk {
  const count = places.byteLength / 2
  const { buffer, byteOffset } = data
  return {
    places: new Uint16Array(places.buffer, places.byteOffset, count),
    values:
      type === UINT8
        ? data
        : type === INT32
          ? new Int32Array(buffer, byteOffset, count)
          : new Float64Array(buffer, byteOffset, count)
  }
}

/**
 * A chunk with some places changed: their values are replaced, an empty list removes them.
 * @returns undefined when nothing is left
 */
export function changeNumbers(
  old: NumberChunk | undefined,
  changes: ReadonlyMap<number, readonly number[]>
): StoredNumbers | undefined {
  const places: number[] = []
  const values: number[] = []
  const changed = [...changes.keys()].sort((a, b) => a - b)
  let next = 0
  const addBefore = (place: number) => {
    for (; next < changed.length && (changed[next] as number) < place; next++) {
      for (const value of changes.get(changed[next] as number) as readonly number[]) {
        places.push(changed[next] as number)
        values.push(value)
      }
    }
  }
  if (old) {
    for (let i = 0; i < old.places.length; i++) {
      const place = old.places[i] as number
      addBefore(place)
      if (changes.has(place)) continue
      places.push(place)
      values.push(old.values[i] as number)
    }
  }
  addBefore(Number.POSITIVE_INFINITY)
  return places.length === 0 ? undefined : encode(places, values)
}

function encode(places: number[], values: number[]): StoredNumbers {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  let whole = true
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
    if (whole && !Number.isInteger(value)) whole = false
  }
  const type = !whole
    ? FLOAT64
    : low >= 0 && high < 256
      ? UINT8
      : low >= -(2 ** 31) && high < 2 ** 31
        ? INT32
        : FLOAT64
  const data =
    type === UINT8
      ? Uint8Array.from(values)
      : type === INT32
        ? Int32Array.from(values)
        : Float64Array.from(values)
  return {
    low,
    high,
    type,
    places: new Uint8Array(Uint16Array.from(places).buffer),
    data: new Uint8Array(data.buffer)
  }
}
