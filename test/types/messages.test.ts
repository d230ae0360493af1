import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const HEAD = [
  ['StockContext, stock', join(ROOT, 'test/types/stock.ts')],
  ['ClientSession', join(ROOT, 'src/client/index.ts')],
] as const

/** One wrong line each, with what the compiler must say of it, and nothing else. */
const WRONG: readonly { readonly name: string; readonly line: string; readonly says: readonly string[] }[] = [
  {
    name: 'a detail of another type is told by its field',
    line: `ctx.reject('TOO_FEW', { left: 'many' })`,
    says: ["Type 'string' is not assignable to type 'number'", "comes from property 'left'"],
  },
  {
    name: 'a detail that the code does not have is told by its name',
    line: `ctx.reject('TOO_FEW', { remaining: 1 })`,
    says: ["'remaining' does not exist in type '{ readonly left: number; }'"],
  },
  {
    name: 'details that are missing are missed',
    line: `ctx.reject('TOO_FEW')`,
    says: ['Expected 2 arguments, but got 1'],
  },
  {
    name: 'a code that nobody declared is told, with those that there are',
    line: `ctx.reject('TOO_FEWW', { left: 1 })`,
    says: [`'"TOO_FEWW"' is not assignable to parameter of type`, `"TOO_FEW" | `],
  },
  {
    name: 'a detail that is no plain data is refused for a common code',
    line: `ctx.reject('NOT_FOUND', { left: () => 1 })`,
    says: ["'() => number' is not assignable to type 'Value"],
  },
  {
    name: 'the payload of a timer is told by its field',
    line: `ctx.schedule('lapse', 1, { itm: 'a' })`,
    says: ["'itm' does not exist in type '{ readonly item: string; }'"],
  },
  { name: 'a timer is told by its name', line: `ctx.schedule('laps', 1, { item: 'a' })`, says: [`type '"lapse"'`] },
  {
    name: 'the payload of a server request is told by its field',
    line: `ctx.emit(ctx.session.id, 'low', { item: 1, left: 1 })`,
    says: ["Type 'number' is not assignable to type 'string'", "comes from property 'item'"],
  },
  {
    name: 'a server request is told by its name',
    line: `ctx.emit(ctx.session.id, 'lower', { item: 'a', left: 1 })`,
    says: [`'"lower"' is not assignable to parameter of type '"expired" | "low"'`],
  },
  {
    name: 'a kind of task is told by its name',
    line: `ctx.task('shipp', 'ref', { item: 'a', quantity: 1 })`,
    says: [`'"shipp"' is not assignable to parameter of type '"count" | "ship"'`],
  },
  {
    name: 'the payload of a task is told by its field',
    line: `ctx.task('ship', 'ref', { item: 'a' })`,
    says: ["Property 'quantity' is missing"],
  },
  {
    name: 'a code that the command is not refused with is told by those that it is',
    line: `session.machines.stock.reserve({ item: 'a' }).then((o) => o.kind === 'rejected' && o.code === 'TOO_MANY')`,
    says: ['no overlap', `"TOO_FEW"`, `"TOO_MANY"`],
  },
  {
    name: 'a detail that the code does not have is told where it is read',
    line: `session.machines.stock
  .reserve({ item: 'a' }).then((o) => o.kind === 'rejected' && o.code === 'FROZEN' && o.details.left)`,
    says: ["'left' does not exist on type '{ readonly until: number; }'"],
  },
  {
    name: 'a command is told by its name',
    line: `session.machines.stock.reserv({ item: 'a' })`,
    says: ["'reserv' does not exist", "Did you mean 'reserve'"],
  },
  {
    name: 'a machine is told by its name',
    line: `session.machines.stocks`,
    says: ["'stocks' does not exist", "Did you mean 'stock'"],
  },
  {
    name: 'a query is told by its name',
    line: `session.queries.stock.lefts('a')`,
    says: ["'lefts' does not exist", "Did you mean 'left'"],
  },
  {
    name: 'the input of a command is told by its field',
    line: `session.machines.stock.reserve({ item: 1 })`,
    says: ["Type 'number' is not assignable to type 'string'", "comes from property 'item'"],
  },
  {
    name: 'a field that the input does not have is told by its name',
    line: `session.machines.stock.reserve({ item: 'a', amount: 1 })`,
    says: ["'amount' does not exist in type"],
  },
  {
    name: 'a type of server request is told by those that there are',
    line: `session.on('stock.expird', () => {})`,
    says: ['"stock.expird"', '"stock.expired"', '"notification"'],
  },
  {
    name: 'a payload that the request does not have is told where it is read',
    line: `session.on('stock.expired', ({ payload }) => payload.until)`,
    says: ["'until' does not exist on type '{ readonly item: string; readonly at: number; }'"],
  },
  {
    name: 'a type that no request has is told where it is asked for',
    line: `session.serverRequests().next().then(({ value }) => value?.type === 'stock.gone')`,
    says: ['no overlap', '"stock.gone"'],
  },
  {
    name: 'a kind of task that no machine declares is told beside one that is',
    line: `session.worker({ shipp: () => ({ parcel: 'p' }) })`,
    says: ["'shipp' does not exist in type", "Did you mean to write 'ship'"],
  },
  {
    name: 'the result of a worker is told by its field',
    line: `session.worker({ ship: async () => ({ parcel: 1 }) })`,
    says: ["Type 'number' is not assignable to type 'string'", "Types of property 'parcel' are incompatible"],
  },
  {
    name: 'a payload that a task does not have is told where it is read',
    line: `session.worker({ ship: async (payload) => ({ parcel: payload.address }) })`,
    says: ["'address' does not exist on type '{ readonly item: string; readonly quantity: number; }'"],
  },
  {
    name: 'an input that is missing is missed',
    line: `session.machines.stock.reserve()`,
    says: ['Expected 1-2 arguments, but got 0'],
  },
]

