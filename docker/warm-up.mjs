// Lets Node compile what a server needs from its start to its first answers, while the image is made. Node keeps it in
// NODE_COMPILE_CACHE when the server ends.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'

const data = mkdtempSync('/tmp/serai-')
const server = spawn('serai', ['serve'], {
  env: { ...process.env, SERAI_DATA_DIR: data, SERAI_HOST: '127.0.0.1', SERAI_PORT: '8000' },
  stdio: ['ignore', 'pipe', 'inherit']
})
const ended = new Promise(resolve => server.once('exit', resolve))
await new Promise((resolve, reject) => {
  // The last that it says before it waits.
  server.stdout.on('data', text => String(text).includes('  try  ') && resolve())
  void ended.then(code => reject(new Error(`the server ended with ${code}`)))
})

const root = 'http://127.0.0.1:8000/api/v1'
const ask = async (path, body) => {
  const answer = await fetch(root + path, {
    method: body ? 'POST' : 'GET',
    headers: { 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {})
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text.slice(0, 500)}`)
  return text
}
const [{ entry_id: entry, upload_id: upload }] = JSON.parse(await ask('/entries?elements=Ti&elements=O')).data
const query = { 'results.material.elements:all': ['Ti', 'O'] }
await ask('/entries/query', {
  query,
  pagination: { page_size: 1 },
  aggregations: { names: { terms: { quantity: 'results.method.simulation.program_name' } } }
})
await ask('/entries/archive/query', { query, required: { metadata: '*' }, pagination: { page_size: 1 } })
await ask(`/entries/${entry}/archive`)
await ask(`/uploads/${upload}`)
await ask(`/uploads/${upload}/entries`)
await ask(`/entries/${entry}/rawdir`)

server.kill('SIGTERM')
if ((await ended) !== 0) throw new Error('the server did not end well')
rmSync(data, { recursive: true })
