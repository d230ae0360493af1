export { applyTwice, type AppliedEntry, type Divergence } from './apply-twice.ts'
export { checkMachine, type CheckOptions, type ReadTables } from './check/check-machine.ts'
export type { Reaction, Waiting } from './check/check-run.ts'
export type { CheckStep } from './check/check-step.ts'
export type { CheckReport } from './check/check-tally.ts'
export { testCluster, type TestCluster, type TestClusterOptions, type TestNode } from './cluster/test-cluster.ts'
export { DeterminismError } from '../assembly/development/forbidden.ts'
export { withDeterminismGuard } from '../assembly/development/determinism-guard.ts'
export type { NodeFailure } from './cluster/cluster-watch.ts'
export type { Duration } from './duration.ts'
export { type EmbeddedNode, embeddedNode, type EmbeddedNodeOptions, type InnerNode } from './embedded-node.ts'
export type { MachineLine } from '../session/machine-report.ts'
export type { SessionGiven } from './machine/entry-log.ts'
export type {
  HarnessCommands,
  HarnessOutcome,
  HarnessQueries,
  HarnessSession,
  InputRefusal,
} from './machine/harness-session.ts'
export {
  type HarnessOptions,
  type MachineHarness,
  machineHarness,
  type SchemaNamed,
} from './machine/machine-harness.ts'
export type { ArmedTimer, OpenWait } from './machine/state-rows.ts'
export type { TypedMachines } from './machines.ts'
export type { Disk, DiskDone, DiskError, DiskFile, DiskLock, DiskResult } from '../storage/disk/disk.ts'
export { MemoryDisk } from '../storage/disk/memory-disk.ts'
export { checkAppend } from '../history/append/check-append.ts'
export { type HistoryValue, Keyword } from '../history/edn/history-value.ts'
export { readHistory } from '../history/edn/read-history.ts'
export { ednOf, writeHistory } from '../history/edn/write-edn.ts'
export {
  type EventKind,
  HistoryError,
  type HistoryEvent,
  type Operation,
  operationsOf,
} from '../history/history.ts'
export { checkLinearizable } from '../history/linear/linearizability.ts'
export { IMPOSSIBLE, type Model } from '../history/linear/model.ts'
export { keyValueModel, registerModel } from '../history/linear/models.ts'
export { checkOrderByIndex } from '../history/linear/order-by-index.ts'
export { type Activity, lackingActivity } from '../history/properties/activity.ts'
export { checkBank } from '../history/properties/bank.ts'
export { checkDurability, type ToldRequest } from '../history/properties/durability.ts'
export { checkSet } from '../history/properties/element-set.ts'
export { checkExactlyOnce, type RequestReply } from '../history/properties/exactly-once.ts'
export { checkServerRequests, type RequestEvent } from '../history/properties/server-requests.ts'
export { checkSessionLives, type SessionEvent } from '../history/properties/session-lives.ts'
export { type Anomaly, type Verdict, worstOf } from '../history/verdict.ts'
export type { SeedResult } from '../sim/run-seed.ts'
export {
  defineWorkload,
  type Workload,
  type WorkloadEnd,
  type WorkloadOptions,
  type WorkloadTables,
} from './workload/define-workload.ts'
export type { Recorded, RecordedOutcome } from './workload/recorder.ts'
export {
  runWorkloadSeed,
  type SeedListener,
  type WorkloadCounts,
  type WorkloadSeedResult,
} from './workload/run-workload-seed.ts'
export type { WorkloadClient } from './workload/workload-client.ts'
