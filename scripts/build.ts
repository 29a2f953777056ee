/**
 * Makes `dist/`, the server as a few JavaScript files, for the container image. Node keeps the source text of everything
 * that it has loaded, and many TypeScript files of some hundred packages take tens of megabytes of it; also they are found,
 * read and stripped one by one. `npm start` does not need `dist/`.
 *
 * `dist/` has everything but the example data, which is looked for beside it, in `fixtures/`. It runs on the platform that
 * it was made on, because of the native code that comes along.
 */
import { copyFile, cp, glob, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { build, type Metafile, type OnLoadResult, type Plugin } from 'esbuild'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
const require = createRequire(import.meta.url)

/** How source files name the file of a worker thread. */
const WORKER = /new Worker\(new URL\('(.+?)', import\.meta\.url\)/g

/** Bytes from which a JSON file of `src/` is read when it is needed, instead of being a part of the code. */
const LARGE_JSON = 16 * 1024

/**
 * What packages in the format CommonJS expect to be there: the way to load further modules, and their own folder. Everything
 * stands in one folder, so `PACKAGES` says what packages are after in theirs.
 */
const BANNER =
  "globalThis.require ??= process.getBuiltinModule('node:module').createRequire(import.meta.url);" +
  'globalThis.__dirname ??= import.meta.dirname;'

/** Files of packages that ask for files of their own: what to look for in the text, and what stands there instead. */
const PACKAGES: Readonly<Record<string, readonly [string, string]>> = {
  'lzma-native/index.js': ["require('node-gyp-build')(__dirname)", "require('./lzma.node')"],
  'msgpackr-extract/index.js': [
    "require('node-gyp-build-optional-packages')(__dirname)",
    "require('./msgpackr-extract.node')"
  ],
  '@fastify/swagger-ui/lib/routes.js': [
    "path.join(__dirname, '..', 'static')",
    "path.join(__dirname, 'swagger-ui')"
  ]
}

/** The output's name of a file that a thread is started with, without its ending. */
function threadName(source: string): string {
  return relative(join(root, 'src'), source).replace(/\.ts$/, '').replaceAll('/', '-')
}

/** Files that threads are started with. */
async function threadFiles(): Promise<string[]> {
  const files = new Set<string>()
  for await (const file of glob('src/**/*.ts', { cwd: root })) {
    const text = await readFile(join(root, file), 'utf8')
    const names = [...text.matchAll(WORKER)].map(([, name]) => name as string)
    if (names.length !== text.split('new Worker(').length - 1)
      throw new Error(`${file} starts a thread in a way that this script does not know`)
    for (const name of names) files.add(join(root, dirname(file), name))
  }
  return [...files]
}

/** Keeps what a source file says about its own place true: its folder, its threads, its JSON files. */
const places: Plugin = {
  name: 'places',
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }): Promise<OnLoadResult | undefined> => {
      const text = await readFile(path, 'utf8')
      if (!text.includes('import.meta.')) return undefined
      const folder = relative(dist, dirname(path))
      const contents = text
        .replace(WORKER, (match, name) =>
          match.replace(name, `./${threadName(join(dirname(path), name))}.js`)
        )
        .replaceAll('import.meta.dirname', `(import.meta.dirname + '/${folder}')`)
      return { contents, loader: 'ts' }
    })
    onLoad({ filter: /\/src\/.*\.json$/ }, async ({ path }): Promise<OnLoadResult | undefined> => {
      const text = await readFile(path, 'utf8')
      if (text.length < LARGE_JSON) return undefined
      await copyFile(path, join(dist, basename(path)))
      const contents = `import { readFileSync } from 'node:fs'
        export default JSON.parse(readFileSync(import.meta.dirname + '/${basename(path)}', 'utf8'))`
      return { contents, loader: 'js' }
    })
    onLoad({ filter: /\/node_modules\/.*\.js$/ }, async ({ path }): Promise<OnLoadResult | undefined> => {
      const replacement = PACKAGES[path.replace(/^.*\/node_modules\//, '')]
      if (!replacement) return undefined
      const text = await readFile(path, 'utf8')
      const contents = text.replace(...replacement)
      if (contents === text) throw new Error(`${path} has not what this script looks for`)
      return { contents, loader: 'js' }
    })
  }
}

/** Native code and files that packages send. */
async function copyFiles(): Promise<void> {
  const packageFolder = (name: string) => dirname(require.resolve(`${name}/package.json`))
  const native = (finder: string, name: string): string => require(finder).resolve(packageFolder(name))
  await copyFile(native('node-gyp-build', 'lzma-native'), join(dist, 'lzma.node'))
  await copyFile(
    native('node-gyp-build-optional-packages', 'msgpackr-extract'),
    join(dist, 'msgpackr-extract.node')
  )
  await cp(join(packageFolder('@fastify/swagger-ui'), 'static'), join(dist, 'swagger-ui'), {
    recursive: true
  })
}

/** What the licences of the packages ask for: their texts come along. */
async function licences({ inputs }: Metafile): Promise<string> {
  const folders = new Set(
    Object.keys(inputs).flatMap(path => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [])
  )
  const texts: string[] = []
  for (const folder of [...folders].sort()) {
    const { name, version, license } = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'))
    const files = await Array.fromAsync(glob('{LICEN[CS]E,NOTICE,COPYING}*', { cwd: join(root, folder) }))
    const parts = await Promise.all(files.sort().map(file => readFile(join(root, folder, file), 'utf8')))
    texts.push([`${name} ${version} (${license})`, ...parts.map(text => text.trim())].join('\n\n'))
  }
  return `${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`
}

await rm(dist, { recursive: true, force: true })
await mkdir(dist)
const threads = await threadFiles()
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: [
    { in: 'src/cli.ts', out: 'serai' },
    ...threads.map(file => ({ in: file, out: threadName(file) }))
  ],
  outdir: dist,
  bundle: true,
  // What is imported while the server runs, as the drivers of the cluster profile, gets files of its own.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24.7',
  packages: 'bundle',
  // Native code is copied.
  external: ['*.node'],
  banner: { js: BANNER },
  plugins: [places],
  // Names stay as they are: errors and logs have them.
  minifyWhitespace: true,
  minifySyntax: true,
  keepNames: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning'
})
await copyFiles()
await writeFile(join(dist, 'package.json'), '{ "type": "module" }\n')
await writeFile(join(dist, 'LICENSES.txt'), await licences(metafile))
for (const [file, { bytes }] of Object.entries(metafile.outputs)
  .sort((a, b) => b[1].bytes - a[1].bytes)
  .slice(0, 8))
  process.stdout.write(`${String(Math.round(bytes / 1024)).padStart(6)} kB  ${file}\n`)
