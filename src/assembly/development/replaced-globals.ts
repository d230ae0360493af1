import {
  CASE_MAPPED,
  CASES,
  CLOCK,
  CONSTRUCTORS,
  DeterminismError,
  INEXACT,
  isExactPower,
  MEMBERS,
  METHODS,
  namesItsZone,
  type Rule,
  ZONE,
} from './forbidden.ts'
import { guardImported, type Judge, judgeImported } from './imported-functions.ts'

type AnyFunction = (this: unknown, ...parameters: unknown[]) => unknown

interface Place {
  readonly holder: object
  readonly member: string
}

/**
 * The globals that a machine may not use, replaced while it runs: each throws, or passes the call on while host code runs in
 * between. Entering and leaving are synchronous, so other code of the process finds everything as it left it.
 */
export class ReplacedGlobals {
  /** Replacements are in place. */
  inPlace = false
  private readonly report: (violation: DeterminismError) => void
  private letsPass = false
  private outer: Judge | null = null
  private readonly places: readonly (Place & { readonly descriptor: PropertyDescriptor })[]
  /** What stood in each place; undefined: nothing of its own. */
  private readonly originals: (PropertyDescriptor | undefined)[] = []

  constructor(report: (violation: DeterminismError) => void) {
    this.report = report
    guardImported()
    const places: (Place & { readonly make: (original: () => unknown) => unknown })[] = [
      ...METHODS.flatMap(([holder, name, members, rule]) =>
        members.map((member) => {
          const api = `${name === '' ? '' : `${name}.`}${member}()`
          return { holder, member, make: (original: () => unknown) => this.method(api, rule, original) }
        }),
      ),
      ...CASE_MAPPED.map(([member, last]) => {
        const make = (original: () => unknown): unknown => this.caseMapping(member, last, original)
        return { holder: String.prototype, member, make }
      }),
      { holder: Math, member: 'pow', make: (original) => this.power(original) },
      ...MEMBERS.map(([member, members, others]) => {
        const rule = (name: string): Rule | null => members[name] ?? others
        return { holder: globalThis, member, make: (original: () => unknown) => this.object(member, rule, original) }
      }),
      ...CONSTRUCTORS.map(([member, rule]) => {
        const make = (original: () => unknown): unknown => this.constructorOf(`new ${member}()`, rule, original)
        return { holder: globalThis, member, make }
      }),
      { holder: globalThis, member: 'Date', make: (original) => this.date(original) },
    ]
    this.places = places
      .filter(({ holder, member }) => member in holder)
      .map(({ holder, member, make }, at) => ({
        holder,
        member,
        descriptor: { value: make(() => this.original(at)), configurable: true, enumerable: false, writable: true },
      }))
  }

  /** Runs machine code. PERF: about two descriptors per place, see machines.md §2. */
  within<Result>(run: () => Result): Result {
    this.enter()
    try {
      return this.passing(false, run)
    } finally {
      this.leave()
    }
  }

  /** Runs host code (`pass`) or machine code while the replacements stay. */
  passing<Result>(pass: boolean, run: () => Result): Result {
    const was = this.letsPass
    this.letsPass = pass
    try {
      return run()
    } finally {
      this.letsPass = was
    }
  }

  private enter(): void {
    const { places, originals } = this
    for (let at = 0; at < places.length; at += 1) {
      const place = places[at] as (typeof places)[number]
      originals[at] = Object.getOwnPropertyDescriptor(place.holder, place.member)
      Object.defineProperty(place.holder, place.member, place.descriptor)
    }
    this.outer = judgeImported(this.judge)
    this.inPlace = true
  }

  private leave(): void {
    const { places, originals } = this
    this.inPlace = false
    judgeImported(this.outer)
    for (let at = 0; at < places.length; at += 1) {
      const { holder, member } = places[at] as (typeof places)[number]
      const own = originals[at]
      if (own === undefined) Reflect.deleteProperty(holder, member)
      else Object.defineProperty(holder, member, own)
    }
  }

  private original(at: number): unknown {
    const own = this.originals[at]
    return own === undefined || 'value' in own ? own?.value : own.get?.call(globalThis)
  }

