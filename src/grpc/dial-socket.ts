import { connect, type Socket } from 'node:net'
import { parseHostPort } from '../base/host-port.ts'
import { type AddressLookup, systemLookup } from './address-lookup.ts'

/** A socket that connects, or has, and what it waits for. */
export interface DialledSocket {
  readonly socket: Socket
  /** Closes it at once, connecting or open, and waits for no lookup any more. */
  release(): void
}

/** Where to, and how names are looked up; default: the process's own way. */
export interface SocketTarget {
  readonly address: string
  readonly lookup?: AddressLookup
}

/** The one way in which a connection is dialled. What is no address is told as an error of the socket. */
export function dialSocket({ address, lookup = systemLookup }: SocketTarget): DialledSocket {
  const parted = parseHostPort(address)
  const unreachable = new Error(`"${address}" is not an address: it must be host:port or [v6]:port`)
  let asked: { cancel(): void } | null = null
  const socket = connect({
    host: parted?.host ?? 'invalid',
    port: parted?.port ?? 0,
    noDelay: true,
    autoSelectFamily: true,
    // Not called for what is an IP address already.
    lookup: (name, _options, done) => {
      if (parted === null) process.nextTick(done, unreachable, [])
      else asked = lookup.addresses(name, done)
    },
  })
  const release = (): void => {
    asked?.cancel()
    socket.destroy()
  }
  return { socket, release }
}
