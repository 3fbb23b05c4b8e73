// What each file in wire/ says, done once more. Each function gives what it found.

import { b64, bytes, hex, sha256, unb64, unhex } from "./crypt.mjs";
import { checkFields } from "./crypto.mjs";
import { BYTES_MAX, canonical, Numeral, parse, Refused, reread, utf8 } from "./json.mjs";

const REF = /^[A-Za-z0-9_-]{43}$/, RUN = /^[0-9a-f]{16}$/;
const TO_USERS = ["MSG_DIRECT", "USER_DELIVER", "FILE_START", "FILE_CHUNK", "FILE_END"];
const isInteger = (value) => value instanceof Numeral && value.isInteger;

// `found` is what came of it, or `otherwise` where it was refused.
async function tried(found, otherwise) {
  try { return await found(); } catch (fault) {
    if (!(fault instanceof Refused)) throw fault;
    return otherwise;
  }
}

// --- frames (sections 1 and 2) -------------------------------------------------------------------

const dataOf = (c) =>
    ("bytes" in c ? unb64(c.bytes) :
    bytes(c.built ? c.built.map(([piece, times]) => piece.repeat(times)).join("") : c.frame));

function readFrame(data) {
  if (data.length > BYTES_MAX) throw Object.assign(new Refused("over a mebibyte"),
      { code: "TOO_LARGE" });
  const raw = new Map(), frame = parse(utf8(data), raw);
  if (!(frame instanceof Map)) throw new Refused("no object");
  const empty = frame.get("type") === "CTRL_CLOSE" ?
      { from: "", to: "", ts: new Numeral("0"), payload: new Map() } : {};
  const get = (name) => frame.get(name) ?? (frame.has(name) ? null : empty[name]);
  const type = get("type"), from = get("from"), to = get("to"), ts = get("ts"),
      payload = get("payload");
  const sig = frame.has("sig") ? frame.get("sig") : "";
  const fits = [
    typeof type === "string" && type.length >= 1 && type.length <= 64,
    typeof from === "string" && from.length <= 300,
    typeof to === "string" && to.length <= 300 && (to.length > 0 || type === "CTRL_CLOSE"),
    isInteger(ts) && ts.value >= 0, payload instanceof Map, typeof sig === "string",
  ];
  if (fits.includes(false)) throw new Refused("a member is missing, or of another kind");
  return { type, from, to, ts: ts.value, sig, payload: raw.get("payload") ?? "{}" };
}

const bad = (c) => {
  try { readFrame(dataOf(c)); } catch (fault) {
    if (!(fault instanceof Refused)) throw fault;
    return { code: fault.code ?? "BAD_FRAME" };
  }
  return { code: null };
};
const good = (c) => {
  const { payload, ...members } = readFrame(dataOf(c));
  return { sig: "", ...members, ...("payload" in c ? { payload } : {}) };
};
const written = (c) => {
  const { why, payload, ...head } = c, text = payload && canonical(reread(payload));
  const frame = JSON.stringify(text ? { ...head, payload: "?" } : head).replace('"?"', () => text);
  const said = readFrame(bytes(frame));
  if (text && said.payload !== text) throw new Refused("another payload");
  return Object.fromEntries(Object.keys(head).map((name) => [name, said[name]]));
};

// --- names and proofs ----------------------------------------------------------------------------

async function messageRef(c) {
  return tried(async () => {
    checkFields(c.from, c.to, c.ts);
    return { msg_ref: b64(await sha256(unb64(c.ciphertext), c.from, c.to, c.ts)) };
  }, { msg_ref: null });
}

async function dedup(c) {
  const said = [c.first, c.second].map((frame) => {
    const payload = parse(frame.payload);
    const to = TO_USERS.includes(frame.type) && !payload.has("user_id") ? frame.to : null;
    return `${canonical(reread([frame.type, frame.from, frame.ts, to]))}${canonical(payload)}`;
  });
  return { same: said[0] === said[1],
      keys: await Promise.all(said.map(async (text) => hex(await sha256(text)))) };
}

function bind(c) {
  const said = parse(c.payload).get("bind");
  if (said === undefined) return { says: c.required ? "refused" : null };
  const fits = said instanceof Map &&
      ["type", "from", "to"].every((name) => said.get(name) === c[name]) &&
      isInteger(said.get("ts")) && said.get("ts").value === c.ts;
  return { says: fits ? null : "refused" };
}

// --- gossip/1 ------------------------------------------------------------------------------------

async function roll(c) {
  const digest = new Uint8Array(32);
  for (const user of c.users) {
    const entry = await sha256(user.user_id, user.fingerprint, user.attach_ts ?? "");
    entry.forEach((byte, at) => { digest[at] ^= byte; });
  }
  return { count: c.users.length, digest: b64(digest) };
}

