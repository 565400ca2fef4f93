// The part of MessagePack that the game uses: nil, booleans, whole numbers,
// strings, arrays and maps out; numbers with fractions in, too.
const utf8 = new TextEncoder(), text = new TextDecoder();

export function pack(value) {
  const out = [];
  const number = (first, n, bytes) => {
    out.push(first);
    for (let i = bytes - 1; i >= 0; i--) out.push(Math.floor(n / 2 ** (8 * i)) & 255);
  };
  const size = (n, fix, room, first) => n < room ? out.push(fix | n) : number(first, n, 2);
  const put = (v) => {
    if (v === null || v === undefined) out.push(0xc0);
    else if (typeof v === "boolean") out.push(v ? 0xc3 : 0xc2);
    else if (typeof v === "number") {
      if (v >= 0 && v < 128) out.push(v);
      else if (v < 0 && v >= -32) out.push(v + 256);
      else if (v > 0) number(0xce, v, 4);
      else number(0xd2, v + 2 ** 32, 4);
    } else if (typeof v === "string") {
      const b = utf8.encode(v);
      size(b.length, 0xa0, 32, 0xda);
      out.push(...b);
    } else if (Array.isArray(v)) {
      size(v.length, 0x90, 16, 0xdc);
      v.forEach(put);
    } else {
      const pairs = Object.entries(v);
      size(pairs.length, 0x80, 16, 0xde);
      for (const [key, value] of pairs) { put(key); put(value); }
    }
  };
  put(value);
  return new Uint8Array(out);
}

export function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const take = (n) => (at += n) - n;
  const string = (n) => text.decode(bytes.subarray(take(n), at));
  const array = (n) => Array.from({length: n}, get);
  const map = (n) => {
    const m = {};
    for (; n > 0; n--) { const key = get(); m[key] = get(); }
    return m;
  };
  const u8 = () => view.getUint8(take(1));
  const u16 = () => view.getUint16(take(2));
  const u32 = () => view.getUint32(take(4));
  const kinds = {
    0xc0: () => null, 0xc2: () => false, 0xc3: () => true,
    0xc4: () => bytes.slice(take(u8()), at), 0xc5: () => bytes.slice(take(u16()), at),
    0xca: () => view.getFloat32(take(4)), 0xcb: () => view.getFloat64(take(8)),
    0xcc: u8, 0xcd: u16, 0xce: u32, 0xcf: () => Number(view.getBigUint64(take(8))),
    0xd0: () => view.getInt8(take(1)), 0xd1: () => view.getInt16(take(2)),
    0xd2: () => view.getInt32(take(4)), 0xd3: () => Number(view.getBigInt64(take(8))),
    0xd9: () => string(u8()), 0xda: () => string(u16()), 0xdb: () => string(u32()),
    0xdc: () => array(u16()), 0xdd: () => array(u32()), 0xde: () => map(u16()), 0xdf: () => map(u32()),
  };
  function get() {
    const b = u8();
    if (b < 0x80) return b;
    if (b < 0x90) return map(b & 15);
    if (b < 0xa0) return array(b & 15);
    if (b < 0xc0) return string(b & 31);
    if (b >= 0xe0) return b - 256;
    if (!kinds[b]) throw new Error("MessagePack: byte " + b);
    return kinds[b]();
  }
  return get();
}