  private readonly judge: Judge = (api, rule) => {
    if (!this.letsPass) this.refuse(api, rule)
  }

  private refuse(api: string, { why, instead }: Rule): never {
    const violation = this.passing(true, () => new DeterminismError(api, why, instead))
    this.report(violation)
    throw violation
  }

  private method(api: string, rule: Rule, original: () => unknown): AnyFunction {
    const guard = this
    return function (...parameters) {
      if (!guard.letsPass) return guard.refuse(api, rule)
      return Reflect.apply(original() as AnyFunction, this, parameters)
    }
  }

  /** Refused for text with a character behind `last`. */
  private caseMapping(member: string, last: string, original: () => unknown): AnyFunction {
    const guard = this
    return function (...parameters) {
      if (!guard.letsPass && isBeyond(String(this), last)) return guard.refuse(`String.${member}()`, CASES)
      return Reflect.apply(original() as AnyFunction, this, parameters)
    }
  }

  private power(original: () => unknown): AnyFunction {
    return (...parameters) => {
      const [base, exponent] = parameters as [number, number]
      if (!this.letsPass && !isExactPower(base, exponent)) this.refuse('Math.pow()', INEXACT)
      return Reflect.apply(original() as AnyFunction, Math, parameters)
    }
  }

  /** An object some of whose members are refused: values when they are read, functions when they are called. */
  private object(name: string, rule: (member: string) => Rule | null, original: () => unknown): object {
    return new Proxy(Object.create(null) as object, {
      get: (_stand, property) => {
        const target = original() as object
        const member: unknown = Reflect.get(target, property, target)
        const forbidden = this.letsPass || typeof property === 'symbol' ? null : rule(property)
        if (forbidden === null) return typeof member === 'function' ? member.bind(target) : member
        const api = `${name}.${String(property)}`
        if (typeof member !== 'function' || name === 'Intl') return this.refuse(api, forbidden)
        return new Proxy(member, {
          apply: () => this.refuse(`${api}()`, forbidden),
          get: (_member, inner) => this.refuse(`${api}.${String(inner)}`, forbidden),
        })
      },
      has: (_stand, property) => Reflect.has(original() as object, property),
      set: (_stand, property, value) => Reflect.set(original() as object, property, value),
    })
  }

  private constructorOf(api: string, rule: Rule, original: () => unknown): unknown {
    return new Proxy(class {}, {
      construct: (_stand, parameters, newTarget) => {
        if (!this.letsPass) return this.refuse(api, rule)
        return Reflect.construct(original() as NewableFunction, parameters, newTarget) as object
      },
      get: (_stand, property) => Reflect.get(original() as object, property),
    })
  }

  /** Dates made from a given time are plain arithmetic and stay allowed. */
  private date(original: () => unknown): DateConstructor {
    const checked = (api: string, parameters: readonly unknown[]): void => {
      if (this.letsPass) return
      const [first] = parameters
      if (parameters.length === 0) this.refuse(api, CLOCK)
      if (parameters.length > 1) this.refuse(`${api} of a year, a month, …`, ZONE)
      if (typeof first === 'string' && !namesItsZone(first)) this.refuse(`${api} of a text without zone`, ZONE)
    }
    const members = {
      now: () => (this.letsPass ? (original() as DateConstructor).now() : this.refuse('Date.now()', CLOCK)),
      parse: (text: string) => {
        checked('Date.parse()', [text])
        return (original() as DateConstructor).parse(text)
      },
    }
    return new Proxy(Date, {
      apply: () => (this.letsPass ? (original() as DateConstructor)() : this.refuse('Date()', CLOCK)),
      construct: (_stand, parameters, newTarget) => {
        checked('new Date()', parameters)
        const own = original() as DateConstructor
        return Reflect.construct(own, parameters, newTarget === globalThis.Date ? own : newTarget) as object
      },
      get: (_target, property) =>
        property === 'now' || property === 'parse' ? members[property] : Reflect.get(original() as object, property),
    })
  }
}

/** Some character of the text stands behind `last`. */
function isBeyond(text: string, last: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > last.charCodeAt(0)) return true
  return false
}
