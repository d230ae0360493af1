import { constants } from 'node:os'
import { describe, expect, test } from 'vitest'
import { explain, explainedCodes } from '../../src/cli/explain.ts'
import { COMMON_ERRORS } from '../../src/machine/define/rejection.ts'
import { concierge, counter, gates, payments, reconciler, session } from '../../src/machines/index.ts'
import { tokenize } from '../tidy/tokens.ts'
import { sourcesBelow } from '../tidy/tree.ts'

/** Words in capitals that no caller, operator or log line is given as a code, by what they are. */
const NO_CODES: { readonly [what: string]: string } = {
  'names of environment variables':
    'TZ HOLDFAST_CONFIG HOLDFAST_MACHINES HOLDFAST_ID HOLDFAST_ENDPOINTS HOLDFAST_DATA HOLDFAST_PEERS HOLDFAST_LISTEN ' +
    'HOLDFAST_HTTP HOLDFAST_WEBHOOK_SECRET ' +
    'HOLDFAST_LIMITS HOLDFAST_INSECURE HOLDFAST_DEVELOPMENT HOLDFAST_LEASES HOLDFAST_TRACE_STEPS HOLDFAST_DISK_RESERVE HOLDFAST_LOG_LEVEL NO_COLOR',
  'codes of LevelDB, which storage turns into its own': 'LEVEL_LOCKED LEVEL_CORRUPTION',
  'methods of HTTP': 'POST',
  'names of files': 'LOCK CURRENT',
  'names in holdfast.proto':
    'OUTCOME_OK OUTCOME_REJECTED CONSISTENCY_LINEARIZABLE CONSISTENCY_SEQUENTIAL CONSISTENCY_STALE',
  'what is wrong with a value or a record: the sentence says it':
    'UNDEFINED NOT_PLAIN NOT_FINITE NEGATIVE_ZERO UNSAFE_INTEGER BAD_STRING TOO_DEEP TOO_LARGE CYCLE BAD_BYTES ' +
    'TRUNCATED BAD_FORMAT BAD_KIND BAD_NUMBER BAD_CHECKSUM BAD_CHAIN',
  'which field an INVALID means':
    'PAYLOAD REQUEST_ID LOWEST_PENDING_REQUEST_ID SECRET_HASH PRINCIPAL ROLES CAPABILITIES VALID_UNTIL EPOCH',
  'states of tasks': 'QUEUED LEASED DONE FAILED CANCELLED',
  'states and results of payments':
    'SUCCESS TIMEOUT AMOUNT ORPHAN ADMIN APPLIED APPLIED_LATE REJECTED_AMOUNT IGNORED_STALE ORPHANED NOT_DUE SENT SETTLED ' +
    'AWAITING_APPROVAL FAILED_MANUAL THERAPIST_NO_SHOW BOTH_ABSENT MID_SESSION FORMS_LAPSED SYSTEM_LAPSE UNKNOWN_RESULT ' +
    'SUSPENSE RECEIPT REVIEWED',
  'codes of the payment provider': 'SFC_IC0003',
  'states of dialogues, invitations and stages, and why a dialogue ended':
    'CREATED INVITED ACTIVE PAUSED RESOLVED WAITING DRAFT PENDING ACCEPTED DECLINED EXPIRED WITHDRAWN INVITE_EXPIRED ' +
    'CREATION_EXPIRED INACTIVITY PAUSE_EXPIRED NOT_STARTED IN_PROGRESS GATE_PENDING COMPLETED',
  'what the machine session gives beside states':
    'RISING FALLING STEADY BREATHING_EXERCISE GROUNDING PAUSE_SESSION BODY_SCAN USER AI SYSTEM EMPATHY_STATEMENT ' +
    'SHARED_CONTEXT VALIDATION_FEEDBACK SELF',
  'kinds and decisions of the machine gates':
    'COLLECTING RANKING REVEALING NEGOTIATING AGREED PROPOSED SAFETY CONNECTION AUTONOMY RECOGNITION MEANING FAIRNESS ' +
    'CONFIRMED REJECTED MICRO_EXPERIMENT COMMITMENT CHECK_IN GRANTED DENIED IDENTIFIED_NEED EVENT_SUMMARY ' +
    'EMOTIONAL_PATTERN BOUNDARY EMPATHY_DRAFT EMPATHY_ATTEMPT STRATEGY_PROPOSAL OWN PARTNER BOTH OUTSIDE NONE RUNNING ' +
    'AI_SUGGESTED ALLOWED',
  'states of the empathy exchange': 'HELD ANALYZING AWAITING_SHARING REFINING NEEDS_WORK READY REVEALED VALIDATED',
  'what moves the empathy exchange':
    'START_ANALYSIS GAPS_DETECTED NO_SIGNIFICANT_GAPS MARK_READY CONTEXT_SHARED DECLINE_SHARING OFFER_EXPIRED RESUBMIT ' +
    'SKIP_PRE SKIP_POST MUTUAL_REVEAL VALIDATE VALIDATION_FEEDBACK_SENT',
  'what an analysis says and what becomes of it':
    'PROCEED OFFER_OPTIONAL OFFER_SHARING OFFER NO_GAP ALREADY_OFFERED OFFERED DELIVERED SEEN ACCURATE ' +
    'FEEDBACK ACCEPTED_DIFFERENCE DISAGREED',
  'what the empathy exchange says in place of prose':
    'ALIGNMENT_OK WAITING_NEUTRAL CONTEXT_INTRO CONTEXT_REFLECTION SHARE_ACK VALIDATION_FRAMING QUALITY_REVIEW_OK ' +
    'QUALITY_REVIEW_GAPS',
  'what moves a conversation of the concierge, and kinds of its answers':
    'MESSAGE_RECEIVED EVENT_REGISTERED EVENT_ENDED UPDATE_EVENT_CONTEXT SESSION_END ANSWER',
  'cells of the retrieval contracts': 'AAA',
  "LevelDB's diary, a file": 'LOG',
  currencies: 'KES',
  'the status of a call that ended in order': 'OK',
  "names of cycles of transactions, which are Adya's": 'G0 G2',
}
const noCodes = new Set(Object.values(NO_CODES).flatMap((words) => words.split(' ')))

