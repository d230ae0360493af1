import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { isLoopback } from '../base/host-port.ts'
import type { DescriptorBudget } from '../server/descriptors.ts'
import { ListenError, SocketListener } from '../server/socket-listener.ts'
import { type HttpAnswer, problem } from './http-answer.ts'
import { HTTP_BOUNDS, type HttpBounds, RETRY_AFTER_S } from './http-bounds.ts'
import { isPlainJson, readBody } from './read-body.ts'

/** One thing that can be asked for. */
export interface HttpResource {
  /** True when the path, as it stands in the request without its query, is this resource's. */
  matches(path: string): boolean
  /**
   * What a body posted to it is answered with, which is JSON by its type; whether by its content, this finds out. `stopping`
   * is aborted when the server cannot wait any longer.
   */
  post(path: string, body: Buffer, stopping: AbortSignal): Promise<HttpAnswer>
}

export interface HttpServerOptions {
  /** A loopback address, or `localhost`: nobody is authenticated. */
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly resources: readonly HttpResource[]
  readonly bounds?: Partial<HttpBounds>
  /** Which connections are let in. Default: all. */
  readonly budget?: Pick<DescriptorBudget, 'admit'>
  /** A resource threw, which none should: it was answered 500. */
  readonly onBug?: (error: unknown) => void
}

/** How long a connection that was refused may wait for its caller to end it. */
const LINGER_MS = 500

/** HTTP/1.1 for callers that cannot speak gRPC. Nothing that arrives ends the process, and each request has one answer. */
export class HttpServer {
  private readonly bounds: HttpBounds
  private readonly resources: readonly HttpResource[]
  private readonly onBug: (error: unknown) => void
  private readonly servers: Server[] = []
  private readonly stopping = new AbortController()
  private listener: SocketListener | null = null
  /** Requests whose answer is not written yet, by their connection. */
  private readonly waiting = new Map<Duplex, Set<IncomingMessage>>()
  private pending = 0
  private closing = false
  private whenIdle: (() => void) | null = null

  private constructor({ bounds, resources, onBug = () => undefined }: HttpServerOptions) {
    this.bounds = { ...HTTP_BOUNDS, ...bounds }
    this.resources = resources
    this.onBug = onBug
  }

  /** Binds and serves. Rejects with ListenError. */
  static async listen(options: HttpServerOptions): Promise<HttpServer> {
    const { host, port, budget } = options
    if (!isLoopback(host)) {
      throw new ListenError(
        'NOT_LOOPBACK',
        `HTTP is served on loopback only, because callers are not authenticated, and ${host} is not. Use 127.0.0.1 or [::1].`,
      )
    }
    const server = new HttpServer(options)
    server.listener = await SocketListener.listen({ host, port }, () => server.serverOnOneAddress(budget))
    return server
  }

  /** The port that was bound. */
  get port(): number {
    return this.listener?.port ?? 0
  }

  /**
   * Takes no more connections, answers what was asked, at the latest with 503 after the grace period, and cuts whoever does
   * not take the answer. May be called again, which is done at once.
   */
  async close(): Promise<void> {
    if (this.closing) return
    this.closing = true
    this.listener?.close()
    await this.idleWithin(this.bounds.graceMs)
    this.stopping.abort()
    await this.idleWithin(this.bounds.graceMs)
    for (const server of this.servers) server.closeAllConnections()
  }

