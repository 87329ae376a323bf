// PGlite databases in one process, each behind a socket: node pglite.mjs MODULES. A line of
// standard input asks for one, {"socket": PATH, "most": CONNECTIONS, "dir": FOLDER}; without a folder it is in memory.
import { existsSync, promises as fs } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const modules = process.argv[2]
const require = createRequire(modules + '/')
const load = (name) => import(pathToFileURL(require.resolve(name)).href)
const { PGlite } = await load('@electric-sql/pglite')
const { PGLiteSocketServer } = await load('@electric-sql/pglite-socket')

// A database takes seconds to be made of nothing: that is done once, beside the packages.
const empty = join(dirname(modules), 'pglite.tar')
if (!existsSync(empty)) {
  const made = join(dirname(modules), `pglite.${process.pid}`)
  const dump = await (await PGlite.create()).dumpDataDir('none')
  await fs.writeFile(made, Buffer.from(await dump.arrayBuffer()))
  await fs.rename(made, empty)
}
const template = new Blob([await fs.readFile(empty)])

for await (const line of createInterface({ input: process.stdin })) {
  const { socket, dir, most } = JSON.parse(line)
  const there = dir && existsSync(join(dir, 'PG_VERSION'))
  const db = await PGlite.create({ dataDir: dir, loadDataDir: there ? undefined : template })
  await new PGLiteSocketServer({ db, path: socket, maxConnections: most }).start()
  console.log('serves', socket)
}
process.exit()
