/**
 * Why a proposal was not appended: this node does not lead, has halted, hands leadership over, waits for its disk, holds too
 * much uncommitted, or hears no quorum.
 */
export type ProposeRefusal = 'NOT_LEADER' | 'HALTED' | 'TRANSFERRING' | 'STORAGE_STALLED' | 'OVERLOADED' | 'NO_QUORUM'

/**
 * Why a change of the membership was not appended: this node does not lead, has halted or hears no quorum; it hands leadership
 * over, waits for its disk, or has committed nothing in its term yet (thesis §4.1, the bug of single-server changes); the
 * change before is not over; or the configuration is another one than the wish was made of.
 */
export type ChangeRefusal = 'NOT_LEADER' | 'HALTED' | 'NO_QUORUM' | 'NOT_READY' | 'CHANGE_UNDERWAY' | 'CHANGED_SINCE'

/** Why a read has no index: nobody is known to lead, or whoever did when it was asked for does no longer. */
export type ReadFailure = 'noLeader' | 'leaderChanged'

/**
 * How a transfer of leadership ends. `handedOver`: this node leads no more; `timedOut`: the target was not elected in time, and
 * this node goes on. The others tell in the step of the event why it did not begin: this node does not lead; the target leads
 * already, is no voter, or was not heard within a minimum election timeout; no voter was; a transfer to another runs.
 */
export type TransferOutcome = 'handedOver' | 'timedOut' | TransferRefusal

export type TransferRefusal = 'notLeader' | 'alreadyLeads' | 'notVoter' | 'inactive' | 'noTarget' | 'busy'
