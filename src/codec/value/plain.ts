import { ValueError } from './value-error.ts'
import type { ValueErrorReason } from './value-error.ts'

/**
 * What "plain" means, for the encoder, the walk and the explanation of a refusal alike: one rule, three readers.
 * Every function throws a `ValueError` without a path; `explainRefusal` finds the path afterwards, off the fast way.
 */

/** Throws the short form of a refusal. */
export function refuse(reason: ValueErrorReason, message: string): never {
  throw new ValueError(reason, '', message)
}

/**
 * The keys of a plain object in iteration order: prototype exactly `Object.prototype` and no symbol among its keys. That
 * each is an enumerable data property is checked as it is read, by `dataProperty`. An object without a prototype is
 * refused too, because it would come back from a snapshot with one and so behave differently on a restored replica.
 *
 * PERF: about 70 ns + 15 ns per key; `Object.keys` would not show hidden properties and `Reflect.ownKeys` costs 70 per key.
 */
export function plainKeys(value: object): readonly string[] {
  if (Object.getPrototypeOf(value) !== Object.prototype) refuse('NOT_PLAIN', notPlainMessage(value))
  if (Object.getOwnPropertySymbols(value).length !== 0) refuse('NOT_PLAIN', 'an object has a symbol as a key')
  return Object.getOwnPropertyNames(value)
}

/**
 * The value of an own enumerable data property; an accessor is refused without being called.
 *
 * PERF: about 50 ns; reading alone would be 5, but would run the getter.
 */
export function dataProperty(object: object, key: string): unknown {
  const descriptor = Object.getOwnPropertyDescriptor(object, key)
  if (descriptor === undefined) return refuse('NOT_PLAIN', 'a property went away while it was read')
  if (descriptor.get !== undefined || descriptor.set !== undefined)
    refuse('NOT_PLAIN', 'a property is a getter or setter')
  if (descriptor.enumerable !== true) refuse('NOT_PLAIN', 'a property is hidden')
  if (key === '__proto__') refuse('NOT_PLAIN', 'an object has a key named __proto__')
  return descriptor.value
}

/**
 * The names of a plain array's own properties: its indices, then "length", and nothing else: no holes, no subclass, no
 * named properties (a RegExp match has some).
 */
export function plainArrayNames(value: readonly unknown[]): readonly string[] {
  if (Object.getPrototypeOf(value) !== Array.prototype) refuse('NOT_PLAIN', notPlainMessage(value))
  if (Object.getOwnPropertySymbols(value).length !== 0) refuse('NOT_PLAIN', 'an array has a symbol as a key')
  const names = Object.getOwnPropertyNames(value)
  // Indices come first, so "length" stands behind all of them exactly when none is missing.
  if (names[value.length] !== 'length') refuse('UNDEFINED', 'an array has a hole')
  if (names.length !== value.length + 1) refuse('NOT_PLAIN', 'an array has a named property')
  return names
}

/**
 * Refuses what `plainArrayNames` refuses, but for a hole that a named property makes up for: that one is met by
 * `dataElement`.
 *
 * PERF: names of elements are strings that are made for the asking, so they are only counted here and not read by.
 */
export function checkPlainArray(value: readonly unknown[]): void {
  if (Object.getPrototypeOf(value) !== Array.prototype || Reflect.ownKeys(value).length !== value.length + 1)
    plainArrayNames(value)
}

/** The value of an element that is a data property; an accessor is refused without being called. */
export function dataElement(array: readonly unknown[], index: number): unknown {
  const descriptor = Object.getOwnPropertyDescriptor(array, index)
  if (descriptor === undefined) return refuse('UNDEFINED', 'an array has a hole')
  if (descriptor.get !== undefined || descriptor.set !== undefined)
    refuse('NOT_PLAIN', 'a property is a getter or setter')
  if (descriptor.enumerable !== true) refuse('NOT_PLAIN', 'a property is hidden')
  return descriptor.value
}

/** Bytes are Uint8Array itself: a Buffer would come back from a snapshot as something that behaves differently. */
export function isBytes(value: object): value is Uint8Array {
  return Object.getPrototypeOf(value) === Uint8Array.prototype
}

/** Refuses numbers that the encoding would change or that other readers could not hold. */
export function checkNumber(value: number): void {
  if (!Number.isFinite(value)) refuse('NOT_FINITE', `${value} is not a finite number`)
  if (Object.is(value, -0)) refuse('NEGATIVE_ZERO', '-0 is not a value; use 0')
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    refuse('UNSAFE_INTEGER', `${value} is an integer beyond 2^53-1; use a string`)
  }
}

/** Bytes of the string in UTF-8; refuses lone surrogates, which UTF-8 cannot hold. */
export function utf8Length(value: string): number {
  let bytes = value.length
  for (let index = 0; index < value.length; index += 1) {
    const unit = value.charCodeAt(index)
    if (unit < 0x80) continue
    if (unit < 0x800) bytes += 1
    else if ((unit & 0xf800) !== 0xd800) bytes += 2
    else {
      if (unit >= 0xdc00 || (value.charCodeAt(index + 1) & 0xfc00) !== 0xdc00)
        refuse('BAD_STRING', 'a string has a lone surrogate')
      bytes += 2
      index += 1
    }
  }
  return bytes
}

/** Why something that is no container, scalar or bytes is not a value, with the way out where there is one. */
export function notPlainMessage(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `a ${typeof value} is not a value`
  if (value instanceof Uint8Array) return 'bytes must be a plain Uint8Array; use new Uint8Array(buffer)'
  if (value instanceof Date) return 'a Date is not a value; use integer milliseconds'
  if (value instanceof Map || value instanceof Set) return 'a Map or Set is not a value; use an array or a plain object'
  if (ArrayBuffer.isView(value)) return 'a typed array is not a value; use an array of numbers or a Uint8Array'
  if (Object.getPrototypeOf(value) === null)
    return 'an object without a prototype is not a value; copy it with {...object}'
  return 'a class instance is not a value; use a plain object'
}
