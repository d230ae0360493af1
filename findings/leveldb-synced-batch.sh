#!/usr/bin/env bash
# In LevelDB a synced batch does not make the unsynced batches before it durable.
#
# Expected:  a batch with `sync: true` is a barrier: when it has returned, it and all that was written before it survive a
#            power failure, because the log is one sequence. LevelDB's own guide advises it for bulk loads: sync every
#            n-th write, and after a crash go on behind the last synced one.
# Instead:   the sync is of the log file in use. When the table in memory is full, LevelDB goes on in a new log file and
#            closes the old one without a sync. A synced batch that comes then syncs the new file; what is in the old one
#            is durable only when the table has been written and synced in the background. A power failure in between keeps
#            the synced batch and loses older ones, and the database opens without an error.
# Versions:  level 10.0.0 with classic-level 3.0.0 (LevelDB 1.20), Node 20.20 and Linux. The table in memory is set to 16 MiB,
#            so that its background write takes long enough to be seen; by default it has 4 MiB, and the gap is shorter.
#            The power failure is played by cutting the files that were never synced down to nothing.
# Matters:   a marker of progress that is written with a sync may outlive what it marks. Sync every batch that counts, or
#            let the marker carry what it needs.
# Source:    the package's copy of LevelDB, db_impl.cc: making room for a write opens the new log and drops the old one
#            without a sync; a write with sync syncs the log that is open. The guide's advice is under synchronous writes. The
#            missing sync has been reported upstream and is open. The observation needs strace (apt-get install strace).
set -euo pipefail
command -v strace > /dev/null || { echo 'skipped: needs strace'; exit 77; }
strace -o /dev/null true 2> /dev/null || { echo 'skipped: strace may not trace here'; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --no-audit --no-fund --loglevel=error level@10.0.0 classic-level@3.0.0 > npm.log 2>&1 ||
  { cat npm.log; echo 'skipped: npm cannot install the packages'; exit 77; }

# Fills the table in memory with unsynced batches until LevelDB starts its second log, writes one synced batch, and ends at once.
cat > write.js <<'END'
import { accessSync, readdirSync } from 'node:fs'
import { Level } from 'level'
const directory = process.argv[2]
const database = new Level(directory, { valueEncoding: 'view', compression: false, writeBufferSize: 16 * 1024 * 1024 })
await database.open()
const value = new Uint8Array(64 * 1024).map((_, index) => Math.imul(index, 2654435761) >>> 13)
const logs = () => readdirSync(directory).filter((name) => name.endsWith('.log')).length
let batches = 0
while (logs() < 2 && batches < 2000) {
  batches += 1
  await database.batch([{ type: 'put', key: `unsynced-${String(batches).padStart(4, '0')}`, value }])
}
await database.batch([{ type: 'put', key: 'synced', value: Uint8Array.of(batches >> 8, batches & 255) }], { sync: true })
try {
  accessSync('/the-synced-batch-has-returned')
} catch {}
process.kill(process.pid, 'SIGKILL')
END

# Reads the trace: which files were synced before the synced batch returned. Cuts the others, and opens the database again.
cat > judge.js <<'END'
import { readdirSync, readFileSync, statSync, truncateSync } from 'node:fs'
import { Level } from 'level'
const directory = process.argv[2]
const synced = new Map()
let returned = false
for (const line of readFileSync('trace.txt', 'utf8').split('\n')) {
  if (line.includes('the-synced-batch-has-returned')) {
    returned = true
    break
  }
  const path = /\b(?:fsync|fdatasync|sync_file_range)\(\d+<([^>]*)>/.exec(line)?.[1]
  if (path !== undefined) synced.set(path.split('/').pop(), (synced.get(path.split('/').pop()) ?? 0) + 1)
}
const names = readdirSync(directory).filter((name) => /\.(?:log|ldb)$/.test(name)).sort()
const files = names.map((name) => ({ name, bytes: statSync(`${directory}/${name}`).size, syncs: synced.get(name) ?? 0 }))
if (!returned || files.filter(({ name }) => name.endsWith('.log')).length !== 2) {
  console.log('  no two logs were there when the synced batch returned')
  process.exit(3)
}
console.log('  when the synced batch returned:')
for (const { name, bytes, syncs } of files) console.log(`    ${name}: ${bytes} bytes, synced ${syncs} times`)
for (const { name, syncs } of files) if (syncs === 0) truncateSync(`${directory}/${name}`, 0)
const database = new Level(directory, { valueEncoding: 'view', createIfMissing: false })
let opened = true
let batches = 0
let found = 0
try {
  await database.open()
  const marker = await database.get('synced')
  batches = marker === undefined ? 0 : marker[0] * 256 + marker[1]
  for await (const key of database.keys({ gte: 'unsynced-', lt: 'unsynced.' })) found += key.length > 0 ? 1 : 0
  await database.close()
} catch (error) {
  opened = false
  console.log(`  ${error.code}: ${error.cause?.message ?? error.message}`)
}
console.log(`  with the files that were never synced cut to nothing, the database ${opened ? 'opens without an error' : 'does not open'};`)
console.log(`  the synced batch is ${batches > 0 ? 'there' : 'lost'}, and of the ${batches} batches before it ${batches - found} are lost`)
process.exit(opened && batches > 0 && found < batches / 2 ? 0 : 3)
END

version() { node -p "JSON.parse(fs.readFileSync('node_modules/$1/package.json')).version"; }
echo "level $(version level), classic-level $(version classic-level), Node $(node -p process.versions.node)"
for attempt in 1 2 3; do
  echo "attempt $attempt:"
  # The shell inside reports the kill of the writing process, which is meant.
  { strace -f -y -o trace.txt -e trace=fsync,fdatasync,sync_file_range,access,faccessat,faccessat2 \
    node write.js "$folder/data-$attempt" || true; } 2> /dev/null
  if node judge.js "$folder/data-$attempt"; then
    echo 'as described: the synced batch outlives unsynced ones from before it.'
    exit 0
  fi
  # The background write may have been quicker than the synced batch; then there was nothing to see.
done
echo 'NO LONGER AS DESCRIBED: in three attempts, all that was written before the synced batch was durable when it returned.'
exit 1
