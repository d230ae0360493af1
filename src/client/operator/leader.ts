import { askLeader } from './ask-leader.ts'

/** Who leads after a transfer; both empty when nobody was heard of in time. */
export interface NextLeader {
  readonly leader: string
  /** `host:port`, '' when it is not known. */
  readonly address: string
}

/**
 * Has the leader hand over to that voter, or with '' to the best one; resolves when the next one is known. Rejects with
 * OperatorError: scope `operator`, TRANSFER_TIMED_OUT when the target was not elected and the leader goes on.
 */
export async function transferLeadership(endpoints: readonly string[], to = ''): Promise<NextLeader> {
  const { leader, address } = (await askLeader(endpoints, {
    method: 'TransferLeadership',
    request: { to },
  })) as NextLeader
  return { leader, address }
}
