/**
 * SHA-256 (FIPS 180-4) of the bytes: 32 bytes. Written out because pure folders may not import `node:crypto`, and the
 * simulator runs them; the tests compare it with `node:crypto`.
 *
 * PERF: about 3 µs for up to 55 bytes, 25 ns per byte; a host may hand a native one to `createSessionCodec`.
 */
export function sha256(bytes: Uint8Array): Uint8Array {
  const state = Int32Array.of(
    0x6a09e667,
    0xbb67ae85,
    0x3c6ef372,
    0xa54ff53a,
    0x510e527f,
    0x9b05688c,
    0x1f83d9ab,
    0x5be0cd19,
  )
  const schedule = new Int32Array(64)
  const whole = bytes.length & ~63
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let offset = 0; offset < whole; offset += 64) compress(state, schedule, view, offset)
  const tail = paddedTail(bytes, whole)
  for (let offset = 0; offset < tail.byteLength; offset += 64) compress(state, schedule, tail, offset)
  const digest = new DataView(new ArrayBuffer(32))
  for (const [index, word] of state.entries()) digest.setInt32(4 * index, word)
  return new Uint8Array(digest.buffer)
}

/** The rest of the message, a one bit, zeros, and the message's length in bits as a big-endian uint64. */
function paddedTail(bytes: Uint8Array, whole: number): DataView {
  const rest = bytes.length - whole
  const tail = new Uint8Array(rest < 56 ? 64 : 128)
  tail.set(bytes.subarray(whole))
  tail[rest] = 0x80
  const view = new DataView(tail.buffer)
  view.setUint32(tail.length - 8, Math.floor(bytes.length / 0x20000000))
  view.setUint32(tail.length - 4, (bytes.length << 3) >>> 0)
  return view
}

/** One block of 64 bytes; the names are those of the standard's section 6.2.2. */
function compress(state: Int32Array, w: Int32Array, block: DataView, offset: number): void {
  expand(w, block, offset)
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
  for (let t = 0; t < 64; t += 1) {
    const sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
    const choice = (e & f) ^ (~e & g)
    const t1 = (h + sum1 + choice + (K[t] as number) + (w[t] as number)) | 0 // t < 64
    const sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
    const majority = (a & b) ^ (a & c) ^ (b & c)
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + sum0 + majority) | 0
  }
  for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) state[index] = (state[index] as number) + word
}

/** The message schedule of one block. */
function expand(w: Int32Array, block: DataView, offset: number): void {
  for (let t = 0; t < 16; t += 1) w[t] = block.getInt32(offset + 4 * t)
  for (let t = 16; t < 64; t += 1) {
    const early = w[t - 15] as number
    const late = w[t - 2] as number
    const sigma0 = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3)
    const sigma1 = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10)
    w[t] = sigma1 + (w[t - 7] as number) + sigma0 + (w[t - 16] as number)
  }
}

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits))
}

/** First 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const K = cubeRootConstants()

function cubeRootConstants(): Int32Array {
  const constants = new Int32Array(64)
  const primes: number[] = []
  for (let candidate = 2; primes.length < 64; candidate += 1) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate)
  }
  primes.forEach((prime, index) => {
    constants[index] = Number(BigInt.asIntN(32, integerCubeRoot(BigInt(prime) << 96n)))
  })
  return constants
}

/** Floor of the cube root, by bisection on integers: exact on every platform, unlike Math.cbrt. */
function integerCubeRoot(value: bigint): bigint {
  let low = 0n
  let high = 1n << 40n
  while (high - low > 1n) {
    const middle = (low + high) >> 1n
    if (middle * middle * middle <= value) low = middle
    else high = middle
  }
  return low
}
