import fc from 'fast-check'

/** Values that do not belong: all of fast-check's, and those that fight back. */
export const anything: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true }), weight: 4 },
  fc.anything({ withTypedArray: true, withSparseArray: true, withNullPrototype: true, withObjectString: true }),
  fc.constantFrom<unknown>(
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    -1,
    -0,
    2 ** 31,
    2 ** 53,
    'c'.repeat(300),
    '\ud800',
    '',
    'system',
    '__proto__',
    Symbol('s'),
    Symbol.iterator,
    2n ** 70n,
    new Date(0),
    /x/,
    new Uint8Array(3),
    Buffer.from('b'),
    AbortSignal.abort(),
  ),
  fc.constantFrom('«cyclic»', '«hostile»', '«revoked»', '«getter»', '«thrower»', '«rejecter»', '«thenable»', '«bytes»'),
)

function cyclic(): unknown {
  const list: unknown[] = []
  list.push({ list })
  return list
}

function hostile(): unknown {
  const fail = (): never => {
    throw new Error('hostile')
  }
  return new Proxy({}, { get: fail, getPrototypeOf: fail, ownKeys: fail, has: fail, getOwnPropertyDescriptor: fail })
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable([], {})
  revoke()
  return proxy
}

function getter(): unknown {
  return {
    get deadlineMs() {
      throw hostile()
    },
    get name() {
      throw null
    },
  }
}

function thrower(): unknown {
  return () => {
    throw hostile()
  }
}

function rejecter(): unknown {
  return () => Promise.reject(new Error('rejected'))
}

function thenable(): unknown {
  return Object.fromEntries([['then', thrower()]])
}

function bytesProxy(): unknown {
  return new Proxy(new Uint8Array(2), {})
}

/** What fights back also fights fast-check, which looks at what it draws: so it draws the name, and a printable one. */
const FIGHTERS: ReadonlyMap<unknown, () => unknown> = new Map([
  ['«cyclic»', cyclic],
  ['«hostile»', hostile],
  ['«revoked»', revoked],
  ['«getter»', getter],
  ['«thrower»', thrower],
  ['«rejecter»', rejecter],
  ['«thenable»', thenable],
  ['«bytes»', bytesProxy],
])

/** The value with those that fight back in place of their names; `deep` levels of lists and plain objects are looked at. */
export function realise(value: unknown, deep = 4): unknown {
  const fighter = FIGHTERS.get(value)
  if (fighter !== undefined) return fighter()
  if (typeof value !== 'object' || value === null || deep === 0) return value
  if (Array.isArray(value)) {
    const items = value.map((each) => realise(each, deep - 1))
    return items.some((each, at) => !Object.is(each, value[at])) ? items : value
  }
  const prototype: object | null = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  const entries = Object.entries(value).map(([key, each]) => [key, realise(each, deep - 1), each] as const)
  return entries.some(([, each, before]) => !Object.is(each, before)) ? Object.fromEntries(entries) : value
}
