// Argon2id version 1.3 (RFC 9106), which Web Crypto lacks. Words of 64 bits are two halves, the low
// one first.

const WORDS = 256; // halves of the 128 words of a block
const SIGMA = [
  "0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8",
      "905724afe1bc683d",
  "2c6a0b834d75fe19", "c51fed4a0763928b", "db7ec13950f4862a", "6fe9b308c2d714a5",
      "a2847615fb9e3cd0",
].map((row) => [...row].map((digit) => parseInt(digit, 16)));
const IV = [
  0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
      0x510e527fade682d1n, 0x9b05688c2b3e6c1fn,
  0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n,
];
const MASK = (1n << 64n) - 1n;
const rotated = (word, by) => ((word >> by) | (word << (64n - by))) & MASK;

// BLAKE2b (RFC 7693) without a key.
function blake2b(data, size) {
  const state = IV.map((word, at) => (at ? word : word ^ 0x01010000n ^ BigInt(size)));
  const blocks = Math.max(1, Math.ceil(data.length / 128));
  const padded = new Uint8Array(blocks * 128);
  padded.set(data);
  const view = new DataView(padded.buffer);
  for (let block = 0; block < blocks; block += 1) {
    const last = block === blocks - 1;
    const m = Array.from({ length: 16 }, (_, at) => view.getBigUint64(block * 128 + at * 8, true));
    const v = [...state, ...IV];
    v[12] ^= BigInt(last ? data.length : (block + 1) * 128);
    if (last) v[14] ^= MASK;
    const mix = (a, b, c, d, x, y) => {
      v[a] = (v[a] + v[b] + x) & MASK; v[d] = rotated(v[d] ^ v[a], 32n);
      v[c] = (v[c] + v[d]) & MASK; v[b] = rotated(v[b] ^ v[c], 24n);
      v[a] = (v[a] + v[b] + y) & MASK; v[d] = rotated(v[d] ^ v[a], 16n);
      v[c] = (v[c] + v[d]) & MASK; v[b] = rotated(v[b] ^ v[c], 63n);
    };
    for (let round = 0; round < 12; round += 1) {
      const s = SIGMA[round % 10];
      for (let at = 0; at < 4; at += 1) mix(at, at + 4, at + 8, at + 12, m[s[2 * at]],
          m[s[2 * at + 1]]);
      for (let at = 0; at < 4; at += 1) mix(at, 4 + ((at + 1) % 4), 8 + ((at + 2) % 4),
          12 + ((at + 3) % 4), m[s[8 + 2 * at]], m[s[9 + 2 * at]]);
    }
    for (let at = 0; at < 8; at += 1) state[at] ^= v[at] ^ v[at + 8];
  }
  const out = new DataView(new ArrayBuffer(64));
  state.forEach((word, at) => out.setBigUint64(at * 8, word, true));
  return new Uint8Array(out.buffer, 0, size);
}

const u32 = (value) => Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24);
const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));

// H' of RFC 9106: a digest of any length.
function longDigest(data, size) {
  let piece = blake2b(joined(u32(size), data), Math.min(size, 64));
  if (size <= 64) return piece;
  const out = new Uint8Array(size);
  let at = 0;
  for (; size - at > 64; at += 32) {
    out.set(piece.subarray(0, 32), at);
    piece = blake2b(piece, Math.min(64, size - at - 32));
  }
  out.set(piece, at);
  return out;
}

const r = new Uint32Array(WORDS), z = new Uint32Array(WORDS);

