// Strict JSON and its canonical form (sections 2 and 3). Numbers keep how they were written.

export const BYTES_MAX = 1024 * 1024;
const VALUES_MAX = 50_000, LEVELS_MAX = 16, NUMBER_MAX = 2 ** 53 - 1;
const NUMBER = /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const LITERALS = new Map([["true", true], ["false", false], ["null", null]]);
const ESCAPES = new Map(Object.entries({ '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n",
    r: "\r", t: "\t" }));

export class Refused extends Error {}

export class Numeral {
  constructor(text) {
    this.isInteger = !/[.eE]/.test(text);
    this.value = Number(text);
    if (!Number.isFinite(this.value) ||
        Math.abs(this.value) > NUMBER_MAX) throw new Refused("a number over 2^53 - 1");
    if (this.isInteger &&
        BigInt(text) !== BigInt(this.value)) throw new Refused("an integer over 2^53 - 1");
  }
  // As Python writes it: an integer, or the shortest form of a fraction.
  toString() {
    if (this.isInteger) return String(this.value + 0 || 0);
    if (Object.is(this.value, -0)) return "-0.0";
    if (this.value !== 0 &&
        Math.abs(this.value) < 1e-4) return this.value.toExponential().replace(/e-(\d)$/, "e-0$1");
    const text = String(this.value);
    return text.includes(".") ? text : `${text}.0`;
  }
}

// The value of a text. Objects are Maps; `raw` gets the text of each member of the outermost one.
export function parse(text, raw = new Map()) {
  const reader = new Reader(text, raw);
  const value = reader.value(0);
  reader.space();
  if (reader.at < text.length) throw new Refused("more than one value");
  return value;
}

class Reader {
  constructor(text, raw) {
    this.text = text; this.raw = raw; this.at = 0; this.values = 0;
  }
  space() {
    while (" \t\r\n".includes(this.text[this.at] ?? "x")) this.at += 1;
  }
  take(character) {
    this.space();
    if (this.text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }
  need(character) {
    if (!this.take(character)) throw new Refused(`no ${character} at ${this.at}`);
  }
  value(level) {
    if ((this.values += 1) > VALUES_MAX) throw new Refused("more than 50,000 values");
    this.space();
    const first = this.text[this.at];
    if (first === '"') return this.string();
    if (first === "{" || first === "[") {
      if (level === LEVELS_MAX) throw new Refused("more than 16 levels");
      this.at += 1;
      return first === "{" ? this.object(level + 1) : this.list(level + 1);
    }
    for (const [word, value] of LITERALS) {
      if (this.text.startsWith(word, this.at)) { this.at += word.length; return value; }
    }
    NUMBER.lastIndex = this.at;
    const [number] = NUMBER.exec(this.text) ?? [""];
    if (!number || number.length > 400) throw new Refused(`no value at ${this.at}`);
    this.at += number.length;
    return new Numeral(number);
  }
  object(level) {
    const members = new Map();
    if (this.take("}")) return members;
    do {
      this.space();
      if (this.text[this.at] !== '"') throw new Refused(`no name at ${this.at}`);
      const name = this.string();
      if (members.has(name)) throw new Refused(`${name} stands twice`);
      this.need(":");
      this.space();
      const start = this.at;
      members.set(name, this.value(level));
      if (level === 1) this.raw.set(name, this.text.slice(start, this.at));
    } while (this.take(","));
    this.need("}");
    return members;
  }
  list(level) {
    const items = [];
    if (this.take("]")) return items;
    do items.push(this.value(level)); while (this.take(","));
    this.need("]");
    return items;
  }
  string() {
    let said = "";
    for (this.at += 1; this.text[this.at] !== '"'; this.at += 1) {
      const character = this.text[this.at];
      if (character === undefined ||
          character < " ") throw new Refused("a text without an end, or a control character");
      said += character === "\\" ? this.escape() : character;
    }
    this.at += 1;
    if (!said.isWellFormed()) throw new Refused("half a character");
    return said;
  }
  escape() {
    const kind = this.text[this.at += 1];
    if (kind !== "u") {
      if (!ESCAPES.has(kind)) throw new Refused(`\\${kind} is no escape`);
      return ESCAPES.get(kind);
    }
    const digits = this.text.slice(this.at + 1, this.at + 5);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new Refused("\\u without four digits");
    this.at += 4;
    return String.fromCharCode(parseInt(digits, 16));
  }
}

const byCodePoint = (one, other) => {
  const [a, b] = [[...one], [...other]];
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    const difference = a[at].codePointAt(0) - b[at].codePointAt(0);
    if (difference) return difference;
  }
  return a.length - b.length;
};
const SHORT = new Map([['"', '\\"'], ["\\", "\\\\"], ["\b", "\\b"], ["\f", "\\f"], ["\n", "\\n"],
    ["\r", "\\r"], ["\t", "\\t"]]);
const escaped = (unit) =>
    SHORT.get(unit) ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
const quoted = (text, ascii) =>
    `"${text.replace(ascii ? /["\\]|[^ -~]/g : /["\\\u0000-\u001f]/g, escaped)}"`;

// What is signed. `ascii` false: the raw UTF-8 form, which is accepted too.
export function canonical(value, ascii = true) {
  if (value instanceof Map) {
    const names = [...value.keys()].sort(byCodePoint);
    const member = (name) => `${quoted(name, ascii)}:${canonical(value.get(name), ascii)}`;
    return `{${names.map(member).join(",")}}`;
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, ascii)).join(",")}]`;
  return typeof value === "string" ? quoted(value, ascii) : String(value);
}

// A value as JSON.parse gives it, in the form of `parse`.
export const reread = (value) => parse(JSON.stringify(value));

export function utf8(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refused("no UTF-8");
  }
}