/** Codes of the kit: what the compiler listed instead of the field that was wrong. */
const FRAMEWORK = /RATE_LIMITED|CommonErrorCode|Overload/

describe('what the compiler says of a line that is wrong', () => {
  let directory = ''
  const said = new Map<string, string>()

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-wrong-'))
    const head = HEAD.map(([names, path]) => `import type { ${names} } from '${relative(directory, path)}'\n`).join('')
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ type: 'module' }))
    for (const [index, { line }] of WRONG.entries())
      writeFileSync(
        join(directory, `wrong-${index}.ts`),
        `${head}type Session = ClientSession<readonly [typeof stock]>\nexport const wrong = (ctx: StockContext, session: Session) => ${line}\n`,
      )
    const config = {
      extends: join(ROOT, 'test/tsconfig.json'),
      include: ['.'],
      compilerOptions: { rootDir: '/', typeRoots: [join(ROOT, 'node_modules/@types')] },
    }
    writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(config))
    const output = await compile(directory)
    for (const part of output.split(/(?=^[^\s].*wrong-\d+\.ts)/m)) {
      const index = /wrong-(\d+)\.ts/.exec(part)?.[1]
      if (index !== undefined) said.set(index, (said.get(index) ?? '') + part)
    }
  })

  afterAll(() => rmSync(directory, { recursive: true }))

  test.each(WRONG.map((each, index) => ({ ...each, index })))('$name', ({ index, says }) => {
    const text = said.get(`${index}`) ?? ''
    for (const each of says) expect(text).toContain(each)
    // The constraint of the code names the kit's own, which is right there and nowhere else.
    if (!says.some((each) => each.includes('TOO_FEWW'))) expect(text).not.toMatch(FRAMEWORK)
  })
})

/** What tsc says, with the places that explain it; it ends with an error, as it should. */
function compile(project: string): Promise<string> {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  const options = ['-p', project, '--pretty', '--noErrorTruncation']
  return new Promise((resolve) =>
    execFile(process.execPath, [tsc, ...options], (_error, output) => {
      resolve(stripVTControlCharacters(output))
    }),
  )
}