/** Codes of the operating system and of Node, and signals: what is told of them has a code of its own. */
const ofSystem = (word: string): boolean =>
  /^(?:ERR_|HPE_|ELOCKED$)/.test(word) || word in constants.errno || word in constants.signals

/** Every text in capitals that the product writes, but for the tables of explanations themselves. */
function wordsInSource(): Map<string, string> {
  const found = new Map<string, string>()
  for (const [path, source] of sourcesBelow('src')) {
    if (path.startsWith('protocol/errors') || path === 'protocol/grpc-status.ts' || path === 'machines/codes.ts')
      continue
    // Charts of the simulator, whose events are in capitals.
    if (path === 'sim/charts/classics.ts' || path === 'sim/charts/workflows.ts') continue
    for (const { kind, text } of tokenize(source))
      if (kind === 'string' && /^[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)*$/.test(text)) found.set(text, path)
  }
  return found
}

describe('holdfast explain', () => {
  const explained = new Set(explainedCodes())

  test('knows every code that stands anywhere in the source', () => {
    const unknown = [...wordsInSource()].filter(
      ([word]) => !explained.has(word) && !noCodes.has(word) && !ofSystem(word),
    )
    expect(unknown).toEqual([])
  })

  test('knows every code that machines may reject with, the kit’s and their own', () => {
    const declared = [counter, payments, session, gates, reconciler, concierge].flatMap(({ schema }) =>
      Object.keys(schema.errors),
    )
    expect([...Object.keys(COMMON_ERRORS), ...declared].filter((code) => !explained.has(code))).toEqual([])
  })

  test('knows those that only others raise: a machine of a user, a process that embeds a node, a server that ends', () => {
    expect(['RATE_LIMITED', 'SESSION_NOT_ACTIVE', 'SHUTDOWN', 'ENDED'].filter((code) => !explained.has(code))).toEqual(
      [],
    )
  })

  test('takes no word for something else than a code that is one, or that is gone', () => {
    const words = wordsInSource()
    expect([...noCodes].filter((word) => explained.has(word) || !words.has(word))).toEqual([])
  })

  test.each(explainedCodes().map((code) => [code]))('prints cause and cure of %s', (code) => {
    const { write } = process.stdout
    let said = ''
    process.stdout.write = ((text: string) => {
      said += text
      return true
    }) as typeof write
    try {
      explain(code.toLowerCase())
    } finally {
      process.stdout.write = write
    }
    expect(said).toMatch(/\): \S.*\.\n {2}What to do: \S.*\./)
  })
})
