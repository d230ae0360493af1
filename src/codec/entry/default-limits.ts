import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../base/time.ts'
import type { Limits } from './payload.ts'

const KIB = 1024
const MIB = 1024 * KIB

/**
 * Limits of a new cluster: the content of its entry 2. They are replicated, so a change here touches new clusters only
 * (sessions.md §9). What they add up to, per session at worst: 4 MiB of cached responses + 16 MiB of waiting server
 * requests; a window's worth of largest commands never waits on a node, because the caches refuse first
 * (RESPONSE_BACKLOG).
 */
export const DEFAULT_LIMITS: Limits = {
  /** At 1 ms per round trip one session may then do 1,024 / 0.001 s ≈ 1,000,000 commands/s; the window is no brake. */
  windowRequests: 1024,
  /** One per request of the window. */
  cachedResponsesMax: 1024,
  /** 4 KiB for each of 1,024, or four of the largest; × 1,000 busy sessions = 4 GiB at the very worst. */
  cachedBytesMax: 4 * MIB,
  /** Below gRPC's 4 MiB message limit with room for several in a frame; 1/64 of a log segment. */
  commandBytesMax: MIB,
  responseBytesMax: MIB,
  /** An hour of a server request every 360 ms to a client that is away. */
  outboxCountMax: 10_000,
  /** 1.6 KiB for each of 10,000. */
  outboxBytesMax: 16 * MIB,
  /** An idle session is one row of about 400 bytes in memory: 400 MB. */
  sessionsMax: 1_000_000,
  /** Twenty heartbeats of 50 ms and more than an election, so a leader change expires nobody who pings in time. */
  sessionTimeoutMinMs: SECOND_MS,
  sessionTimeoutMaxMs: DAY_MS,
  /** Five times the 2 minutes that an OpenSession may be late (sessions.md §4). */
  tombstoneMs: 10 * MINUTE_MS,
  mailboxMax: 256,
  taskLeasesMax: 64,
  taskQueueMs: 15 * MINUTE_MS,
  retentionMs: 30 * DAY_MS,
  /** 30 s, 1, 2, 4, 5, 5 … min: the 20 attempts span 30 s + 1 + 2 + 4 min + 16 · 5 min ≈ 87 min. */
  ackTimeoutMs: 30 * SECOND_MS,
  ackTimeoutMaxMs: 5 * MINUTE_MS,
  attemptsMax: 20,
  /**
   * One log segment. A restart replays at most this much, and as much again when the newest snapshot was not finished. A row
   * that changes all the time is written to the snapshot once per so much log.
   */
  snapshotBytes: 64 * MIB,
}

/** No limit that is a time may be longer: ten years, so that sums with a clock stay far below 2^53 ms. */
export const LIMIT_MS_MAX = 10 * 365 * 24 * HOUR_MS
