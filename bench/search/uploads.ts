/** Synthetic uploads. */
import { id, pick, randomOf, skewed } from './random.ts'

type Json = Record<string, unknown>

const TOPICS =
  'perovskite oxides|thermoelectric screening|battery cathodes|surface adsorption|phonon dispersion|defect energetics|alloy design|water splitting catalysts|topological insulators|magnetic oxides|molecular crystals|high entropy alloys|hydrogen storage|organic semiconductors|nitride ceramics|grain boundaries'.split(
    '|'
  )
const FIRST = 'Ada Ben Chen Dana Emil Fatima Goran Hana Igor Jia Kofi Lena Mateo Nadia Omar Priya'.split(' ')
const LAST =
  'Abe Brandt Cruz Dvořák Eriksson Fischer García Haddad Ivanova Jensen Kaya Lopez Müller Novák Okafor Petrov Quinn Rossi Silva Tanaka Ueda Vogel Weiß Xu Yilmaz Zhang'.split(
    ' '
  )

/** What an upload tells of its entries. */
export interface Upload {
  readonly time: number
  readonly members: Json
  readonly texts: readonly string[]
}

/** Makes uploads; remembers the last one, as neighbours are of one. */
export class SyntheticUploads {
  #last: { number: number; upload: Upload } | undefined

  /** A thousand entries belong to ten uploads of 500, 250, 125, … entries; neighbours are of one upload. */
  of(n: number): Upload {
    let place = n % 1000
    let k = 0
    for (let size = 500; k < 9 && place >= size; size = Math.ceil(size / 2)) {
      place -= size
      k++
    }
    const number = Math.floor(n / 1000) * 10 + k
    if (this.#last?.number === number) return this.#last.upload
    const random = randomOf(number + 1_000_000_000)
    const person = (i: number) => ({
      user_id: id('user', i, 22),
      name: `${FIRST[i % FIRST.length]} ${LAST[Math.floor(i / FIRST.length) % LAST.length]}`
    })
    const main = person(skewed(random, 416))
    const authors = [main]
    for (let i = skewed(random, 4); i > 0; i--) authors.push(person(skewed(random, 416)))
    const topic = pick(random, TOPICS)
    const uploadName = `Study ${number} of ${topic}`
    const time = Date.UTC(2014, 0, 1) + Math.floor(random() * 11 * 365.25 * 86_400) * 1000
    const uploadTime = new Date(time).toISOString()
    const datasets = Array.from({ length: random() < 0.35 ? 1 + skewed(random, 3) : 0 }, () => {
      const dataset = skewed(random, 3000)
      return {
        dataset_type: 'owned',
        dataset_id: id('dataset', dataset, 22),
        dataset_name: `Dataset ${dataset}: ${pick(random, TOPICS)}`,
        dataset_create_time: uploadTime,
        dataset_modified_time: uploadTime,
        ...(dataset % 2 ? { doi: `10.17172/NOMAD/2024.01.01-${dataset}` } : {})
      }
    })
    const published = random() < 0.97
    const upload = {
      time,
      members: {
        upload_id: id('upload', number, 22),
        upload_name: uploadName,
        upload_name__suggestion: [uploadName],
        upload_create_time: uploadTime,
        published,
        with_embargo: published && random() < 0.04,
        main_author: main,
        authors,
        writers: authors,
        viewers: authors,
        datasets,
        origin: main.name,
        ...(random() < 0.2 ? { comment: `Calculations of ${topic}, see the dataset for details` } : {}),
        ...(random() < 0.3 ? { references: [`https://doi.org/10.1000/${number}`] } : { references: [] })
      },
      texts: [uploadName, ...authors.map(a => a.name), ...datasets.map(d => d.dataset_name)]
    }
    this.#last = { number, upload }
    return upload
  }
}
