import type { Millis } from '../../base/brand.ts'
import type { QueryView, SessionInfo } from '../../session/user-machine.ts'
import { rejection } from './kit-context.ts'
import type { TablesRef } from '../define/tables-of.ts'
import type { TableViewsByName } from './machine-tables.ts'

/**
 * What a query is given beside its tables. It asks the view only for what the handler asks: a query that wants to know neither
 * time nor index may be answered before it is known what they are.
 */
export class KitQueryContext {
  readonly reject = rejection
  readonly read: (tables: TablesRef) => TableViewsByName
  private readonly view: QueryView

  constructor(view: QueryView, read: (tables: TablesRef) => TableViewsByName) {
    this.view = view
    this.read = read
  }

  get now(): Millis {
    return this.view.now
  }

  get index(): number {
    return this.view.index
  }

  get session(): SessionInfo | null {
    return this.view.session
  }

  get state(): QueryView['state'] {
    return this.view.state
  }
}
