import type { StepLine } from '../line.ts'
import { allow } from './not-allowed.ts'
import { configurationOf, isQuorum, type SpecServer } from './server.ts'
import { timedOut } from './terms-and-votes.ts'

/** Actions HandleRequestVoteResponse and BecomeLeader: what a server may become. Anybody may step down at any time. */
export function checkRole(server: SpecServer, line: StepLine): void {
  const { role, term } = line.state
  const sameTerm = term === server.term
  countVote(server, line)
  if (role === 'candidate') {
    const goesOn = sameTerm && server.role === 'candidate'
    allow(
      goesOn || timedOut(server, line),
      'a candidate has timed out',
      () => `${server.role} → ${role} in term ${term}`,
    )
  }
  if (role === 'leader' && !(sameTerm && server.role === 'leader')) checkElection(server, line)
}

function countVote(server: SpecServer, { event, state }: StepLine): void {
  if (state.term !== server.term) server.granted = new Set()
  if (event.kind !== 'receive' || event.message.kind !== 'requestVoteResponse') return
  if (event.message.term === state.term && event.message.verdict.granted) server.granted.add(event.from)
}

function checkElection(server: SpecServer, line: StepLine): void {
  const { term } = line.state
  const candidate = (server.role === 'candidate' && server.term === term) || timedOut(server, line)
  allow(
    candidate,
    'BecomeLeader: only a candidate becomes leader',
    () => `${server.role} of term ${server.term} → ${term}`,
  )
  const { disk, name } = server
  // Its own vote counts once it is on disk, as anybody else's does.
  const own = disk.term === term && disk.vote === name
  const voted = (voter: string): boolean => (voter === name ? own : server.granted.has(voter))
  allow(
    isQuorum(configurationOf(server), voted),
    'BecomeLeader: a majority has voted (paper §5.2; thesis §4.3)',
    () =>
      `${name} in term ${term}: ${[...server.granted].join(' ') || 'nobody'}, own vote ${own ? 'on' : 'not on'} disk`,
  )
}