// Each half: a = a + b + 2 * low(a) * low(b), then d = (d ^ a) turned right.
function mix(a, b, c, d) {
  half(a, b, d, 32); half(c, d, b, 24); half(a, b, d, 16); half(c, d, b, 63);
}
function half(a, b, d, by) {
  const al = z[a], bl = z[b];
  const a0 = al & 0xffff, a1 = al >>> 16, b0 = bl & 0xffff, b1 = bl >>> 16;
  const p0 = Math.imul(a0, b0), p1 = Math.imul(a1, b0) + (p0 >>> 16) | 0,
      p2 = Math.imul(a0, b1) + (p1 & 0xffff) | 0;
  const low = (p2 << 16) | (p0 & 0xffff);
  const high = Math.imul(a1, b1) + (p1 >>> 16) + (p2 >>> 16) | 0;
  const first = (al + bl) | 0, sum = (first + (low << 1)) | 0;
  const carried = ((first >>> 0) < al ? 1 : 0) + ((sum >>> 0) < (first >>> 0) ? 1 : 0);
  const up = (z[a + 1] + z[b + 1] + ((high << 1) | (low >>> 31)) + carried) | 0;
  z[a] = sum;
  z[a + 1] = up;
  const x = z[d] ^ sum, y = z[d + 1] ^ up;
  if (by === 32) { z[d] = y; z[d + 1] = x; return; }
  if (by === 63) { z[d] = (x << 1) | (y >>> 31); z[d + 1] = (y << 1) | (x >>> 31); return; }
  z[d] = (x >>> by) | (y << (32 - by));
  z[d + 1] = (y >>> by) | (x << (32 - by));
}
// The words of the rows and columns of a block, four for each mix.
const TURNS = (() => {
  const words = [];
  const lines = [
    ...Array.from({ length: 8 },
        (_, row) => Array.from({ length: 16 }, (_, at) => 2 * (16 * row + at))),
    ...Array.from({ length: 8 },
        (_, column) => Array.from({ length: 16 },
        (_, at) => 2 * (2 * column + 16 * (at >> 1) + (at & 1)))),
  ];
  for (const v of lines) {
    for (let at = 0; at < 4; at += 1) words.push(v[at], v[at + 4], v[at + 8], v[at + 12]);
    for (let at = 0; at < 4; at += 1) words.push(v[at], v[4 + ((at + 1) % 4)],
        v[8 + ((at + 2) % 4)], v[12 + ((at + 3) % 4)]);
  }
  return Int32Array.from(words);
})();

// target = G(x, y), XORed into what is there from the second pass on.
function compress(memory, x, y, target, over) {
  for (let at = 0; at < WORDS; at += 1) z[at] = r[at] = memory[x + at] ^ memory[y + at];
  for (let at = 0; at < TURNS.length; at += 4) mix(TURNS[at], TURNS[at + 1], TURNS[at + 2],
      TURNS[at + 3]);
  for (let at = 0; at < WORDS; at += 1) memory[target + at] =
      z[at] ^ r[at] ^ (over ? memory[target + at] : 0);
}

export function argon2id(password, salt, kib, passes, lanes, size) {
  const head = joined(u32(lanes), u32(size), u32(kib), u32(passes), u32(0x13), u32(2));
  const seed = blake2b(joined(head, u32(password.length), password, u32(salt.length), salt, u32(0),
      u32(0)), 64);
  const columns = 4 * Math.floor(kib / (4 * lanes)), segment = columns / 4;
  // Three blocks behind the rest: zeros, and input and output of the addresses of Argon2i.
  const zero = lanes * columns * WORDS, input = zero + WORDS, output = input + WORDS;
  const memory = new Uint32Array(output + WORDS);
  const place = (lane, column) => (lane * columns + column) * WORDS;
  for (let lane = 0; lane < lanes; lane += 1) {
    for (const column of [0, 1]) {
      const block = longDigest(joined(seed, u32(column), u32(lane)), 1024);
      memory.set(new Uint32Array(block.buffer), place(lane, column));
    }
  }
  const addresses = () => {
    memory[input + 12] += 1;
    compress(memory, zero, input, output, false);
    compress(memory, zero, output, output, false);
  };
  for (let pass = 0; pass < passes; pass += 1) {
    for (let slice = 0; slice < 4; slice += 1) {
      for (let lane = 0; lane < lanes; lane += 1) {
        const byIndex = pass === 0 && slice < 2;
        memory.fill(0, zero);
        [pass, lane, slice, lanes * columns, passes,
            2].forEach((value, at) => { memory[input + 2 * at] = value; });
        for (let at = pass === 0 && slice === 0 ? 2 : 0; at < segment; at += 1) {
          const column = slice * segment + at;
          const before = place(lane, (column + columns - 1) % columns);
          if (byIndex && (at % 128 === 0 || (slice === 0 && at === 2))) addresses();
          const from = byIndex ? output + 2 * (at % 128) : before;
          const j1 = memory[from], j2 = memory[from + 1];
          const other = pass === 0 && slice === 0 ? lane : j2 % lanes;
          const same = other === lane;
          const done = pass === 0 ? slice * segment : 3 * segment;
          const area = done + (same ? at - 1 : at === 0 ? -1 : 0);
          const x = Number((BigInt(j1) * BigInt(j1)) >> 32n);
          const back = area - 1 - Number((BigInt(area) * BigInt(x)) >> 32n);
          const start = pass === 0 ? 0 : ((slice + 1) * segment) % columns;
          compress(memory, before, place(other, (start + back) % columns), place(lane, column),
              pass > 0);
        }
      }
    }
  }
  const last = new Uint32Array(WORDS);
  for (let lane = 0; lane < lanes; lane += 1) {
    const at = place(lane, columns - 1);
    for (let word = 0; word < WORDS; word += 1) last[word] ^= memory[at + word];
  }
  return longDigest(new Uint8Array(last.buffer), size);
}
