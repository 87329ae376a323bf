// PGlite databases in one process, each behind a socket: node pglite.mjs MODULES. A line of
// standard input asks for one, {"socket": PATH, "most": CONNECTIONS, "dir": FOLDER}; without a folder it is in memory.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const require = createRequire(process.argv[2] + '/')
const load = (name) => import(pathToFileURL(require.resolve(name)).href)
const { PGlite } = await load('@electric-sql/pglite')
const { PGLiteSocketServer } = await load('@electric-sql/pglite-socket')

let template
for await (const line of createInterface({ input: process.stdin })) {
  const { socket, dir, most } = JSON.parse(line)
  let db
  if (dir) {
    db = await PGlite.create(dir)
  } else {
    // What the first one has made of nothing, which takes seconds, the others begin with.
    db = await PGlite.create(template ? { loadDataDir: template } : {})
    template ??= await db.dumpDataDir('none')
  }
  await new PGLiteSocketServer({ db, path: socket, maxConnections: most }).start()
  console.log('serves', socket)
}
process.exit()