function heartbeat(c) {
  return tried(() => {
    const said = parse(c.payload), links = said.get("links") ?? null,
        users = said.get("users") ?? null;
    const isLink = (each) => typeof each === "string" && each.length > 0;
    if (links !== null &&
        !(Array.isArray(links) && links.length <= 1000 &&
        links.every(isLink))) throw new Refused("links");
    if (users === null) return { links, count: null, refused: false };
    if (!(users instanceof Map) || !isInteger(users.get("count")) ||
        users.get("count").value < 0) throw new Refused("count");
    if (typeof users.get("digest") !== "string" ||
        unb64(users.get("digest")).length !== 32) throw new Refused("digest");
    return { links, count: users.get("count").value, refused: false };
  }, { links: null, count: null, refused: true });
}

async function rank(c) {
  const places = await Promise.all(c.holders.map(async (holder) =>
      [hex(await sha256(c.newcomer, holder)), holder]));
  return { ranked: places.sort(([one], [other]) => (one < other ? -1 : 1)).map(([, holder]) =>
      holder) };
}

// --- content/1 -----------------------------------------------------------------------------------

async function content(c) {
  return tried(async () => {
    const said = parse(c.text);
    const ref = (name) => said.get(name) ?? "";
    const isRef = (text) => text === "" || (typeof text === "string" && REF.test(text));
    const fits = said instanceof Map && isInteger(said.get("v")) && said.get("v").value === 1 &&
        typeof said.get("kind") === "string"
      && typeof said.get("run") === "string" && RUN.test(said.get("run")) &&
          isInteger(said.get("seq")) && said.get("seq").value >= 1;
    if (!fits || !isRef(ref("prev")) || !isRef(ref("first"))) throw new Refused("no content");
    const place = ["v", "run", "seq", "prev", "first"];
    const rest = new Map([...said].filter(([name]) => !place.includes(name)));
    const found = { kind: c.kind === "unknown" ? "unknown" : said.get("kind"),
        run: said.get("run"), seq: said.get("seq").value };
    if (ref("first")) found.first = ref("first");
    return { ...found, prev: ref("prev"), digest: b64(await sha256(canonical(rest))),
        ...writtenAs(c, said) };
  }, { kind: null });
}
const writtenAs = (c, said) => (c.written ? { written: canonical(said) === c.text } : {});

// --- addresses, texts ----------------------------------------------------------------------------

const ADDRESS = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]{1,253}):([1-9][0-9]{0,4})$/;

function address(c) {
  const [whole, name, port] = ADDRESS.exec(c.text) ?? [];
  if (whole !== c.text || Number(port) > 65_535 || /(^|\.)-/.test(name)) return { host: null };
  const host = new URL(`http://${name}`).hostname.replace(/^\[|\]$/g, "");
  const loopback = /^localhost\.?$/.test(host) || /^127(\.\d+){3}$/.test(host) || host === "::1" ||
      /^::ffff:7f[0-9a-f]{2}:/.test(host);
  return { host, port: Number(port), written: `${host.includes(":") ? `[${host}]` : host}:${port}`,
      loopback };
}

const base64url = (c) => tried(() => ({ hex: hex(unb64(c.text)) }), { hex: null });

async function invitation(c) {
  const bare = c.text.replace(/[-\s]/g, "").toLowerCase();
  if (c.text.length > 64 || !/^[a-z2-7]{26}$/.test(bare)) return { code: null };
  let bits = 0n;
  for (const digit of bare) bits =
      bits * 32n + BigInt("abcdefghijklmnopqrstuvwxyz234567".indexOf(digit));
  if (bits & 3n) return { code: null }; // bits that belong to no byte
  const code = unhex((bits >> 2n).toString(16).padStart(32, "0"));
  return { code: hex(code), written: bare.match(/.{1,4}/g).join("-"),
      kept: hex(await sha256("socp-invitation/1", code)) };
}

export const WIRE = {
  "wire/frames.json": written,
  "wire/good_frames.json": good,
  "wire/bad_frames.json": bad,
  "wire/canonical.json": (c) =>
      ({ canonical: canonical(parse(c.text)), utf8: canonical(parse(c.text), false) }),
  "wire/bind.json": bind,
  "wire/msg_ref.json": messageRef,
  "wire/dedup.json": dedup,
  "wire/roll.json": roll,
  "wire/heartbeat.json": heartbeat,
  "wire/rank.json": rank,
  "wire/content.json": content,
  "wire/addresses.json": address,
  "wire/base64url.json": base64url,
  "wire/invitation.json": invitation,
};