  private serverOnOneAddress(budget: HttpServerOptions['budget']): Server {
    const { bounds } = this
    const server = createServer({
      headersTimeout: bounds.headersMs,
      requestTimeout: bounds.requestMs,
      connectionsCheckingInterval: bounds.checkedEveryMs,
      keepAliveTimeout: bounds.keepAliveMs,
      maxHeaderSize: bounds.headerBytesMax,
      noDelay: true,
    })
    server.maxConnections = bounds.connectionsMax
    server.timeout = bounds.idleMs
    server.on('connection', (socket) => {
      // Clients are the first for whom no descriptor is left.
      if (budget !== undefined && budget.admit(socket) !== 'all') socket.destroy()
    })
    server.on('request', (request, response) => void this.serve(request, response))
    // A body that is announced as too long is refused before it is sent.
    server.on('checkContinue', (request, response) => {
      if (Number(request.headers['content-length']) > bounds.bodyBytesMax) return this.refuseUnread(request, response)
      response.writeContinue()
      void this.serve(request, response)
    })
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.refuseConnection(error, socket))
    this.servers.push(server)
    return server
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.expect(request, response)
    try {
      const answer = await this.answer(request)
      if (answer === null) response.destroy()
      else this.write(response, answer)
    } catch (error) {
      this.onBug(error)
      this.write(response, problem('INTERNAL'))
    }
  }

  /** Null: nobody waits for an answer. */
  private async answer(request: IncomingMessage): Promise<HttpAnswer | null> {
    const { bounds } = this
    const tooMany = this.pending > bounds.requestsMax
    // Of what is refused anyway nothing is kept.
    const read = await readBody(request, tooMany ? { ...bounds, bodyBytesMax: 0 } : bounds)
    if (read.kind === 'gone') return null
    if (this.closing) return problem('SHUTTING_DOWN', {}, later())
    if (tooMany) return problem('OVERLOADED', {}, later())
    const path = pathOf(request.url ?? '')
    const resource = this.resources.find((candidate) => candidate.matches(path))
    const cut = read.kind === 'tooLarge' && !read.drained ? { connection: 'close' } : {}
    if (resource === undefined) return problem('NO_SUCH_RESOURCE', {}, cut)
    if (request.method !== 'POST') return problem('METHOD_NOT_ALLOWED', {}, { allow: 'POST', ...cut })
    if (!isPlainJson(request)) return problem('MEDIA_TYPE_UNSUPPORTED', {}, { accept: 'application/json', ...cut })
    if (read.kind === 'tooLarge') return problem('BODY_TOO_LARGE', {}, cut)
    return resource.post(path, read.bytes, this.stopping.signal)
  }

  private write(response: ServerResponse, { status, type, body, headers }: HttpAnswer): void {
    const text = Buffer.from(JSON.stringify(body))
    response.writeHead(status, {
      'content-type': type,
      'content-length': text.length,
      'cache-control': 'no-store',
      ...headers,
      ...(this.closing ? { connection: 'close' } : {}),
    })
    response.end(text)
  }

  private refuseUnread(request: IncomingMessage, response: ServerResponse): void {
    this.expect(request, response)
    this.write(response, problem('BODY_TOO_LARGE', {}, { connection: 'close' }))
  }

  /** Counts a request until its answer was written, or nobody is left to write it to. */
  private expect(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    const known = this.waiting.get(socket)
    const requests = known ?? new Set()
    if (known === undefined) {
      this.waiting.set(socket, requests)
      // Of the responses that wait behind another one, Node tells no end when the connection ends.
      socket.once('close', () => {
        for (const left of requests) this.settle(socket, left)
        this.waiting.delete(socket)
      })
    }
    requests.add(request)
    this.pending += 1
    // A caller that is gone makes writing fail, which is nobody's fault.
    response.on('error', () => undefined)
    response.once('close', () => this.settle(socket, request))
  }

  private settle(socket: Duplex, request: IncomingMessage): void {
    const requests = this.waiting.get(socket)
    if (requests?.delete(request) !== true) return
    this.pending -= 1
    if (this.pending === 0) this.whenIdle?.()
  }

  /**
   * What arrived is no request, or too slow. Behind requests that wait for their answers it cannot be told: the answer would be
   * taken for theirs.
   */
  private refuseConnection(error: NodeJS.ErrnoException, socket: Duplex): void {
    const waiting = [...(this.waiting.get(socket) ?? [])]
    const told = waiting.every((request) => !request.complete) && waiting.length <= 1
    if (!socket.writable || error.code === 'ECONNRESET' || !told) return void socket.destroy()
    const { status, type, body } = problem(codeOf(error))
    const text = JSON.stringify(body)
    // A caller that does not end the connection itself has it ended, once it had the time to read the answer.
    socket.once('finish', () => setTimeout(() => socket.destroy(), LINGER_MS).unref())
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${type}\r\n` +
        `Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
    )
  }

  private async idleWithin(limitMs: number): Promise<void> {
    if (this.pending === 0) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs)
      this.whenIdle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.whenIdle = null
  }
}

function later(): HttpAnswer['headers'] {
  return { 'retry-after': String(RETRY_AFTER_S) }
}

function codeOf({ code }: NodeJS.ErrnoException): 'HEADERS_TOO_LARGE' | 'REQUEST_TIMEOUT' | 'REQUEST_MALFORMED' {
  if (code === 'HPE_HEADER_OVERFLOW') return 'HEADERS_TOO_LARGE'
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'REQUEST_TIMEOUT' : 'REQUEST_MALFORMED'
}

/** The path without its query, as it was sent; also of a request to a proxy, which names the host. */
function pathOf(target: string): string {
  const own = target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?#]*/i, '')
  return own.replace(/[?#].*$/s, '')
}
