/** Turkish capitalizes and sorts i in its own way, and Chatham is three quarters of an hour off. */
const LOCALE = 'tr-TR'
const ZONE = 'Pacific/Chatham'

type AnyFunction = (this: unknown, ...parameters: unknown[]) => unknown

/** Members whose first or second parameter is a locale, that of the process when it is left out. */
const LOCALIZED: readonly (readonly [holder: object, names: readonly string[], at: 0 | 1])[] = [
  [String.prototype, ['localeCompare'], 1],
  [String.prototype, ['toLocaleUpperCase', 'toLocaleLowerCase'], 0],
  [Number.prototype, ['toLocaleString'], 0],
  [Date.prototype, ['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString'], 0],
]
const CONSTRUCTORS = ['Collator', 'DateTimeFormat', 'ListFormat', 'NumberFormat', 'PluralRules', 'Segmenter'] as const

/** Runs it as in a process of another time zone and locale, and puts everything back. */
export function elsewhere<Result>(run: () => Result): Result {
  const zone = process.env['TZ']
  const undo = [
    ...LOCALIZED.flatMap(([holder, names, at]) => names.map((name) => localized(holder, name, at))),
    ...constructors(),
  ]
  process.env['TZ'] = ZONE
  try {
    return run()
  } finally {
    for (const back of undo) back()
    if (zone === undefined) delete process.env['TZ']
    else process.env['TZ'] = zone
  }
}

function localized(holder: object, name: string, at: 0 | 1): () => void {
  const original = Reflect.get(holder, name) as AnyFunction
  return replace(holder, name, function (this: unknown, ...parameters: unknown[]) {
    const given = [...parameters]
    given[at] ??= LOCALE
    return Reflect.apply(original, this, given)
  })
}

function constructors(): (() => void)[] {
  return CONSTRUCTORS.map((name) => {
    const withLocale = ([locales, ...rest]: readonly unknown[]): unknown[] => [locales ?? LOCALE, ...rest]
    return replace(
      Intl,
      name,
      new Proxy(Intl[name], {
        apply: (target, self, parameters) => Reflect.apply(target, self, withLocale(parameters)) as object,
        construct: (target, parameters, newTarget) =>
          Reflect.construct(target, withLocale(parameters), newTarget) as object,
      }),
    )
  })
}

function replace(holder: object, name: string, value: unknown): () => void {
  const own = Object.getOwnPropertyDescriptor(holder, name)
  Object.defineProperty(holder, name, { value, configurable: true, writable: true })
  return () => {
    if (own === undefined) Reflect.deleteProperty(holder, name)
    else Object.defineProperty(holder, name, own)
  }
}
