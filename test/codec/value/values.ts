import fc from 'fast-check'
import type { Value } from '../../../src/codec/value/value.ts'

/** Strings of whole code points, with the borders of UTF-8 and of the codec's fast ways in them. */
export const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 70 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom(
    '',
    '\u0000',
    '\u007f',
    '\u0080',
    '\u07ff',
    '\u0800',
    '\uffff',
    '\u{10000}',
    '\u{10ffff}',
    '\ufeff',
    'x'.repeat(31),
    'x'.repeat(32),
    'x'.repeat(33),
    'é'.repeat(128),
    'x'.repeat(256),
    'x'.repeat(65_536),
  ),
)

/** Numbers that are values, with the borders of every encoding in them. */
export const numbers = fc.oneof(
  fc.constantFrom(0, 1, -1, -32, -33, 127, 128, 255, 256, -128, -129, 32_767, 32_768, 65_535, 65_536, -32_768, -32_769),
  fc.constantFrom(
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31),
    -(2 ** 31) - 1,
    2 ** 32 - 1,
    2 ** 32,
    -(2 ** 32),
    2 ** 53 - 1,
    1 - 2 ** 53,
    0.5,
    5e-324,
  ),
  fc.integer(),
  fc.maxSafeInteger(),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .filter((value) => !Object.is(value, -0) && (!Number.isInteger(value) || Number.isSafeInteger(value))),
)

const keys = fc
  .oneof(fc.constantFrom('id', 'constructor', 'toJSON', 'hasOwnProperty', 'length', '0', '10', '2', '', 'then'), texts)
  .filter((name) => name !== '__proto__')

/** Any value, small enough for a property run. */
export const values: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    fc.oneof(fc.constant(null), fc.boolean(), numbers, texts, fc.uint8Array({ maxLength: 300 })),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(keys, tie('value'), { maxKeys: 20, noNullPrototype: true }),
  ),
})).value

