// Makes a checkout ready to run: installs what is missing, compiles what changed, links the CLI. Plain Node without
// dependencies, because it runs before anything is installed. Quiet and quick when there is nothing to do.
//   node .scripts/setup.mjs [--force]     --force compiles even when nothing changed
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const lockFile = join(root, '.scripts', '.setup.lock')
const dist = join(root, 'dist')
const stampFile = join(dist, '.compiled')
const binary = join(dist, 'src', 'cli', 'main.js')
const link = join(root, 'node_modules', '.bin', 'holdfast')
const linkTarget = join('..', '..', 'dist', 'src', 'cli', 'main.js')
const force = process.argv.includes('--force')

class SetupError extends Error {}

checkNode()
if (force || !installed() || !compiled() || !linked()) {
  const release = await acquireLock()
  try {
    // Another process may have done the work while this one waited.
    if (!installed()) install()
    if (force || !compiled()) compile()
    if (!linked()) linkBinary()
  } catch (error) {
    release()
    fail(error instanceof SetupError ? error.message : error.stack)
  } finally {
    release()
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  fail(
    `Holdfast needs Node.js 20.19 or newer; this is ${process.versions.node}. Install a newer Node.js and try again.`,
  )
}

/** npm writes node_modules/.package-lock.json last, so it tells what is completely installed. */
function installed() {
  const wanted = readJson(join(root, 'package-lock.json'))
  const present = readJson(join(root, 'node_modules', '.package-lock.json'))
  if (wanted === null) fail('package-lock.json is missing or damaged: check it out again.')
  if (present === null) return false
  return Object.entries(wanted.packages).every(([path, entry]) => {
    if (path === '' || entry.optional || entry.devOptional || entry.peer) return true
    return present.packages?.[path]?.version === entry.version
  })
}

function install() {
  say('installing packages (npm ci)')
  const npm = process.env.npm_execpath
  const options = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  const [command, parameters] = npm?.endsWith('.js') ? [process.execPath, [npm, ...options]] : ['npm', options]
  run(command, parameters, 'npm ci failed: see the lines above. Is the package registry reachable?')
}

/** Paths, sizes and times of everything the compiler reads, as one hash. */
function fingerprint() {
  const hash = createHash('sha256')
  const visit = (path) => {
    const found = fs.statSync(path, { throwIfNoEntry: false })
    // What benches write there is no source.
    if (found === undefined || path === join(root, 'bench', 'results')) return
    if (!found.isDirectory()) {
      hash.update(`${path.slice(root.length)} ${found.size} ${found.mtimeMs}\n`)
      return
    }
    for (const name of fs.readdirSync(path).sort()) visit(join(path, name))
  }
  for (const name of [
    'src',
    'bench',
    'test/explore',
    'test/mutants',
    'test/machines',
    'tsconfig.json',
    'package-lock.json',
  ])
    visit(join(root, name))
  return hash.digest('hex')
}

function compiled() {
  return fs.existsSync(binary) && readText(stampFile) === fingerprint()
}

/** Compiles beside the old output and swaps, so that a failed compilation breaks nothing and no stale file stays. */
function compile() {
  say('compiling')
  const stamp = fingerprint()
  const next = join(root, `.dist-${process.pid}`)
  const old = join(root, `.dist-${process.pid}-old`)
  try {
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    run(process.execPath, [tsc, '-p', join(root, 'tsconfig.json'), '--outDir', next], 'the sources do not compile')
    fs.chmodSync(join(next, 'src', 'cli', 'main.js'), 0o755)
    fs.writeFileSync(join(next, '.compiled'), stamp)
    if (fs.existsSync(dist)) fs.renameSync(dist, old)
    fs.renameSync(next, dist)
  } finally {
    fs.rmSync(next, { recursive: true, force: true })
    fs.rmSync(old, { recursive: true, force: true })
  }
}

function linked() {
  try {
    return fs.readlinkSync(link) === linkTarget
  } catch {
    return false
  }
}

/** npm links the bins of dependencies but not a package's own: this makes `npx holdfast` work in the checkout. */
function linkBinary() {
  fs.mkdirSync(dirname(link), { recursive: true })
  fs.rmSync(link, { force: true })
  fs.symlinkSync(linkTarget, link)
}

/** One set-up at a time. The lock names its owner, so that one left behind by a killed process is taken over. */
async function acquireLock() {
  const mine = `${lockFile}.${process.pid}`
  fs.writeFileSync(mine, String(process.pid))
  for (let waited = 0; ; waited += 1) {
    try {
      fs.linkSync(mine, lockFile)
      fs.rmSync(mine)
      return () => fs.rmSync(lockFile, { force: true })
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const owner = readText(lockFile)
    if (owner !== null && !alive(Number(owner))) removeStale(owner)
    else {
      if (waited === 20) say(`waiting for another set-up (process ${owner})`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

/** Moves the lock aside before looking again: a lock that somebody took meanwhile is put back. */
function removeStale(owner) {
  const aside = `${lockFile}.${process.pid}.stale`
  try {
    fs.renameSync(lockFile, aside)
    if (readText(aside) !== owner) fs.linkSync(aside, lockFile)
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error
  } finally {
    fs.rmSync(aside, { force: true })
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Output goes to stderr, so that `npm run -s … --json` prints nothing but its result on stdout. */
function run(command, parameters, message) {
  const result = spawnSync(command, parameters, { cwd: root, stdio: ['ignore', 2, 2] })
  if (result.status !== 0) throw new SetupError(result.error ? `${message} (${result.error.message})` : message)
}

function readText(path) {
  try {
    return fs.readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

function readJson(path) {
  try {
    return JSON.parse(readText(path) ?? '')
  } catch {
    return null
  }
}

function say(text) {
  process.stderr.write(`holdfast set-up: ${text}\n`)
}

function fail(text) {
  say(text)
  process.exit(1)
}
