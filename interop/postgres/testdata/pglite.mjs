// PGlite databases in one process, each behind a socket: node pglite.mjs MODULES SOCKET …
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [modules, ...sockets] = process.argv.slice(2)
const require = createRequire(modules + '/')
const load = (name) => import(pathToFileURL(require.resolve(name)).href)
const { PGlite } = await load('@electric-sql/pglite')
const { PGLiteSocketServer } = await load('@electric-sql/pglite-socket')

let template
for (const path of sockets) {
  // What the first one has made of nothing, which takes seconds, the others begin with.
  const db = await PGlite.create(template ? { loadDataDir: template } : {})
  template ??= await db.dumpDataDir('none')
  const server = new PGLiteSocketServer({ db, path, maxConnections: 32 })
  await server.start()
  console.log('serves', path)
}