/** Everything but a value, with the reason it is refused for and the path to it. */
export const refused: readonly {
  readonly what: string
  readonly value: unknown
  readonly reason: string
  readonly path: string
}[] = [
  { what: 'undefined', value: undefined, reason: 'UNDEFINED', path: '' },
  { what: 'undefined under a key', value: { a: { b: undefined } }, reason: 'UNDEFINED', path: '.a.b' },
  { what: 'NaN', value: [1, { price: Number.NaN }], reason: 'NOT_FINITE', path: '[1].price' },
  { what: 'an infinity', value: -Infinity, reason: 'NOT_FINITE', path: '' },
  { what: 'negative zero', value: { a: [-0] }, reason: 'NEGATIVE_ZERO', path: '.a[0]' },
  { what: 'an integer beyond 2^53-1', value: 2 ** 53, reason: 'UNSAFE_INTEGER', path: '' },
  { what: 'a great double without a fraction', value: 1e300, reason: 'UNSAFE_INTEGER', path: '' },
  { what: 'a bigint', value: 1n, reason: 'NOT_PLAIN', path: '' },
  { what: 'a symbol', value: Symbol('a'), reason: 'NOT_PLAIN', path: '' },
  { what: 'a function', value: { toJSON: () => 1 }, reason: 'NOT_PLAIN', path: '.toJSON' },
  { what: 'a lone high surrogate', value: 'a\ud800', reason: 'BAD_STRING', path: '' },
  {
    what: 'a lone low surrogate in a long string',
    value: [`${'x'.repeat(99)}\udc00`],
    reason: 'BAD_STRING',
    path: '[0]',
  },
  { what: 'a lone surrogate in a key', value: { 'a\ud800b': 1 }, reason: 'BAD_STRING', path: '.a\ud800b' },
  { what: 'a Date', value: { at: new Date(0) }, reason: 'NOT_PLAIN', path: '.at' },
  { what: 'a Map', value: new Map([[1, 2]]), reason: 'NOT_PLAIN', path: '' },
  { what: 'a Set', value: new Set([1]), reason: 'NOT_PLAIN', path: '' },
  { what: 'a RegExp', value: /a/, reason: 'NOT_PLAIN', path: '' },
  { what: 'an Error', value: new Error('a'), reason: 'NOT_PLAIN', path: '' },
  { what: 'a Promise', value: Promise.resolve(1), reason: 'NOT_PLAIN', path: '' },
  { what: 'a boxed string', value: Object('a'), reason: 'NOT_PLAIN', path: '' },
  {
    what: 'a class instance',
    value: new (class Point {
      x = 1
    })(),
    reason: 'NOT_PLAIN',
    path: '',
  },
  { what: 'a subclass of Array', value: new (class List extends Array {})(), reason: 'NOT_PLAIN', path: '' },
  { what: 'an object without a prototype', value: Object.create(null), reason: 'NOT_PLAIN', path: '' },
  { what: 'a Float64Array', value: new Float64Array(2), reason: 'NOT_PLAIN', path: '' },
  { what: 'a Buffer', value: { a: Buffer.from('a') }, reason: 'NOT_PLAIN', path: '.a' },
  { what: 'an ArrayBuffer', value: new ArrayBuffer(2), reason: 'NOT_PLAIN', path: '' },
  {
    what: 'a getter',
    value: {
      a: {
        get b() {
          throw new Error('called')
        },
      },
    },
    reason: 'NOT_PLAIN',
    path: '.a.b',
  },
  { what: 'a setter', value: { set b(_value: number) {} }, reason: 'NOT_PLAIN', path: '.b' },
  {
    what: 'a getter in an array',
    value: Object.defineProperty([1], 0, { get: () => 1, enumerable: true, configurable: true }),
    reason: 'NOT_PLAIN',
    path: '[0]',
  },
  { what: 'a symbol key', value: { [Symbol('a')]: 1 }, reason: 'NOT_PLAIN', path: '' },
  { what: 'a hidden property', value: Object.defineProperty({}, 'a', { value: 1 }), reason: 'NOT_PLAIN', path: '.a' },
  {
    what: 'a key named __proto__',
    value: JSON.parse('{"__proto__":{"admin":true}}'),
    reason: 'NOT_PLAIN',
    path: '.__proto__',
  },
  { what: 'a hole', value: { a: Object.assign(new Array(3), { 0: 1, 2: 3 }) }, reason: 'UNDEFINED', path: '.a' },
  {
    what: 'a hole behind a named property',
    value: Object.assign(new Array(2), { 0: 1, x: 3 }),
    reason: 'UNDEFINED',
    path: '',
  },
  {
    what: 'a hidden named property on an array',
    value: { a: Object.defineProperty([1], 'x', { value: 1 }) },
    reason: 'NOT_PLAIN',
    path: '.a',
  },
  {
    what: 'a symbol on an array',
    value: Object.assign([1], { [Symbol('a')]: 1 }),
    reason: 'NOT_PLAIN',
    path: '',
  },
  {
    what: 'a hidden element',
    value: [0, Object.defineProperty([1], 0, { value: 1, enumerable: false })],
    reason: 'NOT_PLAIN',
    path: '[1][0]',
  },
  { what: 'a named property on an array', value: /(a)/.exec('a'), reason: 'NOT_PLAIN', path: '' },
  { what: 'a cycle', value: cycle(), reason: 'CYCLE', path: '.a.b' },
]

/** An object with that many levels. */
export function nested(levels: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level += 1) value = { a: value }
  return value
}

/** 2^32 leaves in 32 levels of two references each. */
export function bomb(): unknown {
  let value: unknown = 1
  for (let level = 0; level < 32; level += 1) value = [value, value]
  return value
}

function cycle(): unknown {
  const inner: { b?: unknown } = {}
  const outer = { a: inner }
  inner.b = outer
  return outer
}
